"""What stands in for the outside in tests of the core: transports, servers, buses."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side
from websockets.protocol import State as ProtocolState

from realtime.outlet import Batch, FrameOutlet, Outlet, Receiver


def parse_frames(data: bytes) -> list[str]:
    """The text messages in what a server wrote, as a WebSocket client reads them."""
    client = Protocol(Side.CLIENT, state=ProtocolState.OPEN)
    client.receive_data(data)
    frames = client.events_received()
    assert client.parser_exc is None
    texts = []
    for frame in frames:
        assert isinstance(frame, Frame)
        assert frame.opcode is Opcode.TEXT
        assert frame.fin
        texts.append(bytes(frame.data).decode())
    return texts


class FakeTransport:
    """A `FrameTransport` that remembers. `stall` and `drain` are what a client that stops reading does."""

    def __init__(self) -> None:
        self.reading = True
        self.outlet: FrameOutlet | None = None
        # Who has itself driven, and what is to be undone in the end.
        self.receiver: Receiver | None = None
        self.undo: Callable[[], None] | None = None
        self.writes: list[bytes] = []
        self.closes: list[tuple[int, str]] = []
        # After so many writes the client stops reading by itself, as when a buffer is full.
        self.stall_after: int | None = None

    def write(self, frames: bytes) -> None:
        self.writes.append(frames)
        if self.stall_after is not None:
            self.stall_after -= 1
            if self.stall_after <= 0:
                self.stall_after = None
                self.stall()

    def close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))

    def stall(self) -> None:
        self.reading = False
        assert self.outlet is not None
        self.outlet.stalled()

    def drain(self) -> None:
        self.reading = True
        assert self.outlet is not None
        self.outlet.resumed()

    def drive(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def outlast(self, undo: Callable[[], None]) -> bool:
        self.undo = undo
        return True

    @property
    def texts(self) -> list[str]:
        return parse_frames(b"".join(self.writes))


class Nobody:
    """An owner whose client is never too slow; with an event, that is set when it is."""

    def __init__(self, overflow: asyncio.Event | None = None) -> None:
        self._overflow = overflow

    def overflowed(self) -> None:
        assert self._overflow is not None, "nothing overflows here"
        self._overflow.set()

    def expect_frames(self, count: int) -> None: ...


class FakeOutlet(Outlet):
    """An outlet that writes into a list."""

    def __init__(self, outlet_id: str, *, readable: bool = True) -> None:
        super().__init__(outlet_id, self)
        self.got: list[bytes] = []
        self.batches: list[int] = []
        self.closes: list[int] = []
        self.overflows = 0
        self.expected = 0
        self.client_reads = readable
        self._ready = readable

    def overflowed(self) -> None:
        self.overflows += 1

    def expect_frames(self, count: int) -> None:
        self.expected += count

    def _writable(self) -> bool:
        return self.client_reads

    def _write(self, batch: Batch) -> None:
        self.batches.append(len(batch.heads))
        self.got += [head + self.tail for head in batch.heads]

    def _close(self, code: int, reason: str) -> None:
        self.closes.append(code)

    def stall(self) -> None:
        self.client_reads = self._ready = False

    def read(self) -> None:
        self.client_reads = True
        self._resume()


class FakeLoop:
    """A loop whose clock is turned by hand; `call_at` is what a group needs of it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.calls: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, callback: Any) -> Any:
        entry = (when_s, callback)
        self.calls.append(entry)
        loop = self

        class Handle:
            def cancel(self) -> None:
                if entry in loop.calls:
                    loop.calls.remove(entry)

        return Handle()

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        for entry in [entry for entry in self.calls if entry[0] <= self.now_s]:
            self.calls.remove(entry)
            entry[1]()


class FakeBus:
    """A bus that remembers what it was told; ``gate`` holds up `subscribed`."""

    state: Any = "ok"

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def on_resync(self, callback: Callable[[], None]) -> None: ...

    def send(self, group: str, kind: str, message: dict[str, Any]) -> None:
        self.sent.append((group, kind, message))

    def subscribe(self, group: str) -> None:
        self.calls.append(("subscribe", group))

    def unsubscribe(self, group: str) -> None:
        self.calls.append(("unsubscribe", group))

    async def subscribed(self, group: str) -> None:
        await self.gate.wait()

    def start(self) -> None: ...

    async def stop(self) -> None: ...

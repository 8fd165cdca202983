"""The write end of one connection, as the hub sees it.

A message is a *head*, the same bytes for every client, followed by the connection's own *tail*
(empty for most protocols; broadcast ends every message with the receiver's clientID and latency).
A `Batch` holds heads that leave together and frames them once for every length of tail, so sending
it to one more client costs a single ``bytes.join`` and a single write.

Three outlets share one interface. `FrameOutlet` hands finished frames to our server's transport,
`AsgiOutlet` goes through the standard ``websocket.send`` of any other server, and other modules may
add theirs (server-sent events do). None of them ever waits: what a client does not take is kept up
to a bound, and past it the client is closed, not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from realtime.close_codes import CloseCode, bounded_reason
from realtime.frames import frame_header

# What may wait for a client that has stopped reading, besides the socket's own buffers. A megabyte
# is five thousand typical messages: seconds of a busy channel, more than any hiccup of a network.
MAX_BACKLOG_BYTES = 1024 * 1024
MAX_BACKLOG_MESSAGES = 5_000


class Batch:
    """Messages that leave together. `heads` are JSON text without the receiver's tail."""

    __slots__ = ("_framed", "_plain", "heads", "size_bytes")

    def __init__(self, heads: Sequence[bytes]) -> None:
        self.heads = heads
        self.size_bytes = sum(map(len, heads))
        self._framed: dict[int, list[bytes]] = {}
        self._plain: bytes | None = None

    def framed(self, tail: bytes) -> bytes:
        """All messages as WebSocket text frames, each ending in `tail`."""
        if not tail:
            if self._plain is None:
                self._plain = b"".join([frame_header(len(head)) + head for head in self.heads])
            return self._plain
        length = len(tail)
        parts = self._framed.get(length)
        if parts is None:
            # The empty last part makes join() put the tail after the last head as well.
            parts = [frame_header(len(head) + length) + head for head in self.heads]
            parts.append(b"")
            self._framed[length] = parts
        return tail.join(parts)


class _Backlog:
    """What waits for a client that does not take it, or for the state that has to come first."""

    __slots__ = ("batches", "before_cork", "messages", "size_bytes")

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.size_bytes = 0
        self.messages = 0
        # How many of the batches waited already when the outlet was corked.
        self.before_cork = 0

    def add(self, batch: Batch, tail_bytes: int) -> bool:
        """Keep a batch as well; False if that is more than a client may leave waiting."""
        self.batches.append(batch)
        self.messages += len(batch.heads)
        self.size_bytes += batch.size_bytes + len(batch.heads) * tail_bytes
        return self.size_bytes <= MAX_BACKLOG_BYTES and self.messages <= MAX_BACKLOG_MESSAGES


class Source(Protocol):
    """A group, as its members see it."""

    name: str

    def catch_up(self, outlet: Outlet) -> None:
        """Deliver to this member what waits for the end of the window."""

    def discard(self, outlet: Outlet) -> None:
        """Take the member out."""


class Owner(Protocol):
    """The connection's part in the application: a consumer."""

    def overflowed(self) -> None:
        """The client took too little for too long, and the outlet has closed the wire. Called once, soon
        after; the connection's part in the application has to end."""

    def expect_frames(self, count: int) -> None:
        """The client will send so many messages because it was asked to."""


class Outlet:
    """One connection's write end. Used from the event loop only.

    Args:
        outlet_id: unique in the process; the clientID where the protocol has one.
    """

    __slots__ = (
        "_backlog",
        "_ready",
        "close_code",
        "closed",
        "corked",
        "groups",
        "id",
        "on_close_answered",
        "owner",
        "tail",
    )

    def __init__(self, outlet_id: str, owner: Owner) -> None:
        self.id = outlet_id
        self.owner = owner
        self.tail = b""
        # In the order they were joined. Nearly everybody is in one; somebody may be in thousands, and leave
        # them all at once.
        self.groups: tuple[Source, ...] | dict[Source, None] = ()
        self.closed = False
        # Why it is closed, once it is. What nobody asked for is a connection that broke.
        self.close_code: int = CloseCode.ABNORMAL
        self.corked = False
        # Called once, after the end, if the client has answered our close: it has read what came before.
        self.on_close_answered: Callable[[], None] | None = None
        self._ready = True
        self._backlog: _Backlog | None = None

    # -- for the hub and the consumer ------------------------------------------------------

    def send(self, *heads: bytes) -> None:
        """Send messages to this client alone, after everything its groups already owe it."""
        self.catch_up()
        self.deliver(Batch(heads))

    def catch_up(self) -> None:
        """Take what the groups owe this client now, ahead of their windows."""
        for group in self.groups:
            group.catch_up(self)

    def deliver(self, batch: Batch) -> None:
        """Send a batch now, or keep it while the client does not read or the outlet is corked."""
        if self._ready:
            self._write(batch)
        elif not self.closed:
            self._keep(batch)

    def cork(self) -> None:
        """Hold back what groups deliver until `uncork`: state comes first, then what changes it.

        What waits already, for a client that does not read, is sent before either.
        """
        if not self.corked:
            self.corked = True
            self._ready = False
            self._backlog = self._backlog or _Backlog()
            self._backlog.before_cork = len(self._backlog.batches)

    def uncork(self, *first: bytes) -> None:
        """Send the messages `first`, then what was held back, in order, and go on live."""
        self.corked = False
        kept, self._backlog = self._backlog or _Backlog(), None
        self._ready = not self.closed and self._writable()
        if first:
            kept.batches.insert(kept.before_cork, Batch(first))
        for batch in kept.batches:
            self.deliver(batch)

    def set_tail(self, tail: bytes) -> None:
        """Change the receiver's part for messages sent from now on."""
        self.catch_up()
        self.tail = tail

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection after what was sent before. Repeated calls change nothing."""
        if self.closed:
            return
        self.catch_up()
        self._close_after_kept(code, reason)

    def ping(self) -> bool:
        """Ask the client for a sign of life; False if there was none since the last time.

        Only our own server needs it: others ping their connections by themselves.
        """
        return True

    def _close_after_kept(self, code: int, reason: str) -> None:
        if self.closed:  # catching up was too much for the client
            return
        kept = self._backlog or _Backlog()
        self.close_code = code
        self._shut()
        # What was held back means nothing without what `uncork` would have sent first.
        for batch in kept.batches[: kept.before_cork] if self.corked else kept.batches:
            self._write(batch)
        self._close(code, bounded_reason(reason))

    def detach(self) -> None:
        """The connection is gone: send nothing more and let go of it."""
        self._shut()

    def disconnected(self, code: int) -> None:
        """The server has said that the connection ended, with this code.

        Only outlets that hear nothing better from their transport make something of it.
        """

    def _close_answered(self) -> None:
        if self.on_close_answered is not None:
            self.on_close_answered()

    def joined(self, group: Source) -> None:
        """It is a member of this group now."""
        if isinstance(self.groups, dict):
            self.groups[group] = None
        else:
            self.groups = dict.fromkeys((*self.groups, group)) if self.groups else (group,)

    def left(self, group: Source) -> None:
        """It is no member of this group any more."""
        if isinstance(self.groups, dict):
            self.groups.pop(group, None)
        elif group in self.groups:
            self.groups = ()

    # -- inside ------------------------------------------------------------------------------

    def _shut(self) -> None:
        self.closed = True
        self._ready = False
        self._backlog = None

    def _keep(self, batch: Batch) -> None:
        if self._backlog is None:
            self._backlog = _Backlog()
        if not self._backlog.add(batch, len(self.tail)):
            self.close_code = CloseCode.SLOW_CLIENT
            self._shut()
            self._close(CloseCode.SLOW_CLIENT, "the client reads too slowly")
            # Soon, not now: the hub may be walking through the group this outlet is about to leave.
            asyncio.get_running_loop().call_soon(self.owner.overflowed)

    def _resume(self) -> None:
        """The client reads again: send what was kept, as long as it keeps reading."""
        if self.closed or self.corked:
            return
        self._ready = True
        while self._backlog is not None and self._ready:
            # One write for all of it.
            kept, self._backlog = self._backlog, None
            self._write(Batch([head for batch in kept.batches for head in batch.heads]))

    def _writable(self) -> bool:
        raise AssertionError("an outlet says whether its client reads")

    def _write(self, batch: Batch) -> None:
        raise AssertionError("an outlet writes")

    def _close(self, code: int, reason: str) -> None:
        raise AssertionError("an outlet closes")


class FrameTransport(Protocol):
    """What the server offers in ``scope["extensions"]["foyer.frames"]``.

    `write` takes finished frames and never waits. `ping` sends one and tells whether anything was heard
    since the one before. `reading` tells whether the client keeps up; `outlet` is told when that changes,
    by `FrameOutlet.stalled` and `FrameOutlet.resumed`. `close` sends a close frame and gives the peer a
    short time to answer; when it does, `FrameOutlet.close_answered` is called.

    `drive` has every further event of the connection handed to a consumer, so that no task has to wait
    for them: the application returns. What has to last as long as the connection is undone by what is
    given to `outlast`, which gives False where there is no such connection.
    """

    reading: bool
    outlet: FrameOutlet | None

    def write(self, frames: bytes) -> None: ...

    def ping(self) -> bool: ...

    def close(self, code: int, reason: str) -> None: ...

    def drive(self, receiver: Receiver) -> None: ...

    def outlast(self, undo: Callable[[], None]) -> bool: ...


class Receiver(Protocol):
    """Who is handed the events of a connection, one after the other; ``websocket.disconnect`` is the last.

    An event is dealt with when `handle` returns, or when the coroutine that it gives has ended.
    """

    def handle(self, message: dict[str, Any]) -> Coroutine[Any, Any, None] | None: ...


class FrameOutlet(Outlet):
    """Finished frames, handed to the transport of our own server class."""

    __slots__ = ("_transport",)

    def __init__(self, outlet_id: str, transport: FrameTransport, owner: Owner) -> None:
        super().__init__(outlet_id, owner)
        self._transport = transport
        transport.outlet = self

    def stalled(self) -> None:
        """The client takes no more for now."""
        self._ready = False

    def resumed(self) -> None:
        """The client reads again."""
        self._resume()

    def close_answered(self) -> None:
        """The client has answered our close."""
        self._close_answered()

    def _writable(self) -> bool:
        return self._transport.reading

    def ping(self) -> bool:
        return self._transport.ping()

    def _write(self, batch: Batch) -> None:
        self._transport.write(batch.framed(self.tail))

    def _close(self, code: int, reason: str) -> None:
        self._transport.close(code, reason)


class AsgiOutlet(Outlet):
    """The standard way: ``websocket.send`` by a task that exists only while there is something to send."""

    __slots__ = ("_close_queued", "_queue", "_send", "_task")

    def __init__(self, outlet_id: str, send: Callable[[Any], Awaitable[None]], owner: Owner) -> None:
        super().__init__(outlet_id, owner)
        self._send = send
        self._queue: list[dict[str, Any]] = []
        self._task: asyncio.Task[None] | None = None
        self._close_queued = False

    def _writable(self) -> bool:
        return self._task is None

    def _write(self, batch: Batch) -> None:
        tail = self.tail
        self._queue += [{"type": "websocket.send", "text": (head + tail).decode()} for head in batch.heads]
        self._start()

    def _close(self, code: int, reason: str) -> None:
        self._close_queued = True
        # A plain int: some servers (autobahn under daphne) refuse a subclass such as an enum.
        self._queue.append({"type": "websocket.close", "code": int(code), "reason": reason})
        self._start()

    def detach(self) -> None:
        super().detach()
        # A client that we close has yet to be told, though the application is done with it: without
        # that its socket would stay open for nothing. The task ends when the server takes the
        # message or finds the client gone.
        if self._task is not None and not self._close_queued:
            self._task.cancel()

    def disconnected(self, code: int) -> None:
        if self._close_queued and code != CloseCode.ABNORMAL:
            self._close_answered()

    def _start(self) -> None:
        # Until the task is done, new batches are kept: that is what bounds the backlog.
        self._ready = False
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._queue:
                messages, self._queue = self._queue, []
                for message in messages:
                    await self._deliver(message)
        except Exception:  # noqa: BLE001
            # The peer is gone, in whatever words this server says so; the consumer hears of it by
            # its disconnect event. Nothing more can be delivered.
            self._queue.clear()
            self._shut()
        finally:
            self._task = None
        self._resume()

    async def _deliver(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except Exception:  # the server's own words
            code = message.get("code", 0)
            if not 1000 < code < _FIRST_CODE_FOR_ALL:
                raise
            # daphne lets applications send 1000 and those for private use alone, and would leave the socket
            # open, for ever and deaf.
            await self._send({**message, "code": code + _FIRST_CODE_FOR_ALL})


# Close codes from here on are anybody's (RFC 6455, 7.4.2).
_FIRST_CODE_FOR_ALL: Final = 3000

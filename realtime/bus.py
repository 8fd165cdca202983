"""Messages between the processes of one installation.

The bus carries wake-ups, at most once: nothing that must not be lost depends on it. Two kinds exist.
`LocalBus` is for a single process, which has nobody to talk to. `LayerBus` speaks through the Channels
layer (Redis pub/sub): one subscription per group and process, and one layer message for whatever
waits when the sender gets its turn, so a busy process sends fewer and larger messages.

Both are called from the event loop and never wait; the work is done by the bus's own tasks, which
outlive any outage of Redis. The bus asks itself for a sign of life through Redis: its state is what
messages really do, not what a socket looks like. When it comes back after an outage every
`on_resync` callback runs, since what was sent meanwhile is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

from realtime.logs import get_logger
from realtime.metrics import BUS_MESSAGES
from realtime.tasks import end

log = get_logger(__name__)

BusState = Literal["ok", "down"]
Deliver = Callable[[str, str, dict[str, Any]], None]

# A sign of life each second; three missing in a row mean that messages do not arrive.
PROBE_INTERVAL_S = 1.0
PROBE_TIMEOUT_S = 3.0
# How long a new member waits to hear the other processes. Past it the connection is served anyway.
SUBSCRIBE_TIMEOUT_S = 2.0
RETRY_S = 0.5
# Events for other processes that wait while Redis is away. They are worthless soon: the resync after
# an outage brings the state, so the oldest go first.
MAX_WAITING = 10_000


class Bus(Protocol):
    """What the hub and the services need of a bus."""

    state: BusState

    def on_resync(self, callback: Callable[[], None]) -> None:
        """Call back when messages may have been lost and flow again."""

    def send(self, group: str, kind: str, message: dict[str, Any]) -> None:
        """Send `message` (msgpack types) to every other process that subscribes to `group`."""

    def subscribe(self, group: str) -> None: ...

    def unsubscribe(self, group: str) -> None: ...

    async def subscribed(self, group: str) -> None:
        """Return once messages to `group` arrive here, or after `SUBSCRIBE_TIMEOUT_S`."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class LocalBus:
    """The bus of an installation with one process."""

    state: BusState = "ok"

    def on_resync(self, callback: Callable[[], None]) -> None:
        pass

    def send(self, group: str, kind: str, message: dict[str, Any]) -> None:
        pass

    def subscribe(self, group: str) -> None:
        pass

    def unsubscribe(self, group: str) -> None:
        pass

    async def subscribed(self, group: str) -> None:
        pass

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


def layer_group(group: str) -> str:
    """The channel layer's name for a group of ours: layers allow 99 characters of a small alphabet."""
    return "group." + hashlib.blake2b(group.encode(), digest_size=16).hexdigest()


def process_group(process_id: str) -> str:
    """The group of one process, to which every process listens that has others to talk to."""
    return f"process.{process_id}"


def layer_message(sender: str, group: str, entries: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What travels through the layer: (kind, message) pairs for one group, from one process."""
    return {"type": "foyer.bus", "sender": sender, "group": group, "entries": entries}


class LayerBus:
    """The bus over a Channels layer.

    Args:
        layer: the Channels layer.
        process_id: of this process; its own messages do not come back to it.
        deliver: called as ``deliver(group, kind, message)`` for each message of another process. It
            must not raise.
    """

    def __init__(self, layer: Any, process_id: str, deliver: Deliver) -> None:
        self.state: BusState = "ok"
        self._layer = layer
        self._process_id = process_id
        self._deliver = deliver
        self._resync: list[Callable[[], None]] = []
        self._own_group = process_group(process_id)
        self._wanted: set[str] = {self._own_group}
        self._actual: set[str] = set()
        self._arrived: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self._waiting: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._waiting_count = 0
        self._something_waits = asyncio.Event()
        self._last_probe_s = 0.0
        self._channel = ""
        self._tasks: list[asyncio.Task[None]] = []

    def on_resync(self, callback: Callable[[], None]) -> None:
        self._resync.append(callback)

    def send(self, group: str, kind: str, message: dict[str, Any]) -> None:
        if self._waiting_count >= MAX_WAITING:
            oldest = next(iter(self._waiting))
            self._waiting_count -= len(self._waiting.pop(oldest))
        self._waiting.setdefault(group, []).append((kind, message))
        self._waiting_count += 1
        self._something_waits.set()

    def subscribe(self, group: str) -> None:
        self._wanted.add(group)
        self._changed.set()

    def unsubscribe(self, group: str) -> None:
        self._wanted.discard(group)
        self._changed.set()
        if event := self._arrived.pop(group, None):
            event.set()  # whoever still waits is about to leave

    async def subscribed(self, group: str) -> None:
        if group in self._actual or self.state == "down":
            return
        event = self._arrived.setdefault(group, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), SUBSCRIBE_TIMEOUT_S)
        except TimeoutError:
            log.warning("bus.subscribe_timeout", group=group)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._last_probe_s = loop.time()
        self._tasks = [
            loop.create_task(self._forever(step), name=f"bus {step.__name__}")
            for step in (self._receive, self._reconcile, self._transmit, self._probe)
        ]

    async def stop(self) -> None:
        await end(self._tasks)

    # -- tasks -------------------------------------------------------------------------------

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat one task's step over any outage of the layer."""
        while True:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - whatever the layer raises, it is down
                self._down(error)
                await asyncio.sleep(RETRY_S)

    async def _receive(self) -> None:
        if not self._channel:
            self._channel = await self._layer.new_channel()
            self._changed.set()
        envelope = await self._layer.receive(self._channel)
        if envelope["sender"] == self._process_id:
            if envelope["group"] == self._own_group:
                self._on_probe()
            return
        for kind, message in envelope["entries"]:
            BUS_MESSAGES.labels(direction="in").inc()
            self._deliver(envelope["group"], kind, message)

    async def _reconcile(self) -> None:
        """Make the layer's subscriptions what the hub wants them to be."""
        await self._changed.wait()
        self._changed.clear()
        if not self._channel:
            return
        try:
            for group in self._wanted - self._actual:
                await self._layer.group_add(layer_group(group), self._channel)
                self._actual.add(group)
                if event := self._arrived.pop(group, None):
                    event.set()
            for group in self._actual - self._wanted:
                if group in self._wanted:  # again, since we looked
                    continue
                # Before the layer does it: who wants it from here on must wait for a new subscription.
                self._actual.discard(group)
                try:
                    await self._layer.group_discard(layer_group(group), self._channel)
                except Exception:
                    if group not in self._wanted:
                        self._actual.add(group)
                    raise
        except Exception:
            self._changed.set()
            raise

    async def _transmit(self) -> None:
        await self._something_waits.wait()
        self._something_waits.clear()
        waiting, self._waiting, self._waiting_count = self._waiting, {}, 0
        for group, entries in waiting.items():
            await self._layer.group_send(layer_group(group), layer_message(self._process_id, group, entries))
            BUS_MESSAGES.labels(direction="out").inc(len(entries))

    async def _probe(self) -> None:
        self.send(self._own_group, "probe", {})
        await asyncio.sleep(PROBE_INTERVAL_S)
        if asyncio.get_running_loop().time() - self._last_probe_s > PROBE_TIMEOUT_S:
            self._down(None)

    def _on_probe(self) -> None:
        self._last_probe_s = asyncio.get_running_loop().time()
        if self.state == "down":
            self.state = "ok"
            log.info("bus.up")
            for callback in self._resync:
                try:
                    callback()
                except Exception:
                    log.exception("bus.resync_failed", callback=callback.__qualname__)

    def _down(self, error: Exception | None) -> None:
        if self.state == "ok":
            self.state = "down"
            log.error("bus.down", error=repr(error) if error else "no sign of life")

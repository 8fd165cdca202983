"""What a process has exactly one of: its hub, bus, presence and timers, for each event loop.

A server process has one event loop and so one runtime, made when the first connection or request
asks for it (daphne has no start-up event). Services say what they need of every runtime with
`on_start`, called at import: handlers of bus messages, resyncs, periodic work.

Code without an event loop (an admin action, a management command) reaches the hub with
`send_from_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from realtime.bus import Bus, LayerBus, LocalBus, layer_group, layer_message
from realtime.clock import SystemClock
from realtime.heartbeat import TimerWheel
from realtime.hub import Hub
from realtime.ids import new_process_id
from realtime.logs import get_logger
from realtime.presence import MemoryPresence, Presence
from realtime.tasks import end

log = get_logger(__name__)

T = TypeVar("T")
Handler = Callable[[str, dict[str, Any]], None]

# Heartbeats are seconds apart; a tenth of one is as exact as they need to be.
TICK_S = 0.1

# Every process listens to this group: what concerns all of them, whoever is connected.
EVERY_PROCESS = "every-process"


class Runtime:
    """The realtime parts of one event loop. Made by `current`."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.process_id = new_process_id()
        self.clock = SystemClock()
        self.wheel = TimerWheel(tick_s=TICK_S)
        self.bus: Bus
        self.presence: Presence
        if settings.REDIS_URL:
            # Loading Redis' client takes a twentieth of the start of those who have none.
            from realtime.redis_presence import RedisPresence  # noqa: PLC0415

            self.bus = LayerBus(get_channel_layer(), self.process_id, self._deliver)
            self.presence = RedisPresence(settings.REDIS_URL, self.process_id)
        else:
            self.bus = LocalBus()
            self.presence = MemoryPresence(self.process_id)
        self.hub = Hub(self.loop, self.bus)
        self.bus.subscribe(EVERY_PROCESS)
        self._handlers: dict[str, list[Handler]] = {"deliver": [self.hub.on_deliver]}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: list[Callable[[], Awaitable[None]]] = []
        self._parts: dict[Callable[[Runtime], Any], Any] = {}
        # Set when the process is about to leave: long answers should end.
        self.draining = asyncio.Event()
        self._ticking = self.loop.call_later(TICK_S, self._tick)

    def part(self, kind: Callable[[Runtime], T]) -> T:
        """What a service has one of for each runtime, made on first use: ``runtime.part(Switchboard)``."""
        part: T | None = self._parts.get(kind)
        if part is None:
            part = self._parts[kind] = kind(self)
        return part

    def on(self, kind: str, handler: Handler) -> None:
        """Call ``handler(group, message)`` for every bus message of that kind, whatever its sender."""
        self._handlers.setdefault(kind, []).append(handler)

    def every(self, interval_s: float, work: Callable[[], Any]) -> None:
        """Run the coroutine function `work` again and again; its failures are logged, not fatal."""

        async def repeat() -> None:
            while True:
                await asyncio.sleep(interval_s)
                try:
                    await work()
                except Exception:
                    log.exception("runtime.periodic_work_failed", work=work.__qualname__)

        self.spawn(repeat())

    def spawn(self, coroutine: Any) -> asyncio.Task[None]:
        """Run a coroutine beside the connections; it is cancelled when the runtime stops."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._spawned_done)
        return task

    def on_stop(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done when the runtime stops, while everything still works. It must be quick."""
        self._leaving.append(work)

    def handle(self, group: str, kind: str, message: dict[str, Any]) -> None:
        """Take a message as if it came over the bus, and pass it on to the other processes."""
        self._deliver(group, kind, message)
        self.bus.send(group, kind, message)

    def drain(self) -> None:
        """The process is leaving: deliver what waits and let long answers end."""
        self.hub.flush()
        self.draining.set()

    async def stop(self) -> None:
        """End every task of this runtime."""
        self.drain()
        for work in self._leaving:
            await work()
        self._ticking.cancel()
        await end(self._tasks)
        await self.presence.stop()
        await self.bus.stop()
        _runtimes.pop(self.loop, None)

    def _deliver(self, group: str, kind: str, message: dict[str, Any]) -> None:
        for handler in self._handlers.get(kind, ()):
            try:
                handler(group, message)
            except Exception:
                # One bad message, of another version perhaps, must not stop the other handlers, those
                # behind it, or its way to the other processes.
                log.exception("runtime.handler_failed", kind=kind, handler=handler.__qualname__)

    def _tick(self) -> None:
        self._ticking = self.loop.call_later(TICK_S, self._tick)
        for error in self.wheel.advance(self.loop.time()):
            log.error("runtime.timer_failed", exc_info=error)

    def _spawned_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("runtime.task_failed", exc_info=error)


_runtimes: dict[asyncio.AbstractEventLoop, Runtime] = {}
_starters: list[Callable[[Runtime], None]] = []


def on_start(starter: Callable[[Runtime], None]) -> Callable[[Runtime], None]:
    """Have `starter` called with every new runtime. Usable as a decorator."""
    _starters.append(starter)
    return starter


def current() -> Runtime:
    """The running event loop's runtime, made on first use."""
    runtime = _runtimes.get(asyncio.get_running_loop())
    return _start(_starters) if runtime is None else runtime


def start_bare() -> Runtime:
    """A runtime for the running event loop without what services have in a server: to serve nobody."""
    return _start(())


def _start(starters: Iterable[Callable[[Runtime], None]]) -> Runtime:
    runtime = _runtimes[asyncio.get_running_loop()] = Runtime()
    for starter in starters:
        starter(runtime)
    runtime.bus.start()
    runtime.presence.start()
    return runtime


def send_from_thread(group: str, kind: str, message: dict[str, Any]) -> None:
    """Hand a bus message to every process, this one included, from code without an event loop.

    In a process that serves nobody and has no Redis (a management command on an embedded
    installation) there is no one to tell, and nothing happens. With Redis away it is lost, like any
    message on the bus: nothing is raised for it, since what it tells of has been committed.
    """
    runtimes = [runtime for loop, runtime in list(_runtimes.items()) if loop.is_running()]
    if runtimes:
        for runtime in runtimes:
            runtime.loop.call_soon_threadsafe(runtime.handle, group, kind, message)
    elif settings.REDIS_URL:
        from redis.exceptions import RedisError  # noqa: PLC0415 - as above

        envelope = layer_message("thread", group, [(kind, message)])
        try:
            async_to_sync(get_channel_layer().group_send)(layer_group(group), envelope)
        except RedisError as error:
            log.warning("runtime.not_sent", kind=kind, error=repr(error))

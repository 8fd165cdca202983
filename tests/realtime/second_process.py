"""A second process of the installation, in the test's event loop: its runtime, and a bus between the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec

from realtime import runtime
from realtime.bus import LocalBus, process_group
from realtime.runtime import EVERY_PROCESS, Runtime


class Wire(LocalBus):
    """Takes what is sent to every process, or to the one at the other end, there: soon, as on a real bus."""

    def __init__(self, to: Runtime) -> None:
        self._to = to

    def send(self, group: str, kind: str, message: dict[str, Any]) -> None:
        if group in (EVERY_PROCESS, process_group(self._to.process_id)):
            copy = msgspec.msgpack.decode(msgspec.msgpack.encode(message))
            asyncio.get_running_loop().call_soon(self._to._deliver, group, kind, copy)


@asynccontextmanager
async def second_process(rt: Runtime) -> AsyncIterator[Runtime]:
    """Another process besides `rt`. Both are in one presence."""
    other = Runtime()
    other.presence = rt.presence
    own, rt.bus, other.bus = rt.bus, Wire(other), Wire(rt)
    for starter in runtime._starters:
        starter(other)
    try:
        yield other
    finally:
        rt.bus = own
        with running(other):
            await other.stop()
        runtime._runtimes[rt.loop] = rt


@contextmanager
def running(rt: Runtime) -> Iterator[None]:
    """What is made in this block belongs to that process."""
    before = runtime._runtimes.get(rt.loop)
    runtime._runtimes[rt.loop] = rt
    yield
    if before is not None:
        runtime._runtimes[rt.loop] = before

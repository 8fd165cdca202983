"""The board of one process: the line as it was last looked at, told to everyone who waits here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final

from queue import events, metrics
from queue.selectors.line import LineView, view_line
from queue.services.commands import Joined
from realtime import runtime
from realtime.db import ask_database, unavailable
from realtime.outlet import Outlet

FRESH_S: Final = 2.0
"""Who comes is told of a line that was looked at no longer ago."""

_STATS_TICK_S = 0.1
_SHARD_PAUSE_S = 0.02


class Board:
    """One for each runtime. `services.door` looks at the line for it, again and again."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self.view: LineView | None = None
        self._put_up_s = rt.loop.time()
        self._look_now = asyncio.Event()
        self._shown_to = 0
        rt.spawn(self._tell_stats())

    @property
    def age_s(self) -> float:
        """Seconds since the line was looked at."""
        return self._runtime.loop.time() - self._put_up_s

    def put_up(self, view: LineView) -> None:
        """This is the line now."""
        self.view = view
        self._put_up_s = self._runtime.loop.time()
        metrics.WAITING.set(view.waiting)
        metrics.OCCUPIED.set(view.occupied)
        metrics.CAPACITY.set(view.policy.capacity)

    def look_soon(self) -> None:
        """There is reason to look at the line again."""
        self._look_now.set()

    async def wait(self, seconds: float) -> None:
        """Return when there is reason to look at the line, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._look_now.wait()
        self._look_now.clear()

    def show_to(self, outlet: Outlet, *, extended: bool) -> None:
        """Tell this connection the line's numbers from here on."""
        self._shown_to += 1
        group = events.group_of(self._shown_to % events.SHARDS, extended=extended)
        self._runtime.hub.join_here(group, outlet)

    async def ready(self) -> LineView:
        """The line as it was last looked at, at most a second or so ago.

        Raises:
            Refused: UNAVAILABLE while the database does not answer.
        """
        if self.view is None or self.age_s > FRESH_S:
            view = await ask_database(view_line)
            self.put_up(view)
            return view
        return self.view

    def stats(self, *, extended: bool) -> bytes:
        """The line's numbers, as last looked at."""
        view = self.view
        if view is None:
            raise unavailable()
        if not extended:
            return events.stats(head=view.head, tail=view.tail, avg_wait_ms=view.avg_wait_ms)
        return events.extended_stats(
            head=view.head,
            tail=view.tail,
            avg_wait_ms=view.avg_wait_ms,
            pace=view.pace,
            message=view.policy.message,
            paused=view.policy.paused,
            interval_s=view.policy.stats_interval_s,
            keep_s=view.policy.ticket_stale_s,
        )

    def heard_of(self, joined: Joined) -> None:
        """Somebody has just joined: what is known of the line is moved on to that moment."""
        if self.view is not None and joined.tail >= self.view.tail:
            active = max(1, self.view.active) if joined.head <= joined.tail else 0
            self.view = replace(self.view, head=joined.head, tail=joined.tail, active=active)

    def moved_to(self, position: int) -> None:
        """Somebody was moved to the front: that is where the line begins, though nobody has looked since."""
        if self.view is not None and position < self.view.head:
            self.view = replace(self.view, head=position)

    async def _tell_stats(self) -> None:
        """Send everyone the line's numbers, at intervals and when the policy changed, some at a time."""
        due_s, changed_at = 0.0, None
        while True:
            await asyncio.sleep(_STATS_TICK_S)
            now_s, view = self._runtime.loop.time(), self.view
            if view is None or (now_s < due_s and view.policy.changed_at == changed_at):
                continue
            due_s, changed_at = now_s + view.policy.stats_interval_s, view.policy.changed_at
            plain, extended = self.stats(extended=False), self.stats(extended=True)
            for shard in range(events.SHARDS):
                self._runtime.hub.deliver(events.group_of(shard, extended=False), plain)
                self._runtime.hub.deliver(events.group_of(shard, extended=True), extended)
                await asyncio.sleep(_SHARD_PAUSE_S)

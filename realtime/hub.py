"""Groups of connections in this process, and fan-out to them.

A connection never joins the channel layer itself. It joins a group of the hub, and the hub tells the
bus which groups have members here, so between processes one message per *process* travels, whatever
the number of connections.

Fan-out joins what is sent to a group within a short window into one write per connection: at once
when the group has been quiet, else once per window. A write costs far more than the bytes in it.

Order: what one group is sent arrives in that order, and a message sent to a single connection
arrives after everything its groups were sent before. Between two groups there is no order.

Groups are named ``<app>:<anything>``; the app is the label under which their messages are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from time import perf_counter
from typing import TYPE_CHECKING

from realtime.metrics import FANOUT_SECONDS, MESSAGES_OUT
from realtime.outlet import Batch, Outlet, Source

if TYPE_CHECKING:
    from realtime.bus import Bus

# Long enough to join what a busy group is sent, short enough that no person and no game notices.
WINDOW_S = 0.005


class Group:
    """Local members of one group and what waits to be sent to them."""

    __slots__ = (
        "_count_out",
        "_cursors",
        "_loop",
        "_next_flush",
        "_pending",
        "_scheduled",
        "members",
        "name",
    )

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._count_out = MESSAGES_OUT.labels(app=name.partition(":")[0])
        self.members: dict[str, Outlet] = {}
        self._loop = loop
        self._pending: list[bytes] = []
        # How much of `_pending` a member has had already, or joined too late for.
        self._cursors: dict[Outlet, int] = {}
        self._next_flush = 0.0
        self._scheduled: asyncio.TimerHandle | None = None

    def add(self, outlet: Outlet) -> None:
        self.members[outlet.id] = outlet
        outlet.groups += (self,)
        if self._pending:
            self._cursors[outlet] = len(self._pending)

    def discard(self, outlet: Outlet) -> None:
        if self.members.get(outlet.id) is outlet:
            del self.members[outlet.id]
            self._cursors.pop(outlet, None)
            outlet.groups = tuple(group for group in outlet.groups if group is not self)

    def send(self, head: bytes, excluded: Collection[str] = ()) -> None:
        """Send to all members but the excluded: now if the group was quiet, else at the window's end."""
        for member_id in excluded:
            if (outlet := self.members.get(member_id)) is not None:
                self.catch_up(outlet)
                self._cursors[outlet] = len(self._pending) + 1
        self._pending.append(head)
        if self._scheduled is None:
            if self._loop.time() >= self._next_flush:
                self.flush()
            else:
                self._scheduled = self._loop.call_at(self._next_flush, self.flush)

    def send_to(self, head: bytes, members: Collection[str]) -> None:
        """Send to those of the given members that are here."""
        batch = Batch((head,))
        for member_id in members:
            if (outlet := self.members.get(member_id)) is not None:
                self.catch_up(outlet)
                outlet.deliver(batch)
                self._count_out.inc()

    def catch_up(self, outlet: Outlet) -> None:
        """Deliver what waits for this member now, ahead of the window."""
        if self._pending:
            start = self._cursors.get(outlet, 0)
            self._cursors[outlet] = len(self._pending)
            if start < len(self._pending):
                outlet.deliver(Batch(self._pending[start:]))

    def flush(self) -> None:
        """Deliver what waits to everyone."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        if not self._pending:
            return
        started = perf_counter()
        heads, self._pending = self._pending, []
        batch = Batch(heads)
        if self._cursors:
            cursors, self._cursors = self._cursors, {}
            for outlet in self.members.values():
                start = cursors.get(outlet, 0)
                if start == 0:
                    outlet.deliver(batch)
                elif start < len(heads):
                    outlet.deliver(Batch(heads[start:]))
        else:
            for outlet in self.members.values():
                outlet.deliver(batch)
        took = perf_counter() - started
        self._count_out.inc(len(heads) * len(self.members))
        FANOUT_SECONDS.observe(took)
        # From the end of this one: a fan-out that takes longer than the window would otherwise be
        # followed by the next at once, with nothing joined and no time left for anything else.
        self._next_flush = self._loop.time() + WINDOW_S


class Hub:
    """All groups of one process. One hub for each event loop; not thread-safe."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bus: Bus) -> None:
        self._loop = loop
        self._bus = bus
        self.groups: dict[str, Group] = {}

    async def join(self, name: str, outlet: Outlet) -> None:
        """Make `outlet` a member. When this returns, messages of all processes reach it.

        With the bus down it returns as well: the connection is served by this process alone until
        the bus is back, and is then brought up to date by its service's resync.
        """
        if name not in self.groups:
            self._bus.subscribe(name)
        self.join_here(name, outlet)
        await self._bus.subscribed(name)

    def join_here(self, name: str, outlet: Outlet) -> None:
        """Make `outlet` a member of a group that this process alone sends to, without waiting.

        For services whose processes each follow a journal (`realtime.journal`) and tell their own members.
        """
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name, self._loop)
        group.add(outlet)

    def leave(self, outlet: Outlet) -> None:
        """Take `outlet` out of every group it is in."""
        for source in outlet.groups:
            self._leave(source, outlet)

    def leave_group(self, name: str, outlet: Outlet) -> None:
        """Take `outlet` out of one group, after what that owes it; nothing if it is not in it."""
        for source in outlet.groups:
            if source.name == name:
                source.catch_up(outlet)
                self._leave(source, outlet)

    def _leave(self, source: Source, outlet: Outlet) -> None:
        source.discard(outlet)
        group = self.groups.get(source.name)
        if group is source and not group.members:
            del self.groups[group.name]
            self._bus.unsubscribe(group.name)

    def deliver(
        self,
        name: str,
        head: bytes,
        *,
        only: Collection[str] | None = None,
        excluded: Collection[str] = (),
    ) -> None:
        """Send one message to the local members of a group; none is no error."""
        group = self.groups.get(name)
        if group is None:
            return
        if only is not None:
            group.send_to(head, only)
        else:
            group.send(head, excluded)

    def publish(
        self,
        name: str,
        head: bytes,
        *,
        only: Collection[str] | None = None,
        excluded: Collection[str] = (),
    ) -> None:
        """Send one message to a group's members in every process: the local ones directly."""
        self.deliver(name, head, only=only, excluded=excluded)
        self._bus.send(
            name,
            "deliver",
            {"head": head, "only": None if only is None else list(only), "excluded": list(excluded)},
        )

    def on_deliver(self, name: str, message: dict[str, object]) -> None:
        """Handler of the bus message `publish` sends."""
        self.deliver(name, message["head"], only=message["only"], excluded=message["excluded"])  # type: ignore[arg-type]

    def flush(self) -> None:
        """Deliver everything that waits, for example before the process leaves."""
        for group in self.groups.values():
            group.flush()

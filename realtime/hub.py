"""Groups of connections in this process, and fan-out to them.

A connection never joins the channel layer itself. It joins a group of the hub, and the hub tells the
bus which groups have members here, so between processes one message per *process* travels, whatever
the number of connections.

Fan-out joins what is sent to a group within a short window into one write per connection: at once
when the group has been quiet, else once per window. A write costs far more than the bytes in it.

Order: what one group is sent arrives in that order, and a message sent to a single connection
arrives after everything its groups were sent before. Between two groups there is no order, unless
they share a window.

Groups are named ``<app>:<anything>``; the app is the label under which their messages are counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from realtime.metrics import FANOUT_SECONDS, MESSAGES_OUT
from realtime.outlet import Batch, Outlet, Source

if TYPE_CHECKING:
    from realtime.bus import Bus

# Long enough to join what a busy group is sent, short enough that no person and no game notices.
WINDOW_S = 0.005


class Window:
    """What waits to be sent to the members of a group, or of several that keep one order.

    At most once in a window's time each member gets, in one write, what its groups were sent since the last.
    """

    __slots__ = ("_cursors", "_loop", "_next_flush", "_pending", "_scheduled")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pending: list[tuple[Group, bytes]] = []
        # How much of `_pending` a member has had already, or joined too late for.
        self._cursors: dict[Outlet, int] = {}
        self._next_flush = 0.0
        self._scheduled: asyncio.TimerHandle | None = None

    def send(self, group: Group, head: bytes) -> None:
        """Send to a group's members: now if it was quiet, else at the window's end."""
        self._pending.append((group, head))
        if self._scheduled is None:
            if self._loop.time() >= self._next_flush:
                self.flush()
            else:
                self._scheduled = self._loop.call_at(self._next_flush, self.flush)

    def catch_up(self, outlet: Outlet) -> None:
        """Deliver what waits for this outlet now, ahead of the end."""
        if self._pending:
            start = self._cursors.get(outlet, 0)
            self._cursors[outlet] = len(self._pending)
            if heads := [head for group, head in self._pending[start:] if group in outlet.groups]:
                outlet.deliver(Batch(heads))

    def pass_over_next(self, outlet: Outlet) -> None:
        """The next message is not for this outlet; what waits for it is delivered now."""
        self.catch_up(outlet)
        self._cursors[outlet] = len(self._pending) + 1

    def flush(self) -> None:
        """Deliver what waits to everyone."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        if not self._pending:
            return
        started = perf_counter()
        pending, self._pending = self._pending, []
        cursors, self._cursors = self._cursors, {}
        groups = Counter(group for group, _ in pending)
        if len(groups) == 1:
            _deliver_to_one(next(iter(groups)), [head for _, head in pending], cursors)
        else:
            _deliver_to_several(groups, pending, cursors)
        took = perf_counter() - started
        for group, count in groups.items():
            group.count_out.inc(count * len(group.members))
        FANOUT_SECONDS.observe(took)
        # From the end of this one: a fan-out that takes longer than the window would otherwise be
        # followed by the next at once, with nothing joined and no time left for anything else.
        self._next_flush = self._loop.time() + WINDOW_S


def _deliver_to_one(group: Group, heads: list[bytes], cursors: Mapping[Outlet, int]) -> None:
    batch = Batch(heads)
    if not cursors:
        for outlet in group.members.values():
            outlet.deliver(batch)
        return
    for outlet in group.members.values():
        start = cursors.get(outlet, 0)
        if start == 0:
            outlet.deliver(batch)
        elif start < len(heads):
            outlet.deliver(Batch(heads[start:]))


def _deliver_to_several(
    groups: Collection[Group], pending: Sequence[tuple[Group, bytes]], cursors: Mapping[Outlet, int]
) -> None:
    """To each member what its groups were sent, in order; those who share them share a batch."""
    batches: dict[tuple[tuple[Source, ...], int], Batch] = {}
    for group in groups:
        for outlet in group.members.values():
            # Whoever is in thousands of groups must not cost a look at each of them every few milliseconds.
            few, many = sorted((groups, outlet.groups), key=len)
            mine = tuple(one for one in few if one in many)
            if mine[0] is not group:
                continue  # its turn is with another of its groups
            key = (mine, cursors.get(outlet, 0))
            batch = batches.get(key)
            if batch is None:
                heads = [head for sent_to, head in pending[key[1] :] if sent_to in mine]
                batch = batches[key] = Batch(heads)
            if batch.heads:
                outlet.deliver(batch)


class Group:
    """Local members of one group. Groups that share a `window` keep one order."""

    __slots__ = ("count_out", "members", "name", "window")

    def __init__(self, name: str, window: Window) -> None:
        self.name = name
        self.window = window
        self.count_out = MESSAGES_OUT.labels(app=name.partition(":")[0])
        self.members: dict[str, Outlet] = {}

    def add(self, outlet: Outlet) -> None:
        # What waits now is for those who are members already.
        self.window.catch_up(outlet)
        self.members[outlet.id] = outlet
        outlet.joined(self)

    def discard(self, outlet: Outlet) -> None:
        if self.members.get(outlet.id) is outlet:
            del self.members[outlet.id]
            outlet.left(self)

    def send(self, head: bytes, excluded: Collection[str] = ()) -> None:
        """Send to all members but the excluded: now if the window was quiet, else at its end."""
        for member_id in excluded:
            if (outlet := self.members.get(member_id)) is not None:
                self.window.pass_over_next(outlet)
        self.window.send(self, head)

    def send_to(self, head: bytes, members: Collection[str]) -> None:
        """Send to those of the given members that are here."""
        batch = Batch((head,))
        for member_id in members:
            if (outlet := self.members.get(member_id)) is not None:
                self.catch_up(outlet)
                outlet.deliver(batch)
                self.count_out.inc()

    def catch_up(self, outlet: Outlet) -> None:
        """Deliver what waits for this member now, ahead of the window's end."""
        self.window.catch_up(outlet)

    def flush(self) -> None:
        """Deliver what waits to everyone, also what waits for the other groups of the window."""
        self.window.flush()


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

    def join_here(self, name: str, outlet: Outlet, window: Window | None = None) -> None:
        """Make `outlet` a member of a group that this process alone sends to, without waiting.

        For services whose processes each follow a journal (`realtime.journal`) and tell their own members.

        Args:
            window: one that other groups have as well, if all of them are to keep one order.
        """
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name, window or Window(self._loop))
        group.add(outlet)

    def leave(self, outlet: Outlet) -> None:
        """Take `outlet` out of every group it is in."""
        for source in list(outlet.groups):
            self._leave(source, outlet)

    def leave_group(self, name: str, outlet: Outlet) -> None:
        """Take `outlet` out of one group, after what that owes it; nothing if it is not in it."""
        source = self.groups.get(name)
        if source is not None and source in outlet.groups:
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

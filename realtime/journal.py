"""Following a numbered journal: every process sees the same entries in the same order, none missing.

Core. A service that writes its changes as entries numbered without gaps, in an order in which they also
become visible (the number comes from a row that stays locked until the commit), has in each process a
`Follower`: a place in the journal. The next entry is delivered as it is offered; a later one waits while
the missing ones are read. So a message on the bus is only a hint: one that is lost, doubled or late
delays, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from django.db import InterfaceError, OperationalError

from realtime.db import in_db_thread
from realtime.logs import get_logger
from realtime.tasks import OnDemand

if TYPE_CHECKING:
    from realtime.runtime import Runtime

log = get_logger(__name__)

# How long a hint that was lost on the bus may delay the last entry of a burst.
CHECK_INTERVAL_S = 2.0
READ_LIMIT = 500


class Numbered(Protocol):
    """An entry: its place in the journal is a number."""

    @property
    def seq(self) -> int: ...


Entry = TypeVar("Entry", bound=Numbered)


class Follower(Generic[Entry]):
    """One process's place in a journal. Does nothing until `start_at`.

    Args:
        read: gives the entries after a place, in order, at most so many. Runs in a database thread.
        deliver: called on the event loop with each entry, in order.
    """

    def __init__(
        self,
        rt: Runtime,
        *,
        read: Callable[[int, int], Sequence[Entry]],
        deliver: Callable[[Entry], None],
    ) -> None:
        self._runtime = rt
        self._read = read
        self._deliver = deliver
        self._early: dict[int, Entry] = {}
        self._reading = OnDemand(rt.spawn, self._try_to_catch_up)
        self.started = False
        # The number of the entry delivered last.
        self.seq = 0

    def start_at(self, seq: int) -> None:
        """Everything up to `seq` is known; follow from there."""
        self.seq = seq
        self.started = True
        self._runtime.bus.on_resync(self.catch_up_soon)
        self._runtime.every(CHECK_INTERVAL_S, self._check)
        # What came between the reading of `seq` and now was offered to nobody.
        self.catch_up_soon()

    def offer(self, entry: Entry) -> None:
        """The entry exists, and is delivered when its turn comes."""
        if not self.started or entry.seq <= self.seq:
            return
        if entry.seq == self.seq + 1:
            self._advance(entry)
            self._drain()
        else:
            self._early[entry.seq] = entry
            self.catch_up_soon()

    def catch_up_soon(self) -> None:
        """Have `catch_up` run beside what goes on, once at a time; again if it is under way already."""
        self._reading.soon()

    async def catch_up(self) -> None:
        """Deliver whatever is committed by now. One query, and more if that brings much."""
        if not self.started:
            return
        while True:
            entries = await in_db_thread(self._read, self.seq, READ_LIMIT)
            for entry in entries:
                # Offered meanwhile, perhaps.
                if entry.seq == self.seq + 1:
                    self._advance(entry)
            self._drain()
            if len(entries) < READ_LIMIT:
                return

    async def _check(self) -> None:
        self.catch_up_soon()

    async def _try_to_catch_up(self) -> None:
        try:
            await self.catch_up()
        except (OperationalError, InterfaceError) as error:
            # The next check tries again; what was committed is not lost.
            log.warning("journal.not_read", error=type(error).__name__)

    def _drain(self) -> None:
        while (entry := self._early.pop(self.seq + 1, None)) is not None:
            self._advance(entry)
        if self._early and min(self._early) <= self.seq:
            self._early = {seq: entry for seq, entry in self._early.items() if seq > self.seq}

    def _advance(self, entry: Entry) -> None:
        self.seq = entry.seq
        try:
            self._deliver(entry)
        except Exception:
            # One entry that cannot be told must not keep everybody from all that follow.
            log.exception("journal.delivery_failed", seq=entry.seq)

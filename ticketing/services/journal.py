"""Changing the desk: one change after the other, each with its entry in the journal.

::

    with change() as journal:
        ...  # read, decide, write
        return journal.record("claimed", ticket=ticket, pick=pick)

`change` locks the journal until the commit, so what is read inside is still true when it is committed.
Changes nest: those of one batch (`ticketing.services.live`) share the lock and the commit, and one that
fails takes back only its own part. After the commit every process is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from realtime import runtime
from realtime.db import lock_only_row
from ticketing.models import Journal, Pick, Staff, Table, Ticket, TicketEvent
from ticketing.rules import Entry
from ticketing.selectors.floor import entry_of

ENTRIES = "ticketing.entries"
"""The bus message after a commit: ``{"entries": msgpack of a list of Entry}``. A hint, like all of them."""

_ONLY_ROW = 1


class Ledger:
    """The entries of one transaction."""

    def __init__(self, last_seq: int) -> None:
        self.now: datetime = timezone.now()
        self.events: list[TicketEvent] = []
        self.entries: list[Entry] = []
        self._first_seq = last_seq + 1

    def record(
        self,
        kind: str,
        *,
        ticket: Ticket | None = None,
        pick: Pick | None = None,
        staff: Staff | None = None,
        table: Table | None = None,
        left_table: Table | None = None,
        actor: str = "",
        origin: str = "",
    ) -> Entry:
        """Add an entry. `staff` and `table` are those of `pick` unless given."""
        event = TicketEvent(
            seq=self.next_seq,
            kind=kind,
            at=self.now,
            ticket=ticket,
            pick=pick,
            staff=staff or (pick.staff if pick else None),
            table=table or (pick.table if pick else None),
            left_table=left_table,
            actor=actor[:100],
            origin=origin,
        )
        entry = entry_of(event)
        self.events.append(event)
        self.entries.append(entry)
        return entry

    @property
    def today(self) -> date:
        """The day at the desk, by which tickets are numbered."""
        return self.now.astimezone(ZoneInfo(settings.TICKETING_TIME_ZONE)).date()

    @property
    def next_seq(self) -> int:
        """The number the next entry gets."""
        return self._first_seq + len(self.events)

    def write(self) -> None:
        """Insert the entries and move the numbering on. Two queries."""
        if self.events:
            TicketEvent.objects.bulk_create(self.events)
            Journal.objects.filter(pk=_ONLY_ROW).update(last_seq=self.events[-1].seq)

    def forget_after(self, count: int) -> None:
        """Take back all but the first `count` entries."""
        del self.events[count:]
        del self.entries[count:]


_ledger: ContextVar[Ledger | None] = ContextVar("ticketing_ledger", default=None)


@contextmanager
def change() -> Iterator[Ledger]:
    """A transaction that changes the desk. One query to lock the journal, two to write it."""
    ledger = _ledger.get()
    if ledger is not None:
        count = len(ledger.events)
        try:
            with transaction.atomic():
                yield ledger
        except BaseException:
            ledger.forget_after(count)
            raise
        return
    with transaction.atomic():
        ledger = Ledger(lock_only_row(Journal).last_seq)
        token = _ledger.set(ledger)
        try:
            yield ledger
        finally:
            _ledger.reset(token)
        ledger.write()
        if ledger.entries:
            hint = msgspec.msgpack.encode(ledger.entries)
            # Robust: what fails here must not look as if the commit had.
            transaction.on_commit(lambda: announce(hint), robust=True)


def announce(hint: bytes) -> None:
    """Tell every process that these entries are committed."""
    runtime.send_from_thread(runtime.EVERY_PROCESS, ENTRIES, {"entries": hint})

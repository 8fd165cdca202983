"""Changes that are told in order: each is a transaction with its entries in a journal, one after the other.

Core. A service keeps one row (`LedgerRow`) with the last id and the last number it gave. Whoever changes
something locks that row first, and holds it until the commit. So ids and entries become visible in their
order, in any number of processes, and every process may follow the journal (`realtime.journal`).

::

    with change() as pages:
        ...  # read, decide, write, with ids from pages.new_id()
        pages.record(JournalEntry(...), Entry(...))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Generic, TypeVar

from django.db import models, transaction
from django.utils import timezone

from realtime.db import lock_only_row
from realtime.ids import next_time_id


class LedgerRow(models.Model):
    """The last id and the last number of the journal. Only ever one row."""

    last_id = models.BigIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return "The ledger"


Entry = TypeVar("Entry")


class Pages(Generic[Entry]):
    """The entries of one transaction, and its ids."""

    def __init__(self, ledger: LedgerRow) -> None:
        self.now: datetime = timezone.now()
        self.entries: list[Entry] = []
        self._ledger = ledger
        self._rows: list[models.Model] = []

    def new_id(self, count: int = 1) -> int:
        """An id that nobody has had; the first of `count` in a row."""
        first = next_time_id(self._ledger.last_id, int(self.now.timestamp() * 1_000))
        self._ledger.last_id = first + count - 1
        return first

    def next_seq(self) -> int:
        """The place of the next entry."""
        return self._ledger.last_seq + 1

    def record(self, row: models.Model, entry: Entry) -> None:
        """Add what goes to `next_seq`: as a row, and as it is told."""
        self._ledger.last_seq += 1
        self._rows.append(row)
        self.entries.append(entry)

    def write(self) -> None:
        """Insert the entries and move the ledger on. Two queries."""
        if self._rows:
            type(self._rows[0])._default_manager.bulk_create(self._rows)
        self._ledger.save()


@contextmanager
def change(ledger: type[LedgerRow], announce: Callable[[list[Entry]], None]) -> Iterator[Pages[Entry]]:
    """A transaction that changes a service. One query to lock its ledger, two to write it.

    Args:
        announce: tells every process of the entries, after the commit. What fails there fails nothing else.
    """
    with transaction.atomic():
        pages: Pages[Entry] = Pages(lock_only_row(ledger))
        yield pages
        pages.write()
        if pages.entries:
            transaction.on_commit(lambda: announce(pages.entries), robust=True)

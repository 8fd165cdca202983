"""Changing the gateway: one change after the other, each with its entries in the journal.

::

    with change() as ledger:
        ...  # read, decide, write, with ids from ledger.new_id()
        ledger.record("message", channel=channel, message=message)

`change` locks the ledger until the commit: ids and entries become visible in their order, in any number of
processes. After the commit every process is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from gateway.models import JournalEntry, Ledger
from gateway.rules import Entry, next_id
from gateway.selectors.messages import entry_of
from realtime import runtime
from realtime.db import lock_only_row

ENTRIES = "gateway.entries"
"""The bus message after a commit: ``{"entries": msgpack of a list of Entry}``. A hint, like all of them."""


class Pages:
    """The entries of one transaction, and its ids."""

    def __init__(self, ledger: Ledger) -> None:
        self.now: datetime = timezone.now()
        self.entries: list[Entry] = []
        self._ledger = ledger
        self._rows: list[JournalEntry] = []

    def new_id(self) -> int:
        """An id that nobody has had."""
        self._ledger.last_id = next_id(self._ledger.last_id, int(self.now.timestamp() * 1_000))
        return self._ledger.last_id

    def record(self, kind: str, **fields: Any) -> Entry:
        """Add an entry. Its rows must be in the database when the change ends."""
        self._ledger.last_seq += 1
        row = JournalEntry(seq=self._ledger.last_seq, kind=kind, **fields)
        entry = entry_of(row)
        self._rows.append(row)
        self.entries.append(entry)
        return entry

    def write(self) -> None:
        """Insert the entries and move the ledger on. Two queries."""
        JournalEntry.objects.bulk_create(self._rows)
        self._ledger.save()


@contextmanager
def change() -> Iterator[Pages]:
    """A transaction that changes the gateway. One query to lock the ledger, two to write it."""
    with transaction.atomic():
        pages = Pages(lock_only_row(Ledger))
        yield pages
        pages.write()
        if pages.entries:
            hint = msgspec.msgpack.encode(pages.entries)
            # Robust: what fails here must not look as if the commit had.
            transaction.on_commit(lambda: announce(hint), robust=True)


def announce(hint: bytes) -> None:
    """Tell every process that these entries are committed."""
    runtime.send_from_thread(runtime.EVERY_PROCESS, ENTRIES, {"entries": hint})

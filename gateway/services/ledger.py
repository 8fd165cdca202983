"""Changing the gateway: one change after the other, each with its entries in the journal.

::

    with change() as pages:
        ...  # read, decide, write, with ids from pages.new_id()
        record(pages, "message", channel=channel, message=message)

`change` locks the ledger until the commit (`realtime.ledger`). After it every process is told.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import msgspec

from gateway.models import JournalEntry, Ledger
from gateway.rules import Entry
from gateway.selectors.messages import entry_of
from realtime import ledger, runtime

ENTRIES = "gateway.entries"
"""The bus message after a commit: ``{"entries": msgpack of a list of Entry}``. A hint, like all of them."""

Pages: TypeAlias = ledger.Pages[Entry]


def change() -> AbstractContextManager[Pages]:
    """A transaction that changes the gateway. One query to lock the ledger, two to write it."""
    return ledger.change(Ledger, announce)


def record(pages: Pages, kind: str, **fields: Any) -> None:
    """Add an entry. Its rows must be in the database when the change ends."""
    row = JournalEntry(seq=pages.next_seq(), kind=kind, **fields)
    pages.record(row, entry_of(row))


def announce(entries: list[Entry]) -> None:
    """Tell every process that these entries are committed."""
    hint = msgspec.msgpack.encode(entries)
    runtime.send_from_thread(runtime.EVERY_PROCESS, ENTRIES, {"entries": hint})

"""Changing what the notifications keep: one change after the other, each with its entries in the journal.

`change` locks the ledger until the commit (`realtime.ledger`). After it every process is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, TypeAlias

import msgspec

from notifications import models
from notifications.rules import Entry
from realtime import ledger, runtime

ENTRIES: Final = "notifications.entries"
"""The bus message after a commit: ``{"entries": msgpack of a list of Entry}``. A hint, like all of them."""

_MAX_HINT_BYTES: Final = 256 * 1024

Pages: TypeAlias = ledger.Pages[Entry]


def change() -> AbstractContextManager[Pages]:
    """A transaction that changes something. One query to lock the ledger, two to write it."""
    return ledger.change(models.Ledger, announce)


def announce(entries: list[Entry]) -> None:
    """Tell every process that these entries are committed."""
    for hint in _hints(entries):
        runtime.send_from_thread(runtime.EVERY_PROCESS, ENTRIES, {"entries": hint})


def _hints(entries: list[Entry]) -> Iterator[bytes]:
    """Lists of entries, of about that size. An entry is never divided."""
    encoded = [msgspec.msgpack.encode(entry) for entry in entries]
    waiting: list[msgspec.Raw] = []
    size = 0
    for entry in encoded:
        if waiting and size + len(entry) > _MAX_HINT_BYTES:
            yield msgspec.msgpack.encode(waiting)
            waiting, size = [], 0
        waiting.append(msgspec.Raw(entry))
        size += len(entry)
    if waiting:
        yield msgspec.msgpack.encode(waiting)

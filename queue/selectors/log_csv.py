"""The admission log as rows of a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from django.db.models import QuerySet

from queue.models import LogEntry

CHUNK_ROWS: Final = 2_000

COLUMNS: Final = (
    *("seq", "at", "kind", "reason", "position", "ticket", "client", "platform"),
    *("occupied", "capacity", "line_left", "note"),
)
_FIELDS: Final = (
    *("seq", "at", "kind", "reason", "position", "ticket_id", "ticket__client_id", "ticket__platform"),
    *("occupied", "capacity", "line_left", "note"),
)


def log_csv_rows(entries: QuerySet[LogEntry]) -> Iterator[list[str]]:
    """Rows of an export, in order, without the header (`COLUMNS`). Times are UTC; nothing is an empty cell.

    `entries` must not be sliced; its order is replaced. A query for each `CHUNK_ROWS` rows, so that an
    export of weeks holds neither a connection nor its rows.
    """
    last_seq = 0
    while True:
        chunk = entries.filter(seq__gt=last_seq).order_by("seq").values_list(*_FIELDS)[:CHUNK_ROWS]
        found = list(chunk)
        for seq, at, *others in found:
            last_seq = seq
            moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
            yield [str(seq), moment, *("" if value is None else str(value) for value in others)]
        if len(found) < CHUNK_ROWS:
            return

"""Tables for download as CSV (RFC 4180), for the faces: safe in a spreadsheet, and never whole in memory.

Core. What people typed may look like a formula, which a spreadsheet would compute when it opens the file;
such a cell gets an apostrophe in front, which spreadsheets take as "this is text".
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice

from django.http import StreamingHttpResponse

from realtime.db import in_db_thread

# Rows encoded and sent at a time: some ten kilobytes.
_ROWS_AT_ONCE = 250

# What starts a formula in one spreadsheet or another, full-width forms too; spaces before it do not help.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def csv_response(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> StreamingHttpResponse:
    """Answer with a file. `rows` may query the database as it goes: it is driven in database threads.

    The file has no byte order mark. `filename` is ours: plain ASCII without quotes.
    """
    return StreamingHttpResponse(
        _chunks(header, rows),
        content_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store",
            # Buffering proxies would hold a long file back.
            "X-Accel-Buffering": "no",
        },
    )


def guarded(cell: str) -> str:
    """`cell` as text that no spreadsheet computes."""
    return "'" + cell if cell.lstrip(" ")[:1] in _FORMULA else cell


async def _chunks(header: Sequence[str], rows: Iterable[Sequence[str]]) -> AsyncIterator[bytes]:
    waiting = iter(rows)

    def next_chunk() -> list[Sequence[str]]:
        return list(islice(waiting, _ROWS_AT_ONCE))

    yield _encoded([header])
    while chunk := await in_db_thread(next_chunk):
        yield _encoded(chunk)


def _encoded(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode()

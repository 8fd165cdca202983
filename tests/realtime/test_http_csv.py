"""CSV for download: what spreadsheets would compute, and how a long one is sent."""

import csv
import io
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.http_csv import csv_response, guarded


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "  =1"]
)
def test_what_a_spreadsheet_would_compute_is_text(cell: str):
    assert guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", " ", "Ada", "A-001", "2026-06-01", "12", "ada+desk@example.org", "'=1"])
def test_everything_else_stays_as_it_is(cell: str):
    assert guarded(cell) == cell


async def read(rows: Iterator[list[str]] | list[list[str]]) -> list[bytes]:
    return [chunk async for chunk in csv_response("x.csv", ["a", "b"], rows)]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), max_size=3))
async def test_what_is_read_back_is_what_was_written(rows: list[list[str]]):
    text = b"".join(await read(rows)).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "b"],
        *([guarded(cell) for cell in row] for row in rows),
    ]


async def test_rows_are_asked_for_in_other_threads_and_in_pieces():
    threads = set()
    asked = [0]

    def rows() -> Iterator[list[str]]:
        for number in range(1000):
            threads.add(threading.current_thread().name)
            asked[0] = number
            yield ["x", str(number)]

    response = aiter(csv_response("x.csv", ["a", "b"], rows()))
    assert await anext(response) == b"a,b\r\n"
    assert asked[0] == 0
    first = await anext(response)
    assert asked[0] < 500
    rest = [chunk async for chunk in response]
    assert b"".join([first, *rest]).count(b"\r\n") == 1000
    assert threading.current_thread().name not in threads

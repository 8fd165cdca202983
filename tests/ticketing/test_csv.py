"""Tickets as CSV: the file, its columns, what spreadsheets make of it, and what a long one costs."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.asgi import application
from realtime import runtime
from realtime.apikeys import create_api_key
from realtime.db import in_db_thread
from tests.ticketing.desk import Desk
from ticketing.models import Table, Ticket, TicketState
from ticketing.selectors import tickets as selectors
from ticketing.selectors.tickets import CSV_COLUMNS, csv_rows

DAY = datetime(2026, 6, 1, 6, 30, tzinfo=UTC)


def served(desk: Desk, name: str = "Ada", *, wait_s: float = 90, service_s: float = 300) -> Ticket:
    """A ticket that was completed on `DAY` by Ana at table 1."""
    ticket = Ticket.objects.get(pk=desk.ticket(name))
    ticket.day, ticket.created_at = DAY.date(), DAY
    ticket.claimed_at = DAY + timedelta(seconds=wait_s)
    ticket.ended_at = ticket.claimed_at + timedelta(seconds=service_s)
    ticket.state, ticket.staff = TicketState.COMPLETED, desk.ana
    ticket.table = Table.objects.get(number=1)
    ticket.save()
    return ticket


def rows(tickets: Any = None) -> list[dict[str, str]]:
    found = csv_rows(Ticket.objects.all() if tickets is None else tickets)
    return [dict(zip(CSV_COLUMNS, row, strict=True)) for row in found]


@pytest.mark.django_db
def test_what_is_told_of_a_ticket(desk: Desk, settings):
    settings.TICKETING_TIME_ZONE = "Europe/Berlin"
    ticket = served(desk)
    assert rows() == [
        {
            "number": "A-001",
            "id": str(ticket.pk),
            "state": "completed",
            "name": "Ada",
            "email": "ada@example.org",
            "day": "2026-06-01",
            "created": "2026-06-01T08:30:00+02:00",
            "called": "2026-06-01T08:31:30+02:00",
            "ended": "2026-06-01T08:36:30+02:00",
            "table": "1",
            "staff": "Ana",
            "wait_s": "90",
            "service_s": "300",
        }
    ]


@pytest.mark.django_db
def test_what_is_not_known_is_empty(desk: Desk):
    waiting = Ticket.objects.get(pk=desk.ticket("Ada"))
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, desk.ticket("Bob"))
    served(desk, "Cyd", wait_s=-5)  # the clock was set back
    Ticket.objects.filter(name="Cyd").update(state="no_show")
    ada, bob, cyd = rows()
    assert (ada["id"], ada["state"]) == (str(waiting.pk), "waiting")
    assert {ada[column] for column in ("called", "ended", "table", "staff", "wait_s", "service_s")} == {""}
    assert (bob["table"], bob["staff"], bob["ended"], bob["service_s"]) == ("0", "Ana", "", "")
    assert (cyd["wait_s"], cyd["service_s"]) == ("0", "")


@pytest.mark.django_db
def test_a_long_export_reads_in_pieces_and_in_order(desk: Desk, monkeypatch):
    monkeypatch.setattr(selectors, "CSV_CHUNK_ROWS", 4)
    ids = [desk.ticket(f"Visitor{number}") for number in range(9)]
    for count, queries in ((9, 3), (8, 3), (3, 1)):
        kept = Ticket.objects.filter(pk__in=ids[:count]).order_by("-name")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert [int(row["id"]) for row in rows(kept)] == ids[:count]
        assert len(asked) == queries


@pytest.mark.django_db
def test_rows_are_read_as_they_are_wanted(desk: Desk, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(selectors, "CSV_CHUNK_ROWS", 2)
    for number in range(5):
        desk.ticket(f"Visitor{number}")
    found = csv_rows(Ticket.objects.all())
    with django_assert_num_queries(1):
        next(found)
        next(found)


# --- The file -----------------------------------------------------------------------------------------


@pytest.fixture
async def site(transactional_db: None) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, with a key that reads. It ends with its runtime."""
    _, key = await in_db_thread(create_api_key, name="reader", scopes=["ticketing:read"])
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", headers=headers
    ) as client:
        yield client
    await runtime.current().stop()


def make_tickets() -> None:
    desk = Desk()
    for name in ("Ada, Countess", '=HYPERLINK("http://x")', "Zoë \u202e"):
        desk.ticket(name, "+visitor@example.org")
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, Ticket.objects.order_by("pk")[0].pk)


async def test_the_file(site: httpx.AsyncClient):
    await in_db_thread(make_tickets)
    response = await site.get("/api/ticketing/tickets.csv?state=waiting", headers={"Accept": "text/csv"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["content-disposition"] == 'attachment; filename="tickets.csv"'
    assert response.headers["cache-control"] == "no-store"
    assert response.content.endswith(b"\r\n")
    header, *lines = csv.reader(io.StringIO(response.content.decode(), newline=""))
    assert header == list(CSV_COLUMNS)
    assert [line[3] for line in lines] == ['\'=HYPERLINK("http://x")', "Zoë \u202e"]
    assert {line[4] for line in lines} == {"'+visitor@example.org"}


async def test_a_file_of_nothing_has_its_header(site: httpx.AsyncClient):
    response = await site.get("/api/ticketing/tickets.csv?from=2030-01-01")
    assert response.text == ",".join(CSV_COLUMNS) + "\r\n"


async def test_an_error_instead_of_a_file_is_json(site: httpx.AsyncClient):
    for headers, query, status in (
        ({}, "?state=late", 400),
        ({"Authorization": ""}, "", 401),
    ):
        response = await site.get(
            f"/api/ticketing/tickets.csv{query}", headers={"Accept": "text/csv"} | headers
        )
        assert response.status_code == status
        assert response.json()["success"] is False

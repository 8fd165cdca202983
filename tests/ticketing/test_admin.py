"""Tickets in the admin: finding them, looking at them, what a manager does to them, the file."""

import csv
import io
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from realtime.admin_filters import parse_days, write_days
from realtime.admin_times import duration
from tests.realtime.admin_pages import count_queries, page_of
from tests.ticketing.admin_pages import DEVICES, JOURNAL, STAFF, TABLES, TICKETS, VISITORS, labels
from tests.ticketing.desk import Desk
from ticketing.models import Table, Ticket, TicketEvent
from ticketing.selectors.figures import local_today
from ticketing.services.devices import create_device
from ticketing.services.people import issue_token
from ticketing.services.tickets import complete_ticket

pytestmark = pytest.mark.django_db


# --- Tickets: finding ------------------------------------------------------------------------------------


def test_the_list_says_what_one_asks_of_a_ticket(admin_client: Client, desk: Desk):
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, desk.ticket("Ada <b>"))
    desk.ticket("Grace")
    page = page_of(admin_client.get(TICKETS))
    assert labels(page) == ["A-002", "A-001"]
    assert "Ada &lt;b&gt;" in page
    assert "grace@example.org" in page
    assert "Waiting" in page
    assert "Being served" in page
    assert "Counter 1" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ada"}, ["A-001"]),
        ({"q": "GRACE@"}, ["A-002"]),
        ({"q": "a-2"}, ["A-002"]),
        ({"q": "3"}, ["B-003"]),
        ({"q": "B-3"}, ["B-003"]),
        ({"q": "nobody"}, []),
        ({"state__exact": "serving"}, ["A-001"]),
        ({"day": "today"}, ["A-002", "A-001"]),
        ({"day": "yesterday"}, ["B-003"]),
        ({"day": "week"}, ["B-003", "A-002", "A-001"]),
        ({"day": "1999-12-31"}, []),
        ({"day": "1999-12-31..2999-12-31"}, ["B-003", "A-002", "A-001"]),
        ({"day": "no day"}, []),
        ({"table__number": "1"}, ["A-001"]),
        ({"staff__id__exact": "ana"}, ["A-001"]),
        ({"table__id__exact": "1", "q": "grace"}, []),
    ],
    ids=str,
)
def test_tickets_are_found(admin_client: Client, desk: Desk, query: dict[str, str], found: list[str]):
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, desk.ticket("Ada"))
    desk.ticket("Grace")
    last = desk.ticket("Edsger", prefix="B")
    Ticket.objects.filter(pk=last).update(number=3, day=local_today() - timedelta(days=1))
    ids = {"ana": str(desk.ana.pk), "1": str(Table.objects.get(number=1).pk)}
    query = {
        name: ids.get(value, value) if name.endswith("__id__exact") else value
        for name, value in query.items()
    }
    assert labels(page_of(admin_client.get(TICKETS, query))) == found


def test_a_day_of_ones_own_keeps_the_other_filters(admin_client: Client, desk: Desk):
    page = page_of(
        admin_client.get(TICKETS, {"day": "2026-03-29", "state__exact": "waiting", "p": "3", "q": "a<"})
    )
    (form,) = [form for form in re.findall(r"<form.*?</form>", page) if 'type="date"' in form]
    assert 'name="state__exact" value="waiting"' in form
    assert 'name="q" value="a&lt;"' in form
    assert 'name="p"' not in form
    assert 'value="2026-03-29"' in form


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-03-29", (date(2026, 3, 29), date(2026, 3, 29))),
        ("2026-03-01..2026-03-29", (date(2026, 3, 1), date(2026, 3, 29))),
        ("2026-02-30", None),
        ("2026-03-01..", None),
        ("", None),
    ],
)
def test_days_in_addresses(text: str, days: tuple[date, date] | None):
    assert parse_days(text) == days
    if days:
        assert write_days(*days) == text


@pytest.mark.parametrize("path", [TICKETS, TABLES, STAFF, VISITORS, DEVICES, JOURNAL])
def test_long_lists_take_as_many_queries_as_short_ones(admin_client: Client, desk: Desk, path: str):
    def fill(*names: str) -> None:
        for number, name in enumerate(names, 10 * Table.objects.count()):
            person = desk.hire(name)
            Table.objects.create(number=number)
            desk.pick(person, number)
            desk.claim(person, desk.ticket(name))
            issue_token(staff=person)
            create_device(kind="kiosk", name=name)

    fill("Dora")
    admin_client.get(path)  # what is cached once is not counted
    few = count_queries(admin_client, path)
    fill("Elif", "Fritz", "Gul", "Hari")
    assert count_queries(admin_client, path) == few


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (260, "4 min 20 s"),
        (599.6, "10 min"),
        (3569, "59 min"),
        (3570.1, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_durations_as_one_would_say_them(seconds: float | None, words: str):
    assert duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == words


# --- Tickets: looking ------------------------------------------------------------------------------------


def test_the_timeline_tells_when_what_by_whom_and_where(admin_client: Client, desk: Desk, settings):
    settings.TICKETING_TIME_ZONE = "Asia/Kathmandu"
    ticket = desk.ticket("Ada", actor="Entrance kiosk")
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, ticket)
    admin_client.post(f"{TICKETS}{ticket}/release/")
    desk.pick(desk.ben, 2)
    desk.claim(desk.ben, ticket)
    complete_ticket(ticket_id=ticket, staff_id=desk.ben.pk)
    page = page_of(admin_client.get(f"{TICKETS}{ticket}/change/"))
    timeline = page[page.index("What happened to ticket A-001") :]
    cells = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", timeline)]
    rows = [cells[start : start + 5] for start in range(0, len(cells), 5)]
    assert [row[1:] for row in rows[1:]] == [
        ["Ticket taken", "Entrance kiosk", "–", "–"],
        ["Called", "Ana", "Ana", "Counter 1"],
        ["Back to the line", "admin", "Ana", "Counter 1"],
        ["Called", "Ben", "Ben", "Counter 2"],
        ["Completed", "Ben", "Ben", "Counter 2"],
    ]
    at = TicketEvent.objects.get(ticket=ticket, kind="created").at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert rows[1][0] == f"{at:%Y-%m-%d %H:%M:%S %Z}"


def test_a_waiting_ticket_has_a_place_in_the_line(admin_client: Client, desk: Desk):
    desk.ticket("Ada")
    assert "1 before it" in page_of(admin_client.get(f"{TICKETS}{desk.ticket('Grace')}/change/"))


def test_a_ticket_cannot_be_edited_added_or_deleted(admin_client: Client, desk: Desk):
    ticket = desk.ticket()
    change = f"{TICKETS}{ticket}/change/"
    assert "_save" not in page_of(admin_client.get(change))
    assert admin_client.post(change, {"state": "completed"}).status_code == 403
    for path in (f"{TICKETS}add/", f"{TICKETS}{ticket}/delete/"):
        assert admin_client.post(path, {"post": "yes"}).status_code == 403
    assert desk.state(ticket) == "waiting"


# --- Tickets: what a manager does ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "state", "kind"),
    [
        ("release", "waiting", "released"),
        ("complete", "completed", "completed"),
        ("cancel", "cancelled", "cancelled"),
    ],
)
def test_commands_go_through_the_journal(
    admin_client: Client, desk: Desk, command: str, state: str, kind: str, django_capture_on_commit_callbacks
):
    ticket = desk.ticket()
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, ticket)
    with django_capture_on_commit_callbacks() as callbacks:
        response = admin_client.post(f"{TICKETS}{ticket}/{command}/")
    assert response["Location"] == f"{TICKETS}{ticket}/change/"
    assert callbacks, "every process is told"
    assert desk.state(ticket) == state
    last = TicketEvent.objects.order_by("seq").last()
    assert last is not None
    assert (last.kind, last.actor, last.staff, last.table_id) == (
        kind,
        "admin",
        desk.ana,
        Table.objects.get(number=1).pk,
    )
    assert LogEntry.objects.get().object_repr == "A-001"


def test_a_refusal_is_said_and_keeps_nothing_from_the_others(admin_client: Client, desk: Desk):
    waiting, also, served = (desk.ticket(name) for name in ("Ada", "Grace", "Edsger"))
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, served)
    form = {"action": "release_selected", "_selected_action": [waiting, also, served]}
    page = page_of(admin_client.post(TICKETS, form, follow=True))
    assert "A-003 went back to its place in the line." in page
    assert "A-001, A-002: Nobody serves this ticket." in page
    assert desk.state(served) == "waiting"
    page = page_of(admin_client.post(f"{TICKETS}{waiting}/release/", follow=True))
    assert "A-001: Nobody serves this ticket." in page
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["A-003"]


def test_cancelling_asks_first(admin_client: Client, desk: Desk):
    tickets = [desk.ticket("Ada"), desk.ticket("Grace")]
    form = {"action": "cancel_selected", "_selected_action": tickets}
    page = page_of(admin_client.post(TICKETS, form))
    assert "Cancel 2 tickets?" in page
    assert "A-002 · Waiting" in page
    assert "Cancel: A-001?" in page_of(admin_client.get(f"{TICKETS}{tickets[0]}/cancel/"))
    assert [desk.state(ticket) for ticket in tickets] == ["waiting", "waiting"]
    hidden = dict(re.findall(r'type="hidden" name="(action|confirmed)" value="(\w+)"', page))
    assert admin_client.post(TICKETS, {**form, **hidden}).status_code == 302
    assert [desk.state(ticket) for ticket in tickets] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("state", "offered"), [("waiting", "cancel"), ("serving", "cancel complete release"), ("completed", "")]
)
def test_only_what_makes_sense_is_offered(admin_client: Client, desk: Desk, state: str, offered: str):
    ticket = desk.ticket()
    desk.pick(desk.ana, 1)
    if state != "waiting":
        desk.claim(desk.ana, ticket)
    if state == "completed":
        complete_ticket(ticket_id=ticket, staff_id=desk.ana.pk)
    page = page_of(admin_client.get(f"{TICKETS}{ticket}/change/"))
    links = re.findall(rf"{TICKETS}{ticket}/(release|complete|cancel)/\"", page)
    assert sorted(links) == offered.split()


# --- CSV -------------------------------------------------------------------------------------------------


async def test_the_list_as_a_file(transactional_db: None, desk: Desk):
    def fill() -> User:
        for name in ("=1+1", "Grace", "Edsger"):
            desk.ticket(name, email=f"{len(name)}@example.org")
        return User.objects.create_superuser("boss")

    client = AsyncClient()
    await client.aforce_login(await sync_to_async(fill)())
    response = await client.get(TICKETS + "export.csv", {"q": "@example.org", "o": "-1"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"] == f'attachment; filename="tickets-{local_today()}.csv"'
    content = b"".join([chunk async for chunk in response.streaming_content]).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["name"] for row in rows] == ["'=1+1", "Grace", "Edsger"]
    response = await client.get(TICKETS + "export.csv", {"q": "grace"})
    content = b"".join([chunk async for chunk in response.streaming_content]).decode()  # type: ignore[attr-defined]
    assert [row["number"] for row in csv.DictReader(io.StringIO(content))] == ["A-002"]


def test_the_link_to_the_file_keeps_the_filters(admin_client: Client, desk: Desk):
    page = page_of(admin_client.get(TICKETS, {"state__exact": "waiting", "q": 'a"b'}))
    assert f'href="{TICKETS}export.csv?state__exact=waiting&amp;q=a%22b"' in page
    assert admin_client.get(TICKETS + "export.csv", {"nonsense": "1"})["Location"] == TICKETS

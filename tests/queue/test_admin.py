"""Tickets, sessions, the log and the ids that never wait in the admin: finding, looking, doing, the file."""

from __future__ import annotations

import csv
import io
import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.models import LogEntry as AdminLogEntry
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from queue.admin.tickets import TicketAdmin
from queue.models import LogEntry, NeverWaits, Session, Ticket
from queue.selectors import log_csv
from queue.services.policy import save_never_waits
from queue.services.sessions import end_session
from tests.queue.admin_pages import LOG, NEVER_WAITS, SESSIONS, TICKETS, column, listed
from tests.queue.line import LineOfTests
from tests.realtime.admin_pages import count_queries, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Nobody is let in yet."""
    line = LineOfTests()
    line.policy(capacity=0)
    return line


def url_of(ticket: Ticket, command: str = "change") -> str:
    # The admin writes "_" of an id in its own pages' addresses as "_5F".
    return f"{TICKETS}{ticket.pk.replace('_', '_5F') if command == 'change' else ticket.pk}/{command}/"


# --- Tickets: finding ------------------------------------------------------------------------------------


def test_the_list_is_the_line_in_order(admin_client: Client, line: LineOfTests) -> None:
    line.join("ann", "ben", "cem <b>", "dan")
    line.leave("ben")
    admin_client.post(url_of(line.ticket("dan"), "front"))
    page = page_of(admin_client.get(TICKETS))
    assert listed(page) == ["dan", "ann", "ben", "cem &lt;b&gt;"]
    assert column(page, "ahead") == ["0", "1", "2", "3"]
    away = f"away since {line.ticket('ben').inactive_since:%H:%M:%S}"
    assert column(page, "connection_words") == ["connected", "connected", away, "connected"]
    assert set(column(page, "login")) == {"Device"}


def test_how_many_are_before_counts_those_of_other_pages(
    admin_client: Client, line: LineOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.join(*(f"c{number}" for number in range(7)))
    monkeypatch.setattr(TicketAdmin, "list_per_page", 3)
    assert column(page_of(admin_client.get(TICKETS, {"p": "2"})), "ahead") == ["3", "4", "5"]
    page = page_of(admin_client.get(TICKETS, {"q": "c6"}))
    assert column(page, "ahead") == ["6"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["ben", "cem", "dan"]),
        ({"state": "connected"}, ["cem"]),
        ({"state": "away"}, ["dan"]),
        ({"state": "admitted"}, ["ben"]),
        ({"state": "entered"}, ["ann"]),
        ({"state": "refused"}, []),
        ({"state": "all"}, ["dan", "cem", "ben", "ann"]),
        ({"q": "ann"}, ["ann"]),
        ({"q": " ann ", "state": "open"}, []),
        ({"q": "an"}, []),
        ({"platform": "web"}, ["ben", "cem", "dan"]),
        ({"platform": "ios"}, []),
    ],
    ids=str,
)
def test_tickets_are_found(
    admin_client: Client, line: LineOfTests, query: dict[str, str], found: list[str]
) -> None:
    line.join("ann", "ben", "cem", "dan")
    line.policy(capacity=2)
    line.enter("ann")
    line.leave("dan")
    assert listed(page_of(admin_client.get(TICKETS, query))) == found


def test_a_ticket_is_found_by_its_own_id(admin_client: Client, line: LineOfTests) -> None:
    ticket = line.join("ann", "ben")[1]
    assert listed(page_of(admin_client.get(TICKETS, {"q": ticket.pk}))) == ["ben"]


def test_a_platform_that_is_typed_keeps_the_other_filters(admin_client: Client, line: LineOfTests) -> None:
    page = page_of(admin_client.get(TICKETS, {"state": "away", "platform": 'a"b', "p": "1"}))
    (form,) = [form for form in re.findall(r"<form.*?</form>", page) if 'aria-label="Platform"' in form]
    assert 'name="state" value="away"' in form
    assert 'name="p"' not in form
    assert "a&quot;b" in form


@pytest.mark.parametrize(
    ("path", "queries"), [(TICKETS, 3), (SESSIONS, 1), (LOG, 1), (NEVER_WAITS, 2)], ids=lambda value: value
)
def test_long_lists_take_as_many_queries_as_short_ones(
    admin_client: Client, line: LineOfTests, path: str, queries: int
) -> None:
    def fill(*names: str) -> None:
        line.join(*(f"in {name}" for name in names))
        line.policy(capacity=100)
        for name in names:
            line.enter(f"in {name}")
            save_never_waits(client_id=f"vip {name}", note="")
        line.policy(capacity=0)
        line.join(*names)

    fill("ann")
    admin_client.get(path)  # what is cached once is not counted
    few = count_queries(admin_client, path)
    fill("ben", "cem", "dan", "eve")
    assert count_queries(admin_client, path) == few
    # The session, the user, the count of what is listed; and the list itself.
    assert few - queries == 3


# --- Tickets: looking ------------------------------------------------------------------------------------


def cells_after(page: str, label: str) -> list[str]:
    table = page[page.index(f'aria-label="{label}"') :].partition("</table>")[0]
    return [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", table)]


def test_the_page_says_who_went_first_and_why(admin_client: Client, line: LineOfTests) -> None:
    ticket = line.join("ann", "ben", "cem")[0]
    line.leave("ann")
    line.policy(capacity=1)
    admin_client.post(url_of(line.ticket("cem"), "admit"))
    page = page_of(admin_client.get(url_of(ticket)))
    cells = cells_after(page, "Who joined later and was admitted earlier")[4:]
    assert [cells[1], cells[5]] == ["ben", "cem"]
    assert cells[3].startswith("This one had no connection, since ")
    assert cells[7] == "The other was admitted by hand by admin."
    assert f'href="{url_of(line.ticket("ben"))}"' in page
    assert "passed over until its client is back" in page
    line.enter("ben")
    assert "Nobody: strictly in order." in page_of(admin_client.get(url_of(line.ticket("ben"))))


def test_a_ticket_whose_turn_is_to_come_is_in_order_so_far(admin_client: Client, line: LineOfTests) -> None:
    line.join("ann", "ben")
    page = page_of(admin_client.get(url_of(line.ticket("ben"))))
    assert "Nobody: strictly in order, so far." in page
    assert "1 before it" in page


def test_a_long_list_of_those_who_went_first_has_an_end(
    admin_client: Client, line: LineOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queue.admin.tickets.MAX_OVERTAKINGS", 2)
    line.join("ann", *(f"c{number}" for number in range(5)))
    line.leave("ann")
    line.policy(capacity=5)
    page = page_of(admin_client.get(url_of(line.ticket("ann"))))
    assert len(cells_after(page, "Who joined later and was admitted earlier")) == 3 * 4
    assert "And 3 more." in page


def test_the_timeline_tells_what_happened_in_order(admin_client: Client, line: LineOfTests) -> None:
    line.policy(capacity=1)
    line.join("ann", "ben")
    line.leave("ann")
    line.join("ann")
    admin_client.post(url_of(line.ticket("ann"), "front"))
    page = page_of(admin_client.get(url_of(line.ticket("ann"))))
    cells = cells_after(page, "What happened to the ticket")[4:]
    rows = [tuple(cells[start + 1 : start + 4]) for start in range(0, len(cells), 4)]
    assert rows == [
        ("Joined the line", "1", "–"),
        ("Admitted", "1", "It was their turn; 1 of 1 places taken then; others were left in line"),
        ("Put back in place", "1", "–"),
        ("Connection lost", "1", "–"),
        ("Came back", "1", "–"),
    ]


def test_a_ticket_cannot_be_edited_added_or_deleted(admin_client: Client, line: LineOfTests) -> None:
    (ticket,) = line.join("ann")
    assert "_save" not in page_of(admin_client.get(url_of(ticket)))
    assert admin_client.post(url_of(ticket), {"state": "entered"}).status_code == 403
    for path in (f"{TICKETS}add/", url_of(ticket).replace("change", "delete")):
        assert admin_client.post(path, {"post": "yes"}).status_code == 403
    assert line.states("ann") == ["waiting"]


# --- Tickets: an operator's hand -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "state", "kind", "words"),
    [
        ("admit", "admitted", "admitted", "Ticket 2 is being logged in."),
        ("front", "waiting", "moved", "Ticket 0 stands at the front now."),
        ("remove", "removed", "removed", "Ticket 2 was taken out of the line."),
    ],
)
def test_commands_ask_first_and_go_through_the_log(
    admin_client: Client,
    line: LineOfTests,
    command: str,
    state: str,
    kind: str,
    words: str,
    django_capture_on_commit_callbacks,
) -> None:
    ticket = line.join("ann", "ben")[1]
    before = line.log()
    asked = page_of(admin_client.get(url_of(ticket, command)))
    assert "Ticket 2 · ben · Waiting, connected" in asked
    assert line.log() == before
    with django_capture_on_commit_callbacks() as callbacks:
        response = admin_client.post(url_of(ticket, command))
    assert callbacks, "the process that holds the connection is told"
    assert response["Location"] == url_of(ticket)
    page = page_of(admin_client.get(response["Location"]))
    assert words.replace("Ticket 0", "Ticket 2") in page
    last = LogEntry.objects.order_by("seq").last()
    assert last is not None
    assert (last.kind, last.ticket_id, state) == (kind, ticket.pk, *line.states("ben"))
    assert last.note.endswith("by admin")
    assert AdminLogEntry.objects.get().object_id == ticket.pk


def test_a_refusal_is_said_and_keeps_nothing_from_the_others(admin_client: Client, line: LineOfTests) -> None:
    line.join("ann", "ben", "cem")
    line.leave("ben")
    ids = [line.ticket(client).pk for client in ("ann", "ben", "cem")]
    form = {"action": "admit", "_selected_action": ids}
    asked = page_of(admin_client.post(TICKETS, form))
    assert "Ticket 2 · ben · Waiting, away since" in asked
    assert line.states("ann", "ben", "cem") == ["waiting"] * 3
    hidden = dict(re.findall(r'type="hidden" name="(action|confirmed)" value="(\w+)"', asked))
    page = page_of(admin_client.post(TICKETS, {**form, **hidden}, follow=True))
    assert "Ticket 1, Ticket 3 is being logged in." in page
    assert "Ticket 2: This client is not connected; nobody could be told." in page
    assert line.states("ann", "ben", "cem") == ["admitted", "waiting", "admitted"]
    page = page_of(admin_client.post(url_of(line.ticket("ann"), "front"), follow=True))
    assert "Ticket 1: This ticket does not wait any more." in page


def test_several_that_are_moved_keep_their_order(admin_client: Client, line: LineOfTests) -> None:
    line.join("ann", "ben", "cem", "dan")
    form = {"action": "front", "confirmed": "yes"}
    admin_client.post(
        TICKETS, {**form, "_selected_action": [line.ticket(client).pk for client in ("cem", "dan")]}
    )
    assert listed(page_of(admin_client.get(TICKETS))) == ["cem", "dan", "ann", "ben"]


def test_an_id_that_looks_as_if_it_were_quoted_leads_back_to_its_page(admin_client: Client) -> None:
    Ticket.objects.create(
        ticket_id="a_5Fb", client_id="ann", platform="web", login_type=4, position=1, joined_at=timezone.now()
    )
    response = admin_client.post(f"{TICKETS}a_5Fb/remove/")
    assert response["Location"] == f"{TICKETS}a_5F5Fb/change/"
    assert "Ticket 1 was taken out of the line." in page_of(admin_client.get(response["Location"]))


def test_only_what_makes_sense_is_offered(admin_client: Client, line: LineOfTests) -> None:
    line.join("ann", "ben")
    line.leave("ben")

    def offered(client: str) -> list[str]:
        page = page_of(admin_client.get(url_of(line.ticket(client))))
        return re.findall(rf'href="{TICKETS}{line.ticket(client).pk}/(admit|front|remove)/"', page)

    assert offered("ann") == ["admit", "front", "remove"]
    assert offered("ben") == ["front", "remove"]
    admin_client.post(url_of(line.ticket("ann"), "remove"))
    assert offered("ann") == []


# --- Sessions --------------------------------------------------------------------------------------------


def session_url(session: Session, command: str = "change") -> str:
    pk = session.pk.replace("_", "_5F") if command == "change" else session.pk
    return f"{SESSIONS}{pk}/{command}/"


def test_sessions_that_are_alive_are_listed_first(admin_client: Client, line: LineOfTests) -> None:
    line.policy(capacity=9)
    line.join("ann", "ben", "cem")
    sessions = {client: line.enter(client) for client in ("ann", "ben", "cem")}
    end_session(session_id=sessions["cem"].pk, actor="the test")
    assert listed(page_of(admin_client.get(SESSIONS))) == ["ben", "ann"]
    assert listed(page_of(admin_client.get(SESSIONS, {"alive": "no"}))) == ["cem"]
    assert listed(page_of(admin_client.get(SESSIONS, {"alive": "all"}))) == ["ben", "ann", "cem"]
    assert listed(page_of(admin_client.get(SESSIONS, {"q": "cem"}))) == ["cem"]
    assert listed(page_of(admin_client.get(SESSIONS, {"q": sessions["ann"].pk}))) == ["ann"]


def test_ending_a_session_lets_the_next_in(admin_client: Client, line: LineOfTests) -> None:
    line.policy(capacity=1)
    line.join("ann", "ben")
    session = line.enter("ann")
    assert f'href="{session_url(session, "end")}"' in page_of(admin_client.get(session_url(session)))
    assert "ann · web · since" in page_of(admin_client.get(session_url(session, "end")))
    page = page_of(admin_client.post(session_url(session, "end"), follow=True))
    assert f"Session {session.pk} has ended: its place is free." in page
    assert line.states("ann", "ben") == ["entered", "admitted"]
    form = {"action": "end", "confirmed": "yes", "_selected_action": [session.pk]}
    page = page_of(admin_client.post(f"{SESSIONS}?alive=all", form, follow=True))
    assert "This session has ended already." in page
    assert session_url(session, "end") not in page_of(admin_client.get(session_url(session)))


def test_a_session_cannot_be_edited(admin_client: Client, line: LineOfTests) -> None:
    line.policy(capacity=1)
    line.join("ann")
    session = line.enter("ann")
    page = page_of(admin_client.get(session_url(session)))
    assert "_save" not in page
    assert session.jwt_digest not in page
    assert admin_client.post(session_url(session), {"client_id": "x"}).status_code == 403


# --- Ids that never wait ---------------------------------------------------------------------------------


def test_an_id_is_added_changed_and_taken_off(
    admin_client: Client, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        admin_client.post(NEVER_WAITS + "add/", {"client_id": "the boss", "note": "really"})
    assert callbacks, "every process looks again"
    assert NeverWaits.objects.get().note == "really"
    change = f"{NEVER_WAITS}the%20boss/change/"
    admin_client.post(change, {"note": "not so much", "client_id": "another"})
    assert (NeverWaits.objects.get().pk, NeverWaits.objects.get().note) == ("the boss", "not so much")
    with django_capture_on_commit_callbacks() as callbacks:
        admin_client.post(
            NEVER_WAITS, {"action": "delete_selected", "_selected_action": ["the boss"], "post": "yes"}
        )
    assert callbacks
    assert not NeverWaits.objects.exists()


@pytest.mark.parametrize("client_id", ["", "naïve", "tab\tbed", "x" * 129])
def test_what_no_client_can_be_called_is_refused(admin_client: Client, client_id: str) -> None:
    page_of(admin_client.post(NEVER_WAITS + "add/", {"client_id": client_id, "note": ""}))
    assert not NeverWaits.objects.exists()


def test_an_id_that_is_there_is_not_added_again(admin_client: Client) -> None:
    save_never_waits(client_id="boss", note="first")
    page = page_of(admin_client.post(NEVER_WAITS + "add/", {"client_id": "boss", "note": "second"}))
    assert "already exists" in page
    assert NeverWaits.objects.get().note == "first"


# --- The log ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({}, ["removed", "joined", "admitted", "joined", "policy"]),
        ({"kind__exact": "joined"}, ["joined", "joined"]),
        ({"reason__exact": "turn"}, ["admitted"]),
        ({"q": "ann"}, ["admitted", "joined"]),
        ({"day": "today"}, ["removed", "joined", "admitted", "joined"]),
        ({"day": "2020-02-29"}, ["policy"]),
        ({"day": "2020-02-28"}, []),
        ({"day": "0001-01-01..9999-12-31"}, ["removed", "joined", "admitted", "joined", "policy"]),
    ],
    ids=str,
)
def test_entries_are_found(admin_client: Client, query: dict[str, str], kinds: list[str]) -> None:
    line = LineOfTests()
    line.policy(capacity=1)
    LogEntry.objects.update(at=timezone.now().replace(2020, 2, 29, 23, 59, 59, 999_999))
    line.join("ann")
    line.join("ben")
    admin_client.post(url_of(line.ticket("ben"), "remove"))
    page = page_of(admin_client.get(LOG, query))
    labels = dict(LogEntry._meta.get_field("kind").choices)  # type: ignore[arg-type]
    assert column(page, "what") == [labels[kind] for kind in kinds]


def test_an_entry_links_to_its_ticket_and_cannot_be_changed(admin_client: Client, line: LineOfTests) -> None:
    (ticket,) = line.join("ann")
    assert f'href="{url_of(ticket)}"' in page_of(admin_client.get(LOG))
    seq = LogEntry.objects.get(ticket=ticket).pk
    assert admin_client.post(f"{LOG}{seq}/change/", {"note": "x"}).status_code == 403
    assert admin_client.post(f"{LOG}{seq}/delete/", {"post": "yes"}).status_code == 403


async def test_the_log_as_a_file(transactional_db: None) -> None:
    def fill() -> User:
        line = LineOfTests()
        line.policy(capacity=1)
        line.join("=1+1", "ben")
        return User.objects.create_superuser("boss")

    client = AsyncClient()
    await client.aforce_login(await sync_to_async(fill)())
    day = f"{timezone.now():%Y-%m-%d}"

    async def rows(query: dict[str, str]) -> list[dict[str, str]]:
        response = await client.get(LOG + "export.csv", query)
        assert response["Content-Disposition"] == f'attachment; filename="admission-log-{day}.csv"'
        content = b"".join([chunk async for chunk in response.streaming_content])  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(content.decode())))

    every = await rows({"o": "-1"})
    assert [row["kind"] for row in every] == ["policy", "joined", "joined", "admitted"]
    (admitted,) = await rows({"kind__exact": "admitted", "q": "=1+1"})
    seen = {name: admitted[name] for name in ("seq", "client", "reason", "occupied", "capacity", "line_left")}
    assert list(seen.values()) == ["4", "'=1+1", "turn", "1", "1", "True"]


def test_the_file_takes_a_query_for_many_rows(line: LineOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    line.join("ann", "ben", "cem", "dan")
    monkeypatch.setattr(log_csv, "CHUNK_ROWS", 2)
    rows = list(log_csv.log_csv_rows(LogEntry.objects.all()))
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert all(len(row) == len(log_csv.COLUMNS) for row in rows)


def test_the_link_to_the_file_keeps_the_filters(admin_client: Client) -> None:
    page = page_of(admin_client.get(LOG, {"kind__exact": "joined", "q": 'a"b'}))
    assert f'href="{LOG}export.csv?kind__exact=joined&amp;q=a%22b"' in page
    assert admin_client.get(LOG + "export.csv", {"nonsense": "1"})["Location"] == LOG


def test_what_is_nobodys_business_is_not_shown() -> None:
    shown = {model.__name__ for model in admin.site._registry if model._meta.app_label == "queue"}
    assert shown == {"LogEntry", "NeverWaits", "Policy", "Session", "Ticket"}

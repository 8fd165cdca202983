"""The API under ``/api/queue/``: tickets, what an operator does to them, and the admission log."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from queue.models import LogEntry, Ticket
from tests.queue.callers import Caller, accepted, program, refused, results
from tests.queue.line import LineOfTests

pytestmark = pytest.mark.django_db

NOBODY = "nobody-has-this1"


@pytest.fixture
def line() -> LineOfTests:
    """Room for two; six came, of whom one is away."""
    line = LineOfTests()
    line.policy(capacity=2)
    line.join(*"abcdef")
    line.leave("d")
    return line


@pytest.fixture
def manager() -> Caller:
    return program("queue:manage")


def ticket_path(line: LineOfTests, client: str) -> str:
    return f"tickets/{line.ticket(client).ticket_id}"


# --- Looking --------------------------------------------------------------------------------------------


def test_a_ticket(line: LineOfTests, manager: Caller) -> None:
    ticket = line.ticket("e")
    told = accepted(manager.get(ticket_path(line, "e")))
    assert told == {
        "ticketId": ticket.ticket_id,
        "clientId": "e",
        "platform": "web",
        "loginType": 4,
        "position": 5,
        "state": "waiting",
        "connected": True,
        "joinedAt": ticket.joined_at.isoformat().replace("+00:00", "Z"),
        "inactiveSince": None,
        "admittedAt": None,
        "endedAt": None,
        "waitMsec": None,
        "statusCode": None,
        # Of those before it one is away, and counts all the same.
        "place": {"ahead": 2, "estimate": None},
    }
    away = accepted(manager.get(ticket_path(line, "d")))
    assert (away["connected"], away["inactiveSince"] is None, away["place"]["ahead"]) == (False, False, 1)
    line.refuse("a", 403)
    gone = accepted(manager.get(ticket_path(line, "a")))
    assert (gone["state"], gone["statusCode"], gone["place"]) == ("refused", 403, None)
    assert gone["waitMsec"] >= 0
    assert gone["endedAt"]


def test_tickets_are_listed_newest_first_and_who_waits_by_position(
    line: LineOfTests, manager: Caller
) -> None:
    assert results(manager.get("tickets"), "clientId") == list("fedcba")
    assert results(manager.get("tickets?state=admitted&state=waiting"), "clientId") == list("fedcba")
    accepted(manager.post(ticket_path(line, "e") + "/move-to-front"))
    assert results(manager.get("tickets?state=waiting"), "clientId") == list("ecdf")
    page = accepted(manager.get("tickets?state=waiting&limit=2&offset=1"))
    assert (page["count"], [row["clientId"] for row in page["results"]]) == (4, ["c", "d"])


def test_filters(line: LineOfTests, manager: Caller) -> None:
    Ticket.objects.filter(client_id="b").update(platform="ios-17.1")
    assert results(manager.get("tickets?state=admitted"), "clientId") == ["b", "a"]
    assert results(manager.get("tickets?platform=ios-17.1"), "clientId") == ["b"]
    assert results(manager.get("tickets?platform=ios"), "clientId") == []
    assert results(manager.get("tickets?id=c"), "clientId") == ["c"]
    assert results(manager.get("tickets?id=c&state=admitted"), "clientId") == []
    line.join("a/../b?c=d&e %41")
    odd = manager.client.get(f"{manager.root}tickets", {"id": "a/../b?c=d&e %41"}, headers=manager.headers)
    assert results(odd, "position") == [7]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("state=gone", "state"),
        ("state=waiting&state=", "state"),
        ("platform=", "platform"),
        ("platform=a%20b", "platform"),
        ("platform=" + "x" * 33, "platform"),
        ("id=", "id"),
        ("id=%00", "id"),
        ("id=%C3%A9", "id"),
        ("id=a%0A", "id"),
        ("id=" + "x" * 129, "id"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("offset=-1", "offset"),
        ("offset=%D9%A1", "offset"),
    ],
)
def test_wrong_filters(manager: Caller, query: str, name: str) -> None:
    assert list(refused(manager.get(f"tickets?{query}"), 400)["fields"]) == [name]


def test_a_list_takes_two_queries_however_long_it_is(line: LineOfTests, manager: Caller) -> None:
    line.join(*(f"more {number}" for number in range(100)))
    for path, most in (("tickets?limit=100", 2), ("tickets?state=waiting&limit=100", 2), ("log", 1)):
        accepted(manager.get(path))
        with CaptureQueriesContext(connection) as queries:
            accepted(manager.get(path))
        assert len(queries) == most, path


# --- An operator's hand ---------------------------------------------------------------------------------


def test_somebody_is_let_in_by_hand(line: LineOfTests, manager: Caller) -> None:
    told = accepted(manager.post(ticket_path(line, "f") + "/admit"))
    assert (told["state"], told["place"]) == ("admitted", None)
    assert line.states(*"cf") == ["waiting", "admitted"]
    assert LogEntry.objects.latest("seq").note == "by API key till"
    refused(manager.post(ticket_path(line, "f") + "/admit"), 409, "NOT_WAITING")
    refused(manager.post(ticket_path(line, "d") + "/admit"), 409, "NOT_THERE")


def test_somebody_is_put_before_all_others(line: LineOfTests, manager: Caller) -> None:
    first = accepted(manager.post(ticket_path(line, "f") + "/move-to-front"))
    assert first["place"]["ahead"] == 0
    second = accepted(manager.post(ticket_path(line, "e") + "/move-to-front"))
    assert (second["place"]["ahead"], second["position"] < first["position"]) == (0, True)
    refused(manager.post(ticket_path(line, "a") + "/move-to-front"), 409, "NOT_WAITING")


def test_somebody_is_taken_out(line: LineOfTests, manager: Caller) -> None:
    accepted(manager.delete(ticket_path(line, "c")), 204)
    assert accepted(manager.get(ticket_path(line, "c")))["state"] == "removed"
    refused(manager.delete(ticket_path(line, "c")), 409, "NOT_WAITING")
    assert line.kinds()[-1] == "removed"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/admit"),
        ("POST", "/move-to-front"),
        ("GET", "/log"),
        ("GET", "/overtaken-by"),
    ],
)
def test_a_ticket_that_is_not_there(manager: Caller, method: str, rest: str) -> None:
    refused(manager.send(method, f"tickets/{NOBODY}{rest}"), 404, "UNKNOWN_TICKET")
    # What cannot be an id leads nowhere.
    assert manager.send(method, f"tickets/short{rest}").status_code == 404


# --- The log --------------------------------------------------------------------------------------------


def test_the_log_is_read_in_parts_and_misses_nothing(line: LineOfTests, manager: Caller) -> None:
    last, read = 0, []
    while entries := (part := accepted(manager.get(f"log?after={last}&limit=4")))["entries"]:
        assert len(entries) <= 4
        assert part["last"] == entries[-1]["seq"]
        last, read = part["last"], read + entries
    assert [entry["seq"] for entry in read] == list(range(1, LogEntry.objects.count() + 1))
    for after in (last, 10**18):
        assert accepted(manager.get(f"log?after={after}")) == {"entries": [], "last": after}
    first, joined = read[0], read[1]
    assert (first["kind"], first["ticketId"], first["clientId"], first["position"]) == (
        "policy",
        None,
        None,
        None,
    )
    assert (joined["kind"], joined["clientId"], joined["position"]) == ("joined", "a", 1)
    admitted = next(entry for entry in read if entry["kind"] == "admitted" and entry["clientId"] == "b")
    assert admitted | {"seq": 0, "at": ""} == {
        "seq": 0,
        "at": "",
        "kind": "admitted",
        "ticketId": line.ticket("b").ticket_id,
        "clientId": "b",
        "position": 2,
        "reason": "turn",
        "occupied": 2,
        "capacity": 2,
        "lineLeft": True,
        "note": "",
    }


def test_the_log_of_one_ticket(line: LineOfTests, manager: Caller) -> None:
    line.join("d")
    path = ticket_path(line, "d") + "/log"
    entries = accepted(manager.get(path))["entries"]
    assert [entry["kind"] for entry in entries] == ["joined", "left", "returned"]
    part = accepted(manager.get(f"{path}?after={entries[0]['seq']}&limit=1"))
    assert part == {"entries": [entries[1]], "last": entries[1]["seq"]}
    assert accepted(manager.get(ticket_path(line, "c") + "/log"))["entries"][0]["clientId"] == "c"


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1" + "0" * 17 + "1", "limit=0", "limit=501"])
def test_wrong_parts_of_the_log(line: LineOfTests, manager: Caller, query: str) -> None:
    for path in ("log", ticket_path(line, "a") + "/log"):
        assert list(refused(manager.get(f"{path}?{query}"), 400)["fields"]) == [query.partition("=")[0]]


# --- Why not me? ----------------------------------------------------------------------------------------


def test_who_went_before_and_why(line: LineOfTests, manager: Caller) -> None:
    path = ticket_path(line, "c") + "/overtaken-by"
    assert accepted(manager.get(path)) == {"count": 0, "overtakings": []}
    accepted(manager.post(ticket_path(line, "f") + "/admit"))
    told = accepted(manager.get(path))
    assert told["count"] == 1
    (one,) = told["overtakings"]
    assert one.pop("admittedAt")
    assert "API key till" in one.pop("reason")
    assert one == {
        "ticketId": line.ticket("f").ticket_id,
        "clientId": "f",
        "position": 6,
        "why": "by_hand",
    }


def test_why_takes_as_many_queries_for_many(line: LineOfTests, manager: Caller) -> None:
    line.leave("c")
    path = ticket_path(line, "c") + "/overtaken-by"

    def cost() -> Any:
        with CaptureQueriesContext(connection) as queries:
            told = accepted(manager.get(path))
        return told["count"], len(queries)

    cost()  # looks the key up
    line.policy(capacity=4)
    few, cost_of_few = cost()
    line.join(*(f"more {number}" for number in range(50)))
    line.policy(capacity=40)
    many, cost_of_many = cost()
    assert few < many
    assert cost_of_few == cost_of_many <= 6

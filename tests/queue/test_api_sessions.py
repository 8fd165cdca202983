"""The API under ``/api/queue/``: sessions, and ids that never wait."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from queue.models import NeverWaits, Session
from tests.queue.callers import Caller, accepted, program, refused, results
from tests.queue.line import LineOfTests

pytestmark = pytest.mark.django_db

NOBODY = "s_nobody-has-this1"


@pytest.fixture
def line() -> LineOfTests:
    """Room for two, of whom both are in; one waits."""
    line = LineOfTests()
    line.policy(capacity=2)
    line.join(*"abc")
    line.enter("a")
    line.enter("b")
    return line


@pytest.fixture
def manager() -> Caller:
    return program("queue:manage")


@pytest.fixture
def reporter() -> Caller:
    """A main server."""
    return program("queue:report", name="game")


def session(client: str) -> Session:
    return Session.objects.get(client_id=client)


def long_ago(client: str) -> None:
    Session.objects.filter(client_id=client).update(seen_at=timezone.now() - timedelta(hours=1))


def recently(text: str) -> bool:
    return timezone.now() - datetime.fromisoformat(text) < timedelta(minutes=10)


# --- Looking --------------------------------------------------------------------------------------------


def test_the_id_of_a_listed_session_is_the_one_of_its_address(line: LineOfTests, manager: Caller) -> None:
    listed = accepted(manager.get("sessions"))["results"]
    assert [row["clientId"] for row in listed] == ["b", "a"]
    row = listed[1]
    assert accepted(manager.get(f"sessions/{row['id']}")) == row
    assert set(row) == {
        *("id", "clientId", "platform", "position", "startedAt", "seenAt", "endedAt", "expired"),
    }
    assert (row["platform"], row["position"], row["endedAt"], row["expired"]) == ("web", 1, None, False)
    assert "digest" not in str(listed)


def test_filters(line: LineOfTests, manager: Caller, reporter: Caller) -> None:
    accepted(reporter.delete(f"sessions/{session('a').session_id}"), 204)
    Session.objects.filter(client_id="b").update(platform="ios")
    assert results(manager.get("sessions?alive=true"), "clientId") == ["b"]
    assert results(manager.get("sessions?alive=false"), "clientId") == ["a"]
    assert results(manager.get("sessions?platform=ios"), "clientId") == ["b"]
    assert results(manager.get("sessions?id=a"), "clientId") == ["a"]
    assert results(manager.get("sessions?id=a&alive=true"), "clientId") == []


@pytest.mark.parametrize("query", ["alive=", "alive=1", "alive=True", "platform=%00", "id=%7F"])
def test_wrong_filters(manager: Caller, query: str) -> None:
    assert list(refused(manager.get(f"sessions?{query}"), 400)["fields"]) == [query.partition("=")[0]]


def test_a_list_takes_two_queries_however_long_it_is(line: LineOfTests, manager: Caller) -> None:
    line.policy(capacity=100)
    line.join(*(f"more {number}" for number in range(60)))
    for number in range(60):
        line.enter(f"more {number}")
    NeverWaits.objects.bulk_create(NeverWaits(client_id=f"{number}") for number in range(60))
    for path in ("sessions?limit=60", "never-waits?limit=60"):
        accepted(manager.get(path))
        with CaptureQueriesContext(connection) as queries:
            assert len(accepted(manager.get(path))["results"]) == 60
        assert len(queries) == 2, path


# --- Signs of life, and the end ---------------------------------------------------------------------------


def test_a_sign_of_life(line: LineOfTests, reporter: Caller) -> None:
    long_ago("a")
    row = accepted(reporter.post(f"sessions/{session('a').session_id}/heartbeat"))
    assert (row["clientId"], row["endedAt"]) == ("a", None)
    assert recently(row["seenAt"])
    assert recently(session("a").seen_at.isoformat())
    assert session("a").delivered


def test_an_ended_session_makes_room_at_once(line: LineOfTests, reporter: Caller) -> None:
    path = f"sessions/{session('a').session_id}"
    accepted(reporter.delete(path), 204)
    assert line.states("c") == ["admitted"]
    assert [entry["note"] for entry in line.log() if entry["kind"] == "session_ended"] == ["by API key game"]
    refused(reporter.delete(path), 409, "SESSION_ENDED")
    refused(reporter.post(f"{path}/heartbeat"), 409, "SESSION_ENDED")
    ended = accepted(program("queue:read").get(path))
    assert (ended["expired"], ended["endedAt"] is None) == (False, False)
    line.audit()


def test_a_session_that_is_not_there(manager: Caller) -> None:
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/heartbeat")):
        refused(manager.send(method, f"sessions/{NOBODY}{rest}"), 404, "UNKNOWN_SESSION")
        assert manager.send(method, f"sessions/s_short{rest}").status_code == 404


def test_who_issued_the_credential_may_name_the_session_by_its_digest(
    line: LineOfTests, reporter: Caller
) -> None:
    digest = hashlib.sha256(b"the credential").hexdigest()
    Session.objects.filter(pk=session("b").pk).update(jwt_digest=digest)
    assert accepted(reporter.get(f"sessions/{digest}"))["clientId"] == "b"
    long_ago("b")
    assert recently(accepted(reporter.post(f"sessions/{digest}/heartbeat"))["seenAt"])
    sent = {"ids": [digest, "0" * 64]}
    assert accepted(reporter.post("sessions/heartbeats", sent)) == {"refreshed": 1, "unknown": ["0" * 64]}
    accepted(reporter.delete(f"sessions/{digest}"), 204)
    refused(reporter.delete(f"sessions/{digest}"), 409, "SESSION_ENDED")


def test_signs_of_life_of_many_in_two_queries(line: LineOfTests, reporter: Caller) -> None:
    a, b = session("a").session_id, session("b").session_id
    accepted(reporter.delete(f"sessions/{a}"), 204)
    line.enter("c")
    c = session("c").session_id
    for client in "abc":
        long_ago(client)
    sent = [b, NOBODY, c, a, "\x00é", b, ""]
    with CaptureQueriesContext(connection) as queries:
        answer = accepted(reporter.post("sessions/heartbeats", {"ids": sent}))
    assert answer == {"refreshed": 2, "unknown": [NOBODY, a, "\x00é", ""]}
    assert len(queries) == 4, "two, and the transaction's own"
    assert [recently(session(client).seen_at.isoformat()) for client in "abc"] == [False, True, True]
    assert accepted(reporter.post("sessions/heartbeats", {"ids": []})) == {"refreshed": 0, "unknown": []}


def test_a_thousand_at_once_are_taken(reporter: Caller) -> None:
    ids = [f"s_{number:016}" for number in range(1_001)]
    assert len(accepted(reporter.post("sessions/heartbeats", {"ids": ids[1:]}))["unknown"]) == 1_000
    assert list(refused(reporter.post("sessions/heartbeats", {"ids": ids}), 400)["fields"]) == ["ids"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "ids"),
        ({"ids": None}, "ids"),
        ({"ids": NOBODY}, "ids"),
        ({"ids": {NOBODY: 1}}, "ids"),
        ({"ids": [5]}, "ids.0"),
        ({"ids": [NOBODY, None]}, "ids.1"),
        ({"ids": ["x" * 65]}, "ids.0"),
        ({"ids": [], "all": True}, "all"),
    ],
)
def test_wrong_signs_of_life(reporter: Caller, body: dict[str, Any], name: str) -> None:
    assert list(refused(reporter.post("sessions/heartbeats", body), 400)["fields"]) == [name]


# --- Ids that never wait ----------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ["ines", " ", ".", "..", "a/../b", "//", "x?y=z&w#v%41+;", "~" * 128])
def test_any_id_can_be_put_on_the_list_and_taken_off(manager: Caller, client_id: str) -> None:
    row = accepted(manager.post("never-waits", {"clientId": client_id, "note": "Ines, testing"}), 201)
    assert (row["clientId"], row["note"]) == (client_id, "Ines, testing")
    address = f"never-waits?id={quote(client_id, safe='')}"
    assert accepted(manager.get(address))["results"] == [row]
    again = accepted(manager.post("never-waits", {"clientId": client_id}), 200)
    assert (again["note"], again["createdAt"]) == ("", row["createdAt"])
    accepted(manager.delete(address), 204)
    refused(manager.delete(address), 404)
    assert accepted(manager.get("never-waits"))["results"] == []


def test_who_is_on_the_list_does_not_wait(line: LineOfTests, manager: Caller) -> None:
    accepted(manager.post("never-waits", {"clientId": "ines"}), 201)
    line.join("ines")
    assert line.states("ines") == ["admitted"]
    assert results(manager.get("never-waits"), "clientId") == ["ines"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "clientId"),
        ({"clientId": ""}, "clientId"),
        ({"clientId": "é"}, "clientId"),
        ({"clientId": "a\n"}, "clientId"),
        ({"clientId": "x" * 129}, "clientId"),
        ({"clientId": 5}, "clientId"),
        ({"client_id": "a", "clientId": "a"}, "client_id"),
        ({"clientId": "a", "note": None}, "note"),
        ({"clientId": "a", "note": "x" * 201}, "note"),
        ({"clientId": "a", "note": "\x00"}, "note"),
    ],
)
def test_a_wrong_id(manager: Caller, body: dict[str, Any], name: str) -> None:
    assert list(refused(manager.post("never-waits", body), 400)["fields"]) == [name]
    assert not NeverWaits.objects.exists()


def test_which_id_must_be_said(manager: Caller) -> None:
    for query in ("", "?id=", "?id=%00"):
        assert list(refused(manager.delete(f"never-waits{query}"), 400)["fields"]) == ["id"]

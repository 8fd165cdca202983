"""The API under ``/api/queue/``: the line's numbers, its policy, and what a main server reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from queue.models import Line, LogEntry, Policy
from queue.selectors.line import PACE_TICKETS
from tests.queue.callers import Caller, accepted, program, refused
from tests.queue.line import LineOfTests

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Room for two."""
    line = LineOfTests()
    line.policy(capacity=2)
    return line


@pytest.fixture
def manager() -> Caller:
    return program("queue:manage")


# --- Numbers --------------------------------------------------------------------------------------------


def test_before_anybody_came(manager: Caller) -> None:
    assert accepted(manager.get("stats")) == {
        "headPosition": 1,
        "tailPosition": 0,
        "avgWaitMsec": 180_000,
        "waiting": 0,
        "active": 0,
        "loggingIn": 0,
        "occupied": 0,
        "capacity": 1_000,
        "free": 500,
        "enabled": True,
        "paused": False,
        "failing": False,
        "reported": None,
        "estimate": {"lowMsec": 0, "meanMsec": 0, "highMsec": 0},
    }


def test_a_line_in_numbers(line: LineOfTests, manager: Caller) -> None:
    line.join(*"abcdef")
    line.enter("a")
    line.leave("d")
    stats = accepted(manager.get("stats"))
    assert (stats["headPosition"], stats["tailPosition"]) == (3, 6)
    assert (stats["waiting"], stats["active"], stats["loggingIn"]) == (4, 3, 1)
    assert (stats["occupied"], stats["capacity"], stats["free"]) == (2, 2, 0)
    assert stats["estimate"] is None, "nobody knows the pace yet"
    line.fail("b")
    assert accepted(manager.get("stats"))["failing"] is True


def test_the_wait_of_somebody_who_joins_now_is_that_of_the_last_in_line(
    line: LineOfTests, manager: Caller
) -> None:
    line.join(*"abcdefgh")
    moment = timezone.now() - timedelta(minutes=5)
    # One let in each ten seconds, with others left behind.
    line.has_admitted(*(moment + timedelta(seconds=10 * number) for number in range(6)))
    # Six wait: somebody who joins now is the seventh.
    assert accepted(manager.get("stats"))["estimate"]["meanMsec"] == 70_000
    last = accepted(manager.get(f"tickets/{line.ticket('h').ticket_id}"))
    assert last["place"]["ahead"] == 5
    assert last["place"]["estimate"]["meanMsec"] == 60_000
    assert 0 < last["place"]["estimate"]["lowMsec"] <= 60_000 <= last["place"]["estimate"]["highMsec"]
    accepted(manager.patch("policy", {"paused": True}))
    assert accepted(manager.get("stats"))["estimate"] is None
    assert accepted(manager.get(f"tickets/{line.ticket('h').ticket_id}"))["place"] == {
        "ahead": 5,
        "estimate": None,
    }


def test_numbers_take_as_many_queries_for_a_long_line(
    line: LineOfTests, manager: Caller, django_assert_max_num_queries: Any
) -> None:
    line.join(*(f"client {number}" for number in range(PACE_TICKETS + 100)))
    accepted(manager.get("stats"))
    with django_assert_max_num_queries(12):
        assert accepted(manager.get("stats"))["waiting"] == PACE_TICKETS + 98


# --- The policy -----------------------------------------------------------------------------------------


def test_the_policy_before_it_was_changed(manager: Caller) -> None:
    assert accepted(manager.get("policy")) == {
        "enabled": True,
        "paused": False,
        "capacity": 1_000,
        "admit_per_interval": 500,
        "interval_s": 10,
        "stats_interval_s": 5,
        "ticket_stale_s": 300,
        "session_stale_s": 300,
        "initial_avg_wait_s": 180,
        "avg_wait_window": 50,
        "message": "",
        "changed_at": None,
    }


def test_a_change_is_kept_logged_and_acted_on(line: LineOfTests, manager: Caller) -> None:
    line.join(*"abcd")
    changed = accepted(manager.patch("policy", {"capacity": 3, "message": "Back at six."}))
    assert (changed["capacity"], changed["message"], changed["interval_s"]) == (3, "Back at six.", 10)
    assert changed == accepted(manager.get("policy"))
    assert line.states(*"abcd") == ["admitted", "admitted", "admitted", "waiting"]
    assert LogEntry.objects.filter(kind="policy").latest("seq").note == "capacity=3 by API key till"
    line.audit()


def test_nothing_to_change_changes_nothing(line: LineOfTests, manager: Caller) -> None:
    before, kinds = accepted(manager.get("policy")), line.log()
    assert accepted(manager.patch("policy", {})) == before
    assert accepted(manager.patch("policy", None)) == before
    assert line.log() == kinds


BAD_POLICY: dict[str, list[Any]] = {
    "enabled": [1, "true", None, []],
    "paused": [0, "false"],
    "capacity": [-1, 1_000_000_001, 1.5, "5", True, None, 10**30],
    "admit_per_interval": [0, "1"],
    "interval_s": [0, 7 * 86_400 + 1, 0.5],
    "stats_interval_s": [0, 3_601],
    "ticket_stale_s": [0],
    "session_stale_s": [0],
    "initial_avg_wait_s": [-1],
    "avg_wait_window": [0, 10_001],
    "message": [5, None, "x" * 501, "\x00"],
    "changed_at": ["2026-01-01T00:00:00Z"],
    "id": [2],
    "capcity": [5],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD_POLICY.items() for value in values]
)
def test_a_wrong_policy_is_refused_by_name_and_changes_nothing(
    line: LineOfTests, manager: Caller, name: str, value: Any
) -> None:
    before, log = list(Policy.objects.values()), line.log()
    body = refused(manager.patch("policy", {name: value, "avg_wait_window": 7} | {name: value}), 400)
    assert list(body["fields"]) == [name]
    assert (list(Policy.objects.values()), line.log()) == (before, log)


def test_many_unknown_names_are_not_all_told_back(manager: Caller) -> None:
    body = refused(manager.patch("policy", {f"{'x' * 1_000}{number}": 1 for number in range(50)}), 400)
    assert len(str(body)) < 2_000


@pytest.mark.parametrize("body", [b"[]", b"5", b'"paused"', b"{", b"\xff", b'{"paused": true, "paused": 1}'])
def test_a_body_that_is_no_object(manager: Caller, body: bytes) -> None:
    for method, path in (("PATCH", "policy"), ("PUT", "occupancy"), ("POST", "never-waits")):
        refused(manager.send(method, path, body), 400)


def test_other_kinds_of_bodies_and_methods(manager: Caller) -> None:
    response = manager.client.patch(
        f"{manager.root}policy", "paused=1", "application/x-www-form-urlencoded", headers=manager.headers
    )
    refused(response, 415)
    refused(manager.send("PUT", "policy", {}), 405)
    refused(manager.get("policy", Accept="text/html"), 406)
    refused(manager.patch("policy", {"message": "x" * 2**20}), 413)


# --- Occupancy ------------------------------------------------------------------------------------------


def test_the_main_server_reports_and_stops_reporting(line: LineOfTests, manager: Caller) -> None:
    reporter = program("queue:report")
    line.join(*"abcd")
    line.enter("a")
    assert accepted(reporter.get("occupancy")) == {"occupied": 2, "capacity": 2, "reported": None}
    before = timezone.now()
    answer = accepted(reporter.put("occupancy", {"occupied": 0}))
    # One of the line is let in at once, beside the one on its way; our own session it has counted.
    assert (answer["occupied"], answer["reported"]["occupied"]) == (2, 0)
    assert before <= datetime.fromisoformat(answer["reported"]["measuredAt"]) <= timezone.now()
    assert line.states(*"abcd") == ["entered", "admitted", "admitted", "waiting"]
    assert accepted(reporter.get("occupancy")) == answer
    assert accepted(manager.get("stats"))["reported"] == answer["reported"]
    accepted(reporter.delete("occupancy"), 204)
    assert accepted(reporter.get("occupancy")) == {"occupied": 3, "capacity": 2, "reported": None}
    accepted(reporter.delete("occupancy"), 204)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05.25z", datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789+02:00", datetime(2026, 1, 2, 1, 4, 5, 123_456, tzinfo=UTC)),
        ("2026-01-02T03:04:05-00:30", datetime(2026, 1, 2, 3, 34, 5, tzinfo=UTC)),
    ],
)
def test_when_it_counted(manager: Caller, sent: str, kept: datetime) -> None:
    answer = accepted(manager.put("occupancy", {"occupied": 5, "measuredAt": sent}))
    assert datetime.fromisoformat(answer["reported"]["measuredAt"]) == kept
    assert Line.objects.get().reported_at == kept


def test_a_count_of_the_future_is_of_now_and_an_older_one_changes_nothing(manager: Caller) -> None:
    future = {"occupied": 5, "measuredAt": "2999-01-01T00:00:00Z"}
    first = accepted(manager.put("occupancy", future))
    assert datetime.fromisoformat(first["reported"]["measuredAt"]) <= timezone.now()
    late = {"occupied": 9, "measuredAt": "2020-01-01T00:00:00Z"}
    assert accepted(manager.put("occupancy", late)) == first


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "occupied"),
        ({"occupied": -1}, "occupied"),
        ({"occupied": 1_000_000_001}, "occupied"),
        ({"occupied": "5"}, "occupied"),
        ({"occupied": True}, "occupied"),
        ({"occupied": None}, "occupied"),
        ({"occupied": 5, "measured_at": "2026-01-02T03:04:05Z"}, "measured_at"),
        *(
            ({"occupied": 5, "measuredAt": moment}, "measuredAt")
            for moment in (
                5,
                None,
                "",
                "now",
                "2026-01-02",
                "2026-01-02T03:04:05",
                "2026-01-02 03:04:05Z",
                "2026-W01-1T03:04:05Z",
                "2026-13-02T03:04:05Z",
                "2026-01-02T03:04:60Z",
                "0000-01-02T03:04:05Z",
                "0001-01-01T00:00:00+23:59",
                "9999-12-31T23:59:59-23:59",
                "2026-01-02T03:04:05Z\n",
                "٢٠٢٦-01-02T03:04:05Z",
            )
        ),
    ],
    ids=repr,
)
def test_a_wrong_report(manager: Caller, body: dict[str, Any], name: str) -> None:
    assert list(refused(manager.put("occupancy", body), 400)["fields"]) == [name]
    assert accepted(manager.get("occupancy"))["reported"] is None


def test_looking_costs_the_same_for_everybody(line: LineOfTests, manager: Caller) -> None:
    line.policy(capacity=1_000)
    for path in ("policy", "occupancy"):
        accepted(manager.get(path))
        with CaptureQueriesContext(
            connection,
        ) as few:
            accepted(manager.get(path))
        line.join(*(f"{path} {number}" for number in range(50)))
        with CaptureQueriesContext(connection) as many:
            accepted(manager.get(path))
        assert len(few) == len(many) <= 4

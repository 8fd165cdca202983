"""``manage.py queue_status``: what an operator reads on a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from queue.management.commands.queue_status import in_words
from queue.models import Ticket
from queue.services.policy import report_occupancy
from tests.queue.callers import accepted, program
from tests.queue.line import LineOfTests


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("queue_status", *arguments, stdout=out)
    return out.getvalue()


def shown() -> dict[str, str]:
    """The lines by their titles; one without belongs to the line before."""
    lines: dict[str, str] = {}
    for text in output().splitlines():
        title, rest = text[:14].strip(), text[14:]
        lines[title or "more"] = rest
    return lines


@pytest.fixture
def line(db: None) -> LineOfTests:
    """Room for two."""
    line = LineOfTests()
    line.policy(capacity=2)
    return line


@pytest.mark.django_db
def test_before_anybody_came() -> None:
    assert shown() == {
        "Queue": "on, at most 500 each 10 s",
        "Main server": "0 of 1,000 places taken, by our count of sessions",
        "Line": "0 waiting: 0 connected, 0 away",
        "Logging in": "0",
        "Positions": "nobody waits, last given 0",
        "Mean wait": "3 min",
        "Who comes now": "goes in at once",
        "Last let in": "nobody yet",
    }


def test_a_line(line: LineOfTests) -> None:
    line.join(*"abcdefg")
    line.enter("a")
    line.leave("e", "f")
    told = shown()
    assert told["Main server"] == "2 of 2 places taken, by our count of sessions"
    assert told["Line"] == "5 waiting: 3 connected, 2 away"
    assert told["Logging in"] == "1"
    assert told["Positions"] == "head 3, last given 7"
    assert told["Mean wait"] == "0 s"
    assert told["Who comes now"] == "nobody can say yet"
    entered = Ticket.objects.get(client_id="a").ended_at
    assert told["Last let in"].endswith(f" ago ({entered:%Y-%m-%d %H:%M:%S} UTC)")


def test_who_says_how_full_the_main_server_is_and_since_when(line: LineOfTests) -> None:
    line.policy(capacity=2_000)
    report_occupancy(count=1_234, measured_at=timezone.now() - timedelta(minutes=2, seconds=5))
    said = shown()["Main server"]
    assert said.startswith("1,234 of 2,000 places taken, by its report of 1,234, 2 min ")
    assert said.endswith(" UTC)")


def test_what_needs_somebody_is_said_in_capitals(line: LineOfTests) -> None:
    assert "FAILING" not in output()
    line.join(*"abc")
    line.fail("a")
    assert shown()["more"].startswith("FAILING: ")
    line.policy(paused=True)
    told = shown()
    assert told["Queue"] == "PAUSED: nobody is let in"
    assert told["Who comes now"] == "nobody can say while the queue is paused"
    line.policy(paused=False, enabled=False)
    told = shown()
    assert told["Queue"] == "OFF: everyone is let in at once"
    assert told["Who comes now"] == "goes in at once"


def test_the_wait_of_who_comes_now(line: LineOfTests) -> None:
    line.join(*"abcdefgh")
    began = timezone.now() - timedelta(minutes=10)
    line.has_admitted(*(began + timedelta(seconds=seconds) for seconds in (0, 20, 60, 80, 120)))
    line.leave("h")
    # Six wait, of whom one is away and may come back; it took half a minute each.
    said = shown()["Who comes now"]
    assert said.startswith("waits 3 min 30 s or so (")
    estimate = json.loads(output("--json"))["estimate"]
    assert estimate["meanMsec"] == 210_000
    assert estimate["lowMsec"] < 210_000 < estimate["highMsec"]


def test_for_programs_it_is_what_the_api_says_and_more(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.enter("a")
    line.leave("d")
    report_occupancy(count=2)
    told = json.loads(output("--json"))
    away, entered = told.pop("away"), told.pop("lastEnteredAt")
    stats = accepted(program("queue:read").get("stats"))
    assert (told, away) == (stats, 1)
    assert datetime.fromisoformat(entered) == Ticket.objects.get(client_id="a").ended_at


def test_it_takes_thirteen_queries_whatever_the_length(
    line: LineOfTests, django_assert_max_num_queries: Any
) -> None:
    line.join(*(f"client {number}" for number in range(300)))
    with django_assert_max_num_queries(13):
        output()


def test_a_database_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("queue.management.commands.queue_status.get_status", away)
    with pytest.raises(CommandError, match=r"^The database does not answer: connection refused$"):
        output()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (7_500, "2 h 5 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words

"""What time does to the line: dead processes, tickets nobody came back for, silent sessions, old rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from queue.models import Line, LogEntry, Process, Session, Ticket, UsedToken
from queue.selectors.line import average_wait_ms, load_policy, may_go, view_line
from queue.services.policy import report_occupancy
from queue.services.sessions import end_session, refresh_session
from queue.services.upkeep import (
    LEASE_S,
    forget,
    list_admitted,
    list_held,
    look_after_line,
    release_dead,
    show_life,
)
from queue.services.used_tokens import remember_token
from realtime.errors import Refused
from tests.queue.line import PROCESS, LineOfTests

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Room for two."""
    line = LineOfTests()
    line.policy(capacity=2, ticket_stale_s=60, session_stale_s=60)
    return line


def ago(**parts: float) -> Any:
    return timezone.now() - timedelta(**parts)


def look() -> None:
    look_after_line(PROCESS, sweep=True, served_s=1e9)


def test_who_is_away_for_too_long_loses_the_place(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.leave("c", "d")
    Ticket.objects.filter(client_id="c").update(inactive_since=ago(seconds=61))
    look()
    assert line.states("c", "d") == ["stale", "waiting"]
    assert line.join("c")[0].position == 5
    line.audit()


def test_a_session_without_a_sign_of_life_gives_its_place_to_the_next(line: LineOfTests) -> None:
    line.join(*"abc")
    kept, silent = line.enter("a"), line.enter("b")
    Session.objects.update(seen_at=ago(seconds=61))
    refresh_session(session_id=kept.session_id)
    look()
    assert line.states("c") == ["admitted"]
    silent.refresh_from_db()
    assert silent.expired
    with pytest.raises(Refused, match="SESSION_ENDED"):
        refresh_session(session_id=silent.session_id)
    with pytest.raises(Refused, match="SESSION_ENDED"):
        end_session(session_id=silent.session_id, actor="the test")
    with pytest.raises(Refused, match="UNKNOWN_SESSION"):
        refresh_session(session_id="nobody's")
    assert line.audit().occupied == 2


def test_time_in_which_nobody_could_be_heard_is_nobodys_fault(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.enter("a")
    line.leave("c")
    Session.objects.update(seen_at=ago(hours=1))
    Ticket.objects.filter(client_id="c").update(inactive_since=ago(hours=1))
    look_after_line(PROCESS, sweep=True, served_s=59)
    assert line.states("a", "c", "d") == ["entered", "waiting", "waiting"]
    assert Session.objects.filter(ended_at=None).exists()
    look_after_line(PROCESS, sweep=True, served_s=61)
    assert line.states("c", "d") == ["stale", "admitted"]


def test_a_clock_that_was_set_back_does_not_close_the_door(line: LineOfTests) -> None:
    line.policy(capacity=100, admit_per_interval=2, interval_s=1)
    line.join(*"abcd")
    Line.objects.update(tokens_at=ago(hours=-1))
    look()
    Line.objects.update(tokens_at=F("tokens_at") - timedelta(seconds=5))
    look()
    assert line.states("c", "d") == ["admitted", "admitted"]
    Line.objects.update(reported=100, reported_at=ago(hours=-1))
    report_occupancy(count=0)
    assert view_line().occupied == 4


def test_time_alone_fills_the_bucket(line: LineOfTests) -> None:
    line.policy(capacity=100, admit_per_interval=2, interval_s=1)
    line.join(*"abcd")
    assert line.states("c", "d") == ["waiting", "waiting"]
    Line.objects.update(tokens_at=ago(seconds=5))
    look()
    assert line.states("c", "d") == ["admitted", "admitted"]


class TestDeadProcesses:
    def test_in_one_process_any_other_is_dead(self, line: LineOfTests) -> None:
        line.join("a", "b", "c", process="proc_before")
        release_dead(PROCESS)
        assert [line.ticket(client).holder for client in "abc"] == ["", "", ""]
        assert line.states(*"abc") == ["waiting"] * 3, "who was on the way is put back, in place"
        line.join("b", "a")
        assert line.states(*"abc") == ["admitted", "admitted", "waiting"]
        line.audit()

    def test_in_several_those_without_a_sign_of_life_are(self, line: LineOfTests, settings: Any) -> None:
        settings.REDIS_URL = "redis://localhost"
        line.join("a", process="proc_alive")
        line.join("b", process="proc_late")
        line.join("c", process="proc_unheard_of")
        line.join("d")
        Process.objects.create(process_id="proc_alive", seen_at=ago(seconds=LEASE_S - 2))
        Process.objects.create(process_id="proc_late", seen_at=ago(seconds=LEASE_S + 2))
        assert release_dead(PROCESS) == 2
        held = {client: line.ticket(client).holder for client in "abcd"}
        assert held == {"a": "proc_alive", "b": "", "c": "", "d": PROCESS}
        assert [process.process_id for process in Process.objects.all()] == ["proc_alive"]
        line.audit()

    def test_a_sign_of_life(self, settings: Any) -> None:
        show_life(PROCESS)
        assert not Process.objects.exists(), "alone there is nobody to show it to"
        settings.REDIS_URL = "redis://localhost"
        show_life(PROCESS)
        Process.objects.update(seen_at=ago(hours=1))
        show_life(PROCESS)
        assert Process.objects.get().seen_at > ago(seconds=10)

    def test_right_after_an_outage_nobody_is_taken_for_dead(self, line: LineOfTests) -> None:
        line.join("a", process="proc_before")
        look_after_line(PROCESS, sweep=False, served_s=1e9)
        assert line.ticket("a").holder == "proc_before"

    def test_what_a_process_holds_and_logs_in(self, line: LineOfTests) -> None:
        line.join("a", "b", "c")
        line.join("d", process="proc_other")
        assert list_held(PROCESS) == {
            line.ticket(client).ticket_id: (line.connection(client), line.ticket(client).position)
            for client in "abc"
        }
        assert dict(list_admitted(PROCESS)) == {
            line.ticket(client).ticket_id: line.connection(client) for client in "ab"
        }


class TestOccupancy:
    def test_what_the_main_server_says_counts(self, line: LineOfTests) -> None:
        line.policy(capacity=10)
        report_occupancy(count=9)
        line.join(*"ab")
        assert line.states(*"ab") == ["admitted", "waiting"]
        line.enter("a")
        assert view_line().occupied == 10, "it cannot have counted who came since"
        report_occupancy(count=9)
        assert line.states("b") == ["admitted"], "now it has, and others have left"

    def test_an_older_count_that_comes_later_is_passed_over(self, line: LineOfTests) -> None:
        report_occupancy(count=2)
        report_occupancy(count=0, measured_at=ago(seconds=30))
        assert view_line().occupied == 2

    def test_a_count_of_the_future_is_one_of_now(self, line: LineOfTests) -> None:
        report_occupancy(count=2, measured_at=ago(seconds=-3_600))
        report_occupancy(count=1)
        assert view_line().occupied == 1

    def test_who_came_after_the_count_is_added_to_it(self, line: LineOfTests) -> None:
        line.join("a")
        line.enter("a")
        report_occupancy(count=0, measured_at=ago(seconds=30))
        assert view_line().occupied == 1

    def test_without_a_report_sessions_are_counted(self, line: LineOfTests) -> None:
        report_occupancy(count=2)
        line.join(*"abc")
        assert line.states(*"abc") == ["waiting"] * 3
        report_occupancy(count=None)
        assert line.states(*"abc") == ["admitted", "admitted", "waiting"]
        assert [entry["note"] for entry in line.log() if entry["kind"] == "reported"] == [
            "from now on",
            "no longer",
        ]


class TestWhoMayGo:
    def test_while_there_is_room_and_nobody_waits(self, line: LineOfTests) -> None:
        assert may_go("x", "")
        line.join("a", "b")
        assert not may_go("x", "")
        line.refuse("a")
        assert may_go("x", "")

    def test_not_past_somebody_who_waits(self, line: LineOfTests) -> None:
        line.policy(admit_per_interval=1, interval_s=3_600)
        line.join("a", "b")
        assert not may_go("x", "")

    def test_who_is_away_holds_up_nobody(self, line: LineOfTests) -> None:
        line.join("a", "b", "c")
        line.leave("c")
        line.refuse("a")
        assert may_go("x", "")

    def test_whose_session_is_alive(self, line: LineOfTests) -> None:
        line.join("a", "b")
        session = line.enter("a")
        line.join("c")
        assert may_go("a", "digest of a")
        assert not may_go("a", "digest of b")
        end_session(session_id=session.session_id, actor="the test")
        assert not may_go("a", "digest of a")

    def test_everybody_with_the_queue_off_and_nobody_while_paused(self, line: LineOfTests) -> None:
        line.policy(paused=True)
        assert not may_go("x", "")
        line.policy(paused=False, capacity=0)
        assert not may_go("x", "")
        line.policy(enabled=False)
        assert may_go("x", "")
        assert view_line().may_go
        line.policy(paused=True)
        assert not may_go("x", "")
        assert not view_line().may_go, "the stop button stops everything"


def test_the_mean_wait_is_that_of_the_last_who_were_let_in(line: LineOfTests) -> None:
    assert average_wait_ms(load_policy()) == 180_000
    line.policy(capacity=100, avg_wait_window=2, initial_avg_wait_s=7)
    assert average_wait_ms(load_policy()) == 7_000
    line.join("a", "b", "c")
    for number, client in enumerate("abc"):
        at = ago(hours=3 - number)
        Ticket.objects.filter(client_id=client).update(wait_ms=1_000 * number, admitted_at=at)
    assert average_wait_ms(load_policy()) == 1_500


def test_an_empty_line_shows_head_behind_tail(line: LineOfTests) -> None:
    assert (view_line().head, view_line().tail) == (1, 0)
    line.join("a", "b", "c")
    assert (view_line().head, view_line().tail) == (3, 3)
    line.refuse("a")
    assert (view_line().head, view_line().tail) == (4, 3)


def test_the_pace_is_learned_from_the_log(line: LineOfTests) -> None:
    line.policy(paused=True, capacity=1_000)
    clients = [f"c{number}" for number in range(12)]
    line.join(*clients)
    line.policy(paused=False, capacity=0)
    for number in range(1, 7):
        line.policy(capacity=2 * number)
    first = LogEntry.objects.filter(kind="admitted").order_by("seq")
    assert [entry.line_left for entry in first] == [True] * 10 + [False] * 2
    start = ago(hours=1)
    for number, entry in enumerate(first):
        at = start + timedelta(seconds=10 * (number // 2))
        LogEntry.objects.filter(seq=entry.seq).update(at=at)
        Ticket.objects.filter(ticket_id=entry.ticket_id).update(admitted_at=at)
    line.fail("c11")
    line.fail("c10")
    line.policy(capacity=0)
    pace = view_line().pace
    assert pace is not None
    assert pace.per_ticket_s == pytest.approx(5.0)
    assert pace.tickets == 8, "the first has no gap before it, and who was put back is no progress"


def test_what_is_old_is_forgotten_a_piece_at_a_time(line: LineOfTests, settings: Any) -> None:
    line.join("a", "b", "c", "d")
    line.enter("a")
    ended = line.enter("b")
    end_session(session_id=ended.session_id, actor="the test")
    line.refuse("c")
    long_ago = ago(days=40)
    Ticket.objects.update(joined_at=long_ago)
    Ticket.objects.exclude(ended_at=None).update(ended_at=long_ago)
    Session.objects.update(started_at=long_ago)
    Session.objects.exclude(ended_at=None).update(ended_at=long_ago)
    LogEntry.objects.update(at=long_ago)
    settings.QUEUE_KEEP_DAYS = 0
    forget()
    assert Ticket.objects.count() == 4
    settings.QUEUE_KEEP_DAYS = 30
    forget()
    assert not LogEntry.objects.exists()
    assert {ticket.client_id for ticket in Ticket.objects.all()} == {"a", "d"}, "one is in, one waits"
    assert Session.objects.get().client_id == "a"
    line.join("e")
    assert line.ticket("e").position == 5


def test_a_token_is_one_clients(line: LineOfTests) -> None:
    tomorrow = ago(days=-1)
    assert remember_token(digest="d", client_id="a", expires_at=tomorrow)
    assert remember_token(digest="d", client_id="a", expires_at=tomorrow), "it may have lost the answer"
    assert not remember_token(digest="d", client_id="b", expires_at=tomorrow)
    remember_token(digest="old", client_id="a", expires_at=ago(seconds=1))
    forget()
    assert [token.digest for token in UsedToken.objects.all()] == ["d"]

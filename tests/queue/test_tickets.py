"""Tickets: who gets which place, who is admitted when, and what a lost connection or a failed login does."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from queue.models import NeverWaits, Session, Ticket
from queue.services.commands import MAX_LOGINS_FOR_A_PLACE, Enter, Fail, Hold, Join, Leave, commit
from queue.services.sessions import confirm_delivery, end_session, refresh_session
from queue.services.tickets import admit_ticket, move_to_front, remove_ticket
from realtime.errors import Refused
from tests.queue.line import PROCESS, LineOfTests

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Room for two."""
    line = LineOfTests()
    line.policy(capacity=2)
    return line


def test_those_who_find_room_are_admitted_at_once_the_others_wait_in_order(line: LineOfTests) -> None:
    tickets = line.join(*"abcde")
    assert [ticket.position for ticket in tickets] == [1, 2, 3, 4, 5]
    assert line.states(*"abcde") == ["admitted", "admitted", "waiting", "waiting", "waiting"]
    assert len({ticket.ticket_id for ticket in tickets}) == 5
    assert line.audit().most_occupied == 2


def test_who_joins_is_told_the_ends_of_the_line_as_they_are_then(line: LineOfTests) -> None:
    assert [(joined.head, joined.tail) for joined in line.joined("a")] == [(2, 1)]
    assert [(joined.head, joined.tail) for joined in line.joined("b", "c", "d")] == [(3, 4)] * 3


def test_a_session_that_ends_lets_the_next_in_within_the_same_change(line: LineOfTests) -> None:
    line.join(*"abc")
    end_session(session_id=line.enter("a").session_id, actor="the test")
    assert line.states(*"abc") == ["entered", "admitted", "admitted"]
    line.audit()


def test_who_is_away_is_passed_over_and_keeps_the_place(line: LineOfTests) -> None:
    line.join(*"abcde")
    line.leave("c")
    end_session(session_id=line.enter("a").session_id, actor="the test")
    assert line.states("c", "d") == ["waiting", "admitted"]
    back = line.join("c")[0]
    assert (back.position, back.state) == (3, "waiting")
    line.refuse("b")
    assert line.states("c", "e") == ["admitted", "waiting"], "in front again"
    line.audit()


def test_a_newer_connection_takes_the_ticket_over(line: LineOfTests) -> None:
    line.join(*"abc")
    older = line.connection("c")
    ticket = line.join("c", process="proc_other")[0]
    assert (ticket.position, ticket.holder) == (3, "proc_other")
    commit([Leave("c", ticket.ticket_id, older)])
    assert line.ticket("c").holder == "proc_other", "the older one's end changes nothing"


def test_the_same_connection_that_asks_again_gets_the_same(line: LineOfTests) -> None:
    line.join(*"abc")
    before = len(line.log())
    again = line.do(Join("c", "web", 1, PROCESS, line.connection("c")))[0].ticket
    assert (again.position, again.login_type) == (3, 1)
    assert len(line.log()) == before


def test_a_connection_that_is_lost_while_logging_in_gives_the_place_to_the_next(line: LineOfTests) -> None:
    line.join(*"abc")
    line.leave("a")
    assert line.states(*"abc") == ["waiting", "admitted", "admitted"]
    line.join("a")
    line.refuse("b")
    assert line.states("a") == ["admitted"], "it is in front of everybody else"
    line.audit()


def test_a_login_that_comes_too_late_lets_nobody_in(line: LineOfTests) -> None:
    ticket = line.join("a")[0]
    first = line.connection("a")
    line.join("a")
    with pytest.raises(Refused) as refused:
        line.do(Enter("a", ticket.ticket_id, first, "digest"))
    assert refused.value.code == "NOT_ADMITTED"
    assert not Session.objects.exists()
    line.enter("a")
    line.audit()


def test_a_refusal_frees_the_place_and_a_new_login_goes_to_the_tail(line: LineOfTests) -> None:
    line.join(*"abc")
    line.refuse("a", 401)
    assert line.states(*"abc") == ["refused", "admitted", "admitted"]
    assert line.ticket("a").status_code == 401
    assert line.join("a")[0].position == 4


def test_a_main_server_that_fails_costs_nobody_the_place(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.fail("a")
    assert line.states(*"abcd") == ["waiting", "admitted", "waiting", "waiting"]
    assert line.join("a")[0].position == 1
    assert line.states("a", "c") == ["waiting", "waiting"], "one tries whether it works again, and b does"
    line.enter("b")
    assert line.states("a") == ["admitted"]
    line.audit()


def test_who_was_told_to_try_again_keeps_the_place_for_as_long_as_it_is_there(line: LineOfTests) -> None:
    line.join(*"abc")
    line.fail("a")
    resting = line.ticket("a")
    assert (resting.holder, resting.resting, resting.inactive_since) == (PROCESS, True, None)
    line.enter("b")
    assert line.states("a", "c") == ["waiting", "admitted"], "it is passed over, having been told"
    again = line.do(Join("a", "web", 4, PROCESS, line.connection("a")))[0].ticket
    assert (again.position, again.resting) == (1, False)
    line.audit()
    line.fail("c")
    line.leave("c")
    assert line.ticket("c").inactive_since is not None
    line.audit()


def test_one_providers_trouble_does_not_slow_the_others(line: LineOfTests) -> None:
    line.policy(capacity=10)
    line.join("a")
    line.do(Fail(*line.known("a"), for_all=False))
    line.join(*"bcd")
    assert line.states(*"bcd") == ["admitted"] * 3


def test_a_failing_main_server_is_tried_by_one_at_a_time(line: LineOfTests) -> None:
    line.policy(capacity=10)
    line.join("a")
    line.fail("a")
    line.join(*"bcd")
    assert line.states(*"bcd") == ["admitted", "waiting", "waiting"]
    line.fail("b")
    assert line.states(*"bcd") == ["waiting", "admitted", "waiting"]
    line.enter("c")
    assert line.states("d") == ["admitted"], "it works: everyone for whom there is room"
    line.audit()


class TestTheAnswerThatWasLost:
    """A client was let in, and its connection broke before it had its credential."""

    def test_it_logs_in_again_on_the_place_it_has(self, line: LineOfTests) -> None:
        line.join("a", "b", "c")
        first = line.enter("a")
        line.join("a")
        assert line.states("a", "c") == ["admitted", "waiting"]
        again = line.enter("a")
        assert (again.session_id, again.logins) == (first.session_id, 2)
        assert Session.objects.filter(ended_at=None).count() == 1
        assert line.audit().occupied == 2

    def test_not_if_it_has_confirmed_that_it_got_it(self, line: LineOfTests) -> None:
        line.join("a", "b")
        confirm_delivery(session_id=line.enter("a").session_id)
        line.join("a")
        assert line.states("a") == ["waiting"]

    def test_not_if_the_main_server_has_seen_it(self, line: LineOfTests) -> None:
        line.join("a", "b")
        refresh_session(session_id=line.enter("a").session_id)
        line.join("a")
        assert line.states("a") == ["waiting"]

    def test_not_over_the_very_connection_that_is_about_to_get_it(self, line: LineOfTests) -> None:
        line.join("a", "b")
        line.enter("a")
        again = line.do(Join("a", "web", 4, PROCESS, line.connection("a")))[0].ticket
        assert again.state == "waiting"

    def test_not_for_ever(self, line: LineOfTests) -> None:
        line.join("a", "b")
        for _ in range(MAX_LOGINS_FOR_A_PLACE):
            line.enter("a")
            line.join("a")
        assert line.states("a") == ["waiting"]

    def test_a_session_that_ends_meanwhile_takes_its_place_along(self, line: LineOfTests) -> None:
        line.join("a", "b", "c")
        session = line.enter("a")
        line.join("a")
        end_session(session_id=session.session_id, actor="the test")
        assert line.states("c") == ["admitted"]
        with pytest.raises(Refused):
            line.enter("a")
        assert line.states("a") == ["waiting"], "with two others in, there is no place any more"
        line.audit()


# --- Rules an operator makes ------------------------------------------------------------------------------


def test_nobody_is_admitted_while_the_line_is_paused(line: LineOfTests) -> None:
    line.policy(paused=True)
    line.join(*"abc")
    assert line.states(*"abc") == ["waiting"] * 3
    line.policy(paused=False)
    assert line.states(*"abc") == ["admitted", "admitted", "waiting"]


def test_with_the_queue_off_everyone_is_let_in(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.policy(enabled=False)
    assert line.states(*"abcd") == ["admitted"] * 4
    assert line.log()[-1]["reason"] == "queue_off"


def test_more_capacity_lets_the_next_in_less_sends_nobody_away(line: LineOfTests) -> None:
    line.join(*"abcd")
    line.policy(capacity=3)
    assert line.states(*"abcd") == ["admitted"] * 3 + ["waiting"]
    line.policy(capacity=1)
    line.refuse("a")
    line.refuse("b")
    assert line.states("c", "d") == ["admitted", "waiting"], "as many as there are places are in already"
    line.audit()


def test_no_more_than_the_interval_allows(line: LineOfTests) -> None:
    line.policy(capacity=100, admit_per_interval=3, interval_s=3_600)
    line.join(*"abcde")
    assert line.states(*"abcde") == ["admitted"] * 3 + ["waiting"] * 2


def test_some_ids_never_wait(line: LineOfTests) -> None:
    line.join(*"abc")
    NeverWaits.objects.create(client_id="boss")
    line.join("boss")
    assert line.states("boss", "c") == ["admitted", "waiting"]
    line.enter("boss")
    line.policy(paused=True)
    NeverWaits.objects.create(client_id="vip")
    line.join("vip")
    assert line.states("vip") == ["waiting"], "the stop button stops everybody"
    line.policy(paused=False)
    assert line.states("vip") == ["admitted"]
    line.refuse("vip")
    line.refuse("a")
    assert line.states("c") == ["waiting"], "the place that the boss takes counts"
    assert line.audit().occupied == 2


def test_an_operator_lets_somebody_in_now(line: LineOfTests) -> None:
    line.join(*"abcd")
    admit_ticket(ticket_id=line.ticket("d").ticket_id, actor="Ola")
    assert line.states("c", "d") == ["waiting", "admitted"]
    assert line.log()[-1]["note"] == "by Ola"
    line.leave("c")
    with pytest.raises(Refused) as refused:
        admit_ticket(ticket_id=line.ticket("c").ticket_id, actor="Ola")
    assert refused.value.code == "NOT_THERE"
    line.audit()


def test_an_operator_puts_somebody_to_the_front(line: LineOfTests) -> None:
    line.join(*"abcde")
    move_to_front(ticket_id=line.ticket("e").ticket_id, actor="Ola")
    assert line.ticket("e").position == 0, "before the first in line, past those who may be put back"
    before = line.log()
    move_to_front(ticket_id=line.ticket("e").ticket_id, actor="Ola")
    assert line.log() == before, "it is there already"
    line.refuse("a")
    assert line.states("c", "e") == ["waiting", "admitted"]
    line.leave("b")
    assert line.ticket("b").position == 2
    move_to_front(ticket_id=line.ticket("d").ticket_id, actor="Ola")
    assert line.ticket("d").position == 1
    line.audit()


def test_the_front_of_a_line_that_never_moved_has_positions_below_one(line: LineOfTests) -> None:
    line.policy(paused=True)
    line.join("a", "b")
    move_to_front(ticket_id=line.ticket("b").ticket_id, actor="Ola")
    assert line.ticket("b").position == 0


def test_an_operator_takes_somebody_out(line: LineOfTests) -> None:
    line.join(*"abcd")
    remove_ticket(ticket_id=line.ticket("c").ticket_id, actor="Ola")
    assert line.states("c") == ["removed"]
    assert line.join("c")[0].position == 5
    for act in (remove_ticket, admit_ticket, move_to_front):
        with pytest.raises(Refused, match="UNKNOWN_TICKET"):
            act(ticket_id="nobody has it", actor="Ola")
    remove_ticket(ticket_id=line.ticket("a").ticket_id, actor="Ola")
    assert line.states("a", "d") == ["removed", "admitted"], "also who is on the way"
    for act in (remove_ticket, admit_ticket, move_to_front):
        with pytest.raises(Refused, match="NOT_WAITING"):
            act(ticket_id=line.ticket("a").ticket_id, actor="Ola")
    line.audit()


def test_who_was_let_go_by_mistake_says_so_and_is_back(line: LineOfTests) -> None:
    line.join(*"abc")
    ticket = line.ticket("c")
    Ticket.objects.filter(client_id="c").update(holder="")
    held = line.do(Hold("c", ticket.ticket_id, PROCESS, line.connection("c")))[0]
    assert held.holder == PROCESS
    line.join("c", process="proc_other")
    held = line.do(Hold("c", ticket.ticket_id, PROCESS, "c.1"))[0]
    assert (held.holder, held.connection) == ("proc_other", "c.2"), "somebody else has it"


# --- Many at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 50, 300])
def test_the_number_of_queries_does_not_grow_with_that_of_commands(line: LineOfTests, count: int) -> None:
    line.join(*"ab")
    clients = [f"c{number}" for number in range(count)]
    with CaptureQueriesContext(connection) as queries:
        line.join(*clients)
    # Tickets and entries are inserted in statements of some tens of rows each on SQLite.
    few = [query for query in queries.captured_queries if not query["sql"].startswith("INSERT")]
    assert len(few) <= 16, [query["sql"][:120] for query in few]

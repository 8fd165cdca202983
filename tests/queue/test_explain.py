"""Why somebody was let in first: each case by itself, and whatever happens, against what the rows said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queue.models import LogEntry, NeverWaits, Session, Ticket
from queue.selectors.explain import Why, count_overtaken_by, overtaken_by
from queue.services.commands import Hold, Join
from queue.services.sessions import end_session
from queue.services.tickets import admit_ticket, move_to_front, remove_ticket
from queue.services.upkeep import remove_stale
from realtime.errors import Refused
from tests.queue.line import PROCESS, LineOfTests

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Nobody is let in yet."""
    line = LineOfTests()
    line.policy(capacity=0)
    return line


def told(line: LineOfTests, client: str) -> list[tuple[str, str, str]]:
    return [(one.client_id, one.why, one.reason) for one in overtaken_by(line.ticket(client))]


def clock(kind: str, client: str, line: LineOfTests, last: bool = False) -> str:
    entries = LogEntry.objects.filter(ticket=line.ticket(client), kind=kind).order_by("seq")
    return f"{list(entries)[-1 if last else 0].at:%H:%M:%S}"


def test_nobody_overtakes_where_all_goes_in_order(line: LineOfTests) -> None:
    line.join("ann", "ben", "cem")
    line.policy(capacity=3)
    assert [told(line, client) for client in ("ann", "ben", "cem")] == [[], [], []]


def test_whoever_is_away_is_passed_over(line: LineOfTests) -> None:
    line.join("ann", "ben", "cem")
    line.leave("ann")
    line.policy(capacity=1)
    left = clock("left", "ann", line)
    assert told(line, "ann") == [("ben", Why.AWAY, f"This one had no connection, since {left}.")]
    line.join("ann")
    back = clock("returned", "ann", line)
    line.policy(capacity=3)
    assert told(line, "ann") == [("ben", Why.AWAY, f"This one had no connection, from {left} to {back}.")]
    assert told(line, "cem") == []
    (overtaking,) = overtaken_by(line.ticket("ann"))
    ben = line.ticket("ben")
    assert (overtaking.position, overtaking.ticket_id, overtaking.admitted_at) == (
        2,
        ben.ticket_id,
        ben.admitted_at,
    )


def test_whoever_logs_in_itself_and_is_put_back_was_not_passed_over_in_line(line: LineOfTests) -> None:
    line.join("ann", "ben")
    line.policy(capacity=2)
    line.join("ann")  # over another connection
    since = clock("admitted", "ann", line)
    put_back = clock("put_back", "ann", line)
    note = "another connection took over"
    assert told(line, "ann") == [
        (
            "ben",
            Why.LOGGING_IN,
            f"This one was logging in itself, from {since} to {put_back}, and was put back ({note}).",
        )
    ]


def test_whoever_is_put_back_has_overtaken_nobody(line: LineOfTests) -> None:
    line.join("ann", "ben")
    line.leave("ann")
    line.policy(capacity=1)
    line.fail("ben")
    line.join("ann")
    assert line.states("ann", "ben") == ["admitted", "waiting"]
    assert told(line, "ann") == []


@pytest.mark.parametrize(
    ("how", "why", "reason"),
    [
        (lambda ticket_id: admit_ticket(ticket_id=ticket_id, actor="eve"), Why.BY_HAND, "by hand by eve."),
        (lambda ticket_id: move_to_front(ticket_id=ticket_id, actor="eve"), Why.MOVED, "front by eve, "),
    ],
)
def test_an_operator_is_named(line: LineOfTests, how: Any, why: Why, reason: str) -> None:
    line.join("ann", "ben")
    how(line.ticket("ben").ticket_id)
    line.policy(capacity=1)
    ((client, told_why, told_reason),) = told(line, "ann")
    assert (client, told_why) == ("ben", why)
    assert reason in told_reason
    assert overtaken_by(line.ticket("ann"))[0].position == 2, "the one it joined with"


def test_some_never_wait(line: LineOfTests) -> None:
    NeverWaits.objects.create(client_id="vip")
    line.join("ann", "vip")
    assert [(client, why) for client, why, _ in told(line, "ann")] == [("vip", Why.NEVER_WAITS)]


def test_some_had_a_place_already(line: LineOfTests) -> None:
    line.policy(capacity=1)
    line.join("ben")
    line.enter("ben")
    line.join("ann", "ben")
    assert [(client, why) for client, why, _ in told(line, "ann")] == [("ben", Why.RESUMED)]


def test_only_what_happened_while_it_was_in_line_counts(line: LineOfTests) -> None:
    line.join("ann", "ben", "cem", "dan")
    line.leave("ann")
    remove_ticket(ticket_id=line.ticket("ann").ticket_id, actor="eve")
    line.policy(capacity=1)
    line.join("ann")
    assert [told(line, client) for client in ("ann", "cem", "dan")] == [[], [], []]
    assert overtaken_by(Ticket.objects.get(client_id="ann", state="removed")) == []


def test_a_client_that_logs_in_again_on_the_same_connection_is_there_again(line: LineOfTests) -> None:
    """After a main server that failed its connection is the one it had, and nothing says that it came."""
    line.join("ann", "ben")
    line.policy(capacity=1)
    line.fail("ann")
    line.enter("ben")
    line.do(Join("ann", "web", 4, PROCESS, line.connection("ann")))
    assert line.kinds()[-1] == "returned"
    assert told(line, "ann")[0][1] == Why.AWAY


def test_a_list_has_an_end_and_a_cost(line: LineOfTests) -> None:
    line.join("ann", *(f"other{number}" for number in range(9)))
    line.leave("ann")
    line.policy(capacity=9)
    ticket = line.ticket("ann")
    with CaptureQueriesContext(connection) as queries:
        assert [one.client_id for one in overtaken_by(ticket, limit=3)] == ["other0", "other1", "other2"]
    assert len(queries) == 3
    assert count_overtaken_by(ticket) == 9


# --- Whatever happens ------------------------------------------------------------------------------------

CLIENTS = ("ann", "ben", "cem", "dan")
VIP = "vip"


@dataclass
class Passing:
    """An admission as it was seen from outside: what became true of the rows in one step."""

    ticket_id: str
    step: int
    order: int
    deed: tuple[str, str]
    """What was done in this step, and the client it was done to."""
    rows: dict[str, Ticket]
    """All tickets after the step: nothing follows on its admissions."""
    admitted_before: set[str]
    """In this same step."""


@dataclass
class Witness:
    """Looks at the rows after each step, and never at the log."""

    line: LineOfTests
    rows: dict[str, Ticket] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    passings: list[Passing] = field(default_factory=list)
    put_back: list[tuple[str, int]] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    ended: dict[str, int] = field(default_factory=dict)
    step: int = 0

    def look(self, deed: tuple[str, str]) -> None:
        self.step += 1
        before, self.rows = self.rows, {ticket.ticket_id: ticket for ticket in Ticket.objects.all()}
        self.joined += sorted(set(self.rows) - set(before), key=lambda pk: self.rows[pk].position)
        admitted = [pk for pk, row in self.rows.items() if self._went(before.get(pk), row)]
        for pk, row in self.rows.items():
            was = before.get(pk)
            if was and was.state == "admitted" and (row.state == "waiting" or pk in admitted):
                self.put_back.append((pk, self.step))
            if row.ended_at and pk not in self.ended:
                self.ended[pk] = self.step
            if was and was.position != row.position:
                self.moved.add(pk)
        # A deed's own admission comes first, then who never waits, the others by position.
        admitted.sort(
            key=lambda pk: (
                not self._is_own(pk, deed),
                self.rows[pk].client_id != VIP,
                self.rows[pk].position,
            )
        )
        for order, pk in enumerate(admitted):
            self.passings.append(Passing(pk, self.step, order, deed, self.rows, set(admitted[:order])))

    def _is_own(self, pk: str, deed: tuple[str, str]) -> bool:
        row = self.rows[pk]
        return row.client_id == deed[1] and (deed[0] == "admit" or (deed[0] == "join" and bool(row.replaces)))

    def _went(self, was: Ticket | None, row: Ticket) -> bool:
        return row.admitted_at is not None and (was is None or was.admitted_at != row.admitted_at)

    def overtakers(self, pk: str) -> dict[str, Passing]:
        """By their tickets: those who joined later, were admitted before it was for good, and stayed so."""
        gone = self.last_seen(pk)
        found: dict[str, Passing] = {}
        for passing in self.passings:
            other = passing.ticket_id
            when = (passing.step, passing.order)
            if self.joined.index(other) <= self.joined.index(pk) or when >= gone:
                continue
            if not any(back == other and when < (step, 0) <= gone for back, step in self.put_back):
                found[other] = passing
        return found

    def last_seen(self, pk: str) -> tuple[float, float]:
        """When it was admitted for good, or left the line otherwise."""
        own = [passing for passing in self.passings if passing.ticket_id == pk]
        if own and not any(back == pk and step > own[-1].step for back, step in self.put_back):
            return (own[-1].step, own[-1].order)
        if pk in self.ended:
            return (self.ended[pk], -1)
        return (float("inf"), 0)

    def is_true(self, why: Why, pk: str, passing: Passing) -> bool:
        """Whether the reason was one, as far as the rows tell."""
        other, own = passing.rows[passing.ticket_id], passing.rows[pk]
        mine = passing.deed[1] == other.client_id
        resumed = bool(other.replaces) and mine and passing.deed[0] == "join"
        if why == Why.BY_HAND:
            return mine and passing.deed[0] == "admit"
        if why == Why.NEVER_WAITS:
            return other.client_id == VIP and not resumed and not (mine and passing.deed[0] == "admit")
        if why == Why.RESUMED:
            return resumed
        if why == Why.LOGGING_IN:
            in_the_same_step = own.admitted_at == other.admitted_at
            return own.state == "admitted" and (not in_the_same_step or pk in passing.admitted_before)
        if why == Why.AWAY:
            return own.state == "waiting" and (not own.holder or own.resting)
        if why == Why.MOVED:
            return passing.ticket_id in self.moved and other.position < own.position
        return False


def deed(witness: Witness, name: str, client: str) -> None:
    """Do it, as far as it makes sense now."""
    line = witness.line
    tickets = Ticket.objects.filter(client_id=client).order_by("-joined_at", "-position")
    ticket = tickets.first()
    if name == "join":
        line.join(client)
    elif name == "more room":
        line.policy(capacity=Session.objects.filter(ended_at=None).count() + 2)
    elif name == "no room":
        line.policy(capacity=0)
    elif name in ("off", "on"):
        line.policy(enabled=name == "on")
    elif name in ("pause", "go on"):
        line.policy(paused=name == "pause")
    elif ticket is not None and name in ("admit", "move", "remove"):
        change = {"admit": admit_ticket, "move": move_to_front, "remove": remove_ticket}[name]
        change(ticket_id=ticket.ticket_id, actor="eve")
    elif ticket is not None and name == "stale":
        remove_stale(seconds=0)
    elif ticket is not None and name == "end":
        for session in Session.objects.filter(client_id=client, ended_at=None):
            end_session(session_id=session.session_id, actor="eve")
    elif ticket is not None and name == "hold":
        line.do(Hold(client, ticket.ticket_id, PROCESS, line.connection(client)))
    elif ticket is not None and name == "again":
        line.do(Join(client, "web", 4, PROCESS, line.connection(client)))
    elif ticket is not None:
        {"leave": line.leave, "enter": line.enter, "refuse": line.refuse, "fail": line.fail}[name](client)


DEEDS = st.tuples(
    st.sampled_from(
        ["join"] * 4
        + ["leave", "again", "hold", "enter", "refuse", "fail", "admit", "move", "remove", "stale", "end"]
        + ["more room"] * 3
        + ["no room", "off", "on", "pause", "go on"]
    ),
    st.sampled_from([*CLIENTS, VIP]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, min_size=8, max_size=30))
def test_every_overtaking_has_a_reason_that_was_true(deeds: list[tuple[str, str]]) -> None:
    LogEntry.objects.all().delete()
    Session.objects.all().delete()
    Ticket.objects.all().delete()
    NeverWaits.objects.get_or_create(client_id=VIP)
    line = LineOfTests()
    line.policy(capacity=0, enabled=True, paused=False, admit_per_interval=100_000, interval_s=1)
    line.join(*CLIENTS[:2])
    witness = Witness(line)
    witness.look(("join", ""))
    for name, client in deeds:
        try:
            deed(witness, name, client)
        except Refused:
            continue
        witness.look((name, client))
    for ticket in Ticket.objects.all():
        seen = witness.overtakers(ticket.ticket_id)
        explained = overtaken_by(ticket)
        assert {one.ticket_id for one in explained} == set(seen)
        assert len(explained) == len(seen) == count_overtaken_by(ticket)
        for one in explained:
            assert witness.is_true(one.why, ticket.ticket_id, seen[one.ticket_id]), one

"""Days in which anything happens: whatever it is, the admission log holds what was promised."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from queue.models import NeverWaits, Session, Ticket
from queue.services.commands import Command, Enter, Fail, Leave, Refuse, commit
from queue.services.sessions import end_session
from queue.services.tickets import admit_ticket, move_to_front, remove_ticket
from realtime.errors import Refused
from tests.queue.line import LineOfTests

CLIENTS = [f"c{number}" for number in range(8)]
DOINGS = 40


class Day:
    """One day. `dice` decide about everything."""

    def __init__(self, dice: random.Random, capacity: int) -> None:
        self.dice = dice
        self.line = LineOfTests()
        self.line.policy(capacity=capacity)
        NeverWaits.objects.create(client_id=CLIENTS[0])

    def clients_do(self, count: int) -> None:
        """So many clients do something, in one transaction."""
        commit([self._command(client) for client in self.dice.sample(CLIENTS, count)])

    def _command(self, client: str) -> Command:
        if not Ticket.objects.filter(client_id=client).exists():
            return self.line.new_join(client)
        known = self.line.known(client)
        doings: list[Callable[[], Command]] = [
            lambda: Leave(*known),
            lambda: Refuse(*known, 403),
            lambda: Fail(*known),
            lambda: Enter(*known, "digest"),
            lambda: Enter(*known, "digest"),
            lambda: self.line.new_join(client),
        ]
        return self.dice.choice(doings)()

    def operator_does(self) -> None:
        """Something is done by hand."""
        ticket_id = self.dice.choice(list(Ticket.objects.order_by("position"))).ticket_id
        session = Session.objects.filter(ended_at=None).first()
        try:
            match self.dice.randrange(5):
                case 0:
                    admit_ticket(ticket_id=ticket_id, actor="Ola")
                case 1:
                    move_to_front(ticket_id=ticket_id, actor="Ola")
                case 2:
                    remove_ticket(ticket_id=ticket_id, actor="Ola")
                case 3 if session is not None:
                    end_session(session_id=session.session_id, actor="Ola")
                case _:
                    self.line.policy(capacity=self.dice.randint(1, 6))
        except Refused:
            pass

    def check(self) -> None:
        """The log breaks no rule, and tells of the state that the database has."""
        audit = self.line.audit()
        for ticket in Ticket.objects.all():
            held = audit.tickets[ticket.ticket_id]
            assert (held.state, held.position) == (ticket.state, ticket.position)
            if ticket.state in ("waiting", "admitted"):
                assert held.active == (bool(ticket.holder) and not ticket.resting)
        assert audit.sessions == Session.objects.filter(ended_at=None).count()


@pytest.mark.django_db
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), capacity=st.integers(1, 4), together=st.integers(1, 5))
def test_whatever_happens_the_log_holds_what_was_promised(seed: int, capacity: int, together: int) -> None:
    with transaction.atomic():
        day = Day(random.Random(seed), capacity)
        for _ in range(DOINGS // together):
            day.clients_do(together)
            if day.dice.random() < 0.3:
                day.operator_does()
        day.check()
        transaction.set_rollback(True)

"""Changing the line: one change after the other, each with its entries in the log, each ending in admission.

::

    with change() as book:
        book.load(client_ids=["a"])
        ...  # decide, change tickets, book.record(...)

`change` locks the line until the commit, so that what is read inside is still true when it is committed,
in any number of processes. Before it is, whoever can be admitted is: nothing that makes room has to think of
it. After the commit every process is told; it hears of the tickets whose connections it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from queue import rules
from queue.models import (
    Line,
    LogEntry,
    LogKind,
    NeverWaits,
    Policy,
    Reason,
    Session,
    Ticket,
    TicketState,
)
from queue.selectors.line import OPEN, count_logging_in, count_occupied, load_policy, next_in_line
from realtime import runtime
from realtime.db import lock_only_row

TOLD = "queue.told"
"""The bus message after a commit: ``{"tickets": [[kind, ticket_id, holder, connection, position], ...]}``."""

_TICKET_FIELDS: Final = [
    *("platform", "login_type", "position", "state", "holder", "connection", "resting", "replaces"),
    *("inactive_since", "admitted_at", "ended_at", "wait_ms", "status_code"),
]
_SESSION_FIELDS: Final = [*("ticket", "platform", "jwt_digest", "seen_at", "ended_at", "expired", "logins")]


class Book:
    """The line in one transaction: what was read of it, and what is to be written."""

    def __init__(self, line: Line, policy: Policy) -> None:
        self.now = timezone.now()
        self.line = line
        self.policy = policy
        self.more = False
        """Whether there was more to admit than one transaction takes."""
        self._tickets: dict[str, Ticket] = {}
        self._open: dict[str, Ticket] = {}
        self._sessions: dict[str, Session] = {}
        self._changed: dict[str, Ticket] = {}
        self._changed_sessions: dict[str, Session] = {}
        self._entries: list[LogEntry] = []
        self._told: list[list[Any]] = []
        self._admitted = 0
        self._closed = False

    # -- reading -----------------------------------------------------------------------------

    def load(self, *, client_ids: Collection[str] = (), ticket_ids: Collection[str] = ()) -> None:
        """Read what is needed of these. One query for tickets by id, two for clients."""
        if ticket_ids:
            self.know(*Ticket.objects.filter(ticket_id__in=ticket_ids))
        if client_ids:
            self.know(*Ticket.objects.filter(client_id__in=client_ids, state__in=OPEN))
            alive = Session.objects.filter(client_id__in=client_ids, ended_at=None, delivered=False)
            self._sessions |= {session.client_id: session for session in alive.select_related("ticket")}

    def know(self, *tickets: Ticket) -> None:
        """Take tickets that were read inside this change. One that is known already stays as it is."""
        for ticket in tickets:
            known = self._tickets.setdefault(ticket.ticket_id, ticket)
            if known.state in OPEN:
                self._open[known.client_id] = known

    def ticket(self, ticket_id: str) -> Ticket | None:
        """A loaded ticket."""
        return self._tickets.get(ticket_id)

    def open_ticket(self, client_id: str) -> Ticket | None:
        """The ticket with which this client is in line; the client must be loaded."""
        ticket = self._open.get(client_id)
        return ticket if ticket is not None and ticket.state in OPEN else None

    def undelivered_session(self, client_id: str) -> Session | None:
        """The session of a client that never got its answer; the client must be loaded."""
        return self._sessions.get(client_id)

    # -- writing -----------------------------------------------------------------------------

    def next_position(self) -> int:
        """A position at the tail."""
        self.line.last_position += 1
        return self.line.last_position

    def add(self, ticket: Ticket) -> None:
        """A new ticket."""
        self.know(ticket)
        self.change(ticket)

    def change(self, ticket: Ticket) -> None:
        """Write this ticket at the end."""
        self._changed[ticket.ticket_id] = ticket

    def change_session(self, session: Session) -> None:
        """Write this session at the end."""
        self._changed_sessions[session.session_id] = session

    def record(self, kind: LogKind, ticket: Ticket | None = None, **fields: Any) -> LogEntry:
        """Add an entry to the log."""
        self.line.last_seq += 1
        entry = LogEntry(
            seq=self.line.last_seq,
            at=self.now,
            kind=kind,
            ticket=ticket,
            position=ticket.position if ticket else None,
            **fields,
        )
        self._entries.append(entry)
        return entry

    def tell(self, kind: str, ticket: Ticket) -> None:
        """Have the process that holds the ticket's connection hear of this after the commit."""
        if ticket.holder:
            self._told.append([kind, ticket.ticket_id, ticket.holder, ticket.connection, ticket.position])

    def admit(self, ticket: Ticket, reason: Reason, **fields: Any) -> None:
        """Let a ticket go to the main server."""
        ticket.state, ticket.admitted_at = TicketState.ADMITTED, self.now
        ticket.wait_ms = max(0, (self.now - ticket.joined_at) // timedelta(milliseconds=1))
        self._admitted += 1
        self.change(ticket)
        self.record(LogKind.ADMITTED, ticket, reason=reason, **fields)
        self.tell("admitted", ticket)

    def put_back(self, ticket: Ticket, note: str = "") -> None:
        """An admitted ticket waits again, in its place."""
        ticket.state, ticket.admitted_at, ticket.wait_ms = TicketState.WAITING, None, None
        ticket.replaces = ""
        self.change(ticket)
        self.record(LogKind.PUT_BACK, ticket, note=note)

    # -- the end of a change -------------------------------------------------------------------

    def close(self) -> None:
        """Admit whom one can, and write. `change` does it; who wants to see what came of it does before."""
        if self._closed:
            return
        self._closed = True
        self._write_changed()
        self._admit_next()
        self._write_changed()
        if self.line.tokens_at is not None and self.line.tokens_at > self.now:
            self.line.tokens_at = self.now  # the clock was set back: the bucket fills from here
        if self._admitted:
            self.line.tokens = max(0.0, self._tokens() - self._admitted)
            self.line.tokens_at = self.now
        LogEntry.objects.bulk_create(self._entries)
        self.line.save()
        if self._told:
            told = self._told
            # Robust: what fails here must not look as if the commit had.
            transaction.on_commit(
                lambda: runtime.send_from_thread(runtime.EVERY_PROCESS, TOLD, {"tickets": told}), robust=True
            )

    def _admit_next(self) -> None:
        """The admission step: the first in line that are there, as many as there are places for."""
        policy = self.policy.rules
        if policy.paused:
            return
        never_wait = next_in_line().filter(client_id__in=NeverWaits.objects.values("client_id"))
        self.know(*(found := list(never_wait)))
        for row in found:
            self.admit(self._tickets[row.ticket_id], Reason.NEVER_WAITS)
        self._write_changed()
        logging_in = count_logging_in()
        taken = count_occupied(self.line)
        free = rules.places(
            policy,
            taken=taken,
            logging_in=logging_in,
            tokens=self._tokens() - self._admitted,
            failing=self.line.failing,
        )
        if not free:
            return
        found = list(next_in_line()[: free + 1])
        line_left = len(found) > free
        self.know(*found)
        for number, row in enumerate(found[:free], 1):
            self.admit(
                self._tickets[row.ticket_id],
                Reason.TURN if policy.enabled else Reason.QUEUE_OFF,
                occupied=taken + number,
                capacity=policy.capacity,
                line_left=line_left,
            )
        self.more = line_left and free == rules.MAX_ADMITTED_AT_ONCE

    def _tokens(self) -> float:
        elapsed_s = (self.now - self.line.tokens_at).total_seconds() if self.line.tokens_at else 0.0
        return rules.refilled(self.line.tokens, elapsed_s, self.policy.rules)

    def _write_changed(self) -> None:
        # An upsert writes new and changed rows alike, any number in one statement.
        if self._changed:
            Ticket.objects.bulk_create(
                list(self._changed.values()),
                update_conflicts=True,
                unique_fields=["ticket_id"],
                update_fields=_TICKET_FIELDS,
            )
            self._changed = {}
        if self._changed_sessions:
            Session.objects.bulk_create(
                list(self._changed_sessions.values()),
                update_conflicts=True,
                unique_fields=["session_id"],
                update_fields=_SESSION_FIELDS,
            )
            self._changed_sessions = {}


@contextmanager
def change() -> Iterator[Book]:
    """A transaction that changes the line. Two queries to begin, four to six to end, plus its own."""
    with transaction.atomic():
        book = Book(lock_only_row(Line), load_policy())
        yield book
        book.close()

"""What connections do to the line: joining, being lost, and what the main server says to their login.

Each is a `Command`. Many share one transaction (`commit`), and each is answered after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from queue.models import LogKind, Reason, Session, Ticket, TicketState
from queue.selectors.line import OPEN, head_position
from queue.services.book import Book, change
from queue.services.tickets import end, let_go
from realtime.errors import Refused

MAX_LOGINS_FOR_A_PLACE = 3
"""A client that never got its answer may log in again on the place it has; not for ever, or friends could
share one."""


class Joined(NamedTuple):
    """A client's ticket, and the ends of the line, at one moment."""

    ticket: Ticket
    head: int
    tail: int


@dataclass(frozen=True, slots=True)
class Join:
    """A client asks for a place in line, or for the one it has. Gives `Joined`."""

    client_id: str
    platform: str
    login_type: int
    holder: str
    connection: str

    def apply(self, book: Book) -> Ticket:
        ticket = book.open_ticket(self.client_id)
        if ticket is None:
            return self._new(book)
        if ticket.connection != self.connection and ticket.state == TicketState.ADMITTED:
            # The other connection logs in, or did until now: this one does it with its own token.
            book.put_back(ticket, "another connection took over")
        if not ticket.holder or ticket.resting:
            book.record(LogKind.RETURNED, ticket)
        ticket.platform, ticket.login_type, ticket.resting = self.platform, self.login_type, False
        ticket.holder, ticket.connection, ticket.inactive_since = self.holder, self.connection, None
        book.change(ticket)
        if ticket.state == TicketState.WAITING:
            self._resume(book, ticket)
        return ticket

    def _new(self, book: Book) -> Ticket:
        ticket = Ticket(
            client_id=self.client_id,
            platform=self.platform,
            login_type=self.login_type,
            position=book.next_position(),
            holder=self.holder,
            connection=self.connection,
            joined_at=book.now,
        )
        book.add(ticket)
        book.record(LogKind.JOINED, ticket)
        self._resume(book, ticket)
        return ticket

    def _resume(self, book: Book, ticket: Ticket) -> None:
        """Go on with the place that the client has, if it never got its answer: over another connection."""
        session = book.undelivered_session(self.client_id)
        if (
            session is not None
            and session.logins < MAX_LOGINS_FOR_A_PLACE
            and session.ticket.connection != self.connection
        ):
            ticket.replaces = session.session_id
            book.admit(ticket, Reason.RESUMED)


@dataclass(frozen=True, slots=True)
class Leave:
    """The connection is gone: the ticket keeps its place, and is passed over until somebody is back."""

    client_id: str
    ticket_id: str
    connection: str

    def apply(self, book: Book) -> None:
        ticket = book.ticket(self.ticket_id)
        if ticket is None or ticket.connection != self.connection or ticket.state not in OPEN:
            return
        if ticket.holder:
            let_go(book, ticket)


@dataclass(frozen=True, slots=True)
class Hold:
    """The connection is still there, whatever was thought of its process. Gives the ticket as it is now."""

    client_id: str
    ticket_id: str
    holder: str
    connection: str

    def apply(self, book: Book) -> Ticket | None:
        ticket = book.ticket(self.ticket_id)
        if ticket is None or ticket.connection != self.connection or ticket.state != TicketState.WAITING:
            return ticket
        if not ticket.holder:
            ticket.holder, ticket.inactive_since = self.holder, None
            book.change(ticket)
            book.record(LogKind.RETURNED, ticket)
        return ticket


@dataclass(frozen=True, slots=True)
class Enter:
    """The main server has let the client in, with this credential. Gives the session.

    Raises:
        Refused: NOT_ADMITTED: the place was given back meanwhile.
    """

    client_id: str
    ticket_id: str
    connection: str
    jwt_digest: str

    def apply(self, book: Book) -> Session:
        ticket = _admitted(book, self.ticket_id, self.connection)
        book.line.failing = False
        if not ticket.replaces:
            session = Session(ticket=ticket, client_id=ticket.client_id, started_at=book.now)
        else:
            alive = book.undelivered_session(self.client_id)
            if alive is None or alive.session_id != ticket.replaces:
                # It ended while its client logged in again, and its place may be somebody else's by now.
                book.put_back(ticket, "its session ended")
                raise _not_admitted()
            session = alive
            session.ticket, session.logins = ticket, session.logins + 1
        session.platform, session.jwt_digest, session.seen_at = ticket.platform, self.jwt_digest, book.now
        book.change_session(session)
        end(book, ticket, TicketState.ENTERED, LogKind.ENTERED)
        return session


@dataclass(frozen=True, slots=True)
class Refuse:
    """The main server does not take the client's login: it leaves the line."""

    client_id: str
    ticket_id: str
    connection: str
    status_code: int

    def apply(self, book: Book) -> None:
        ticket = _admitted(book, self.ticket_id, self.connection)
        book.line.failing = False
        ticket.status_code = self.status_code
        end(book, ticket, TicketState.REFUSED, LogKind.REFUSED, note=str(self.status_code))


@dataclass(frozen=True, slots=True)
class Fail:
    """The main server does not work: the ticket keeps its place, and is passed over until its client asks.

    `for_all`: whether others would meet the same, so that one at a time tries.
    """

    client_id: str
    ticket_id: str
    connection: str
    for_all: bool = True

    def apply(self, book: Book) -> None:
        ticket = _admitted(book, self.ticket_id, self.connection)
        book.line.failing = book.line.failing or self.for_all
        book.record(LogKind.FAILED, ticket)
        book.put_back(ticket)
        ticket.resting = True
        book.record(LogKind.LEFT, ticket, note="until it asks again")


Command: TypeAlias = Join | Leave | Hold | Enter | Refuse | Fail
Outcome: TypeAlias = Joined | Ticket | Session | None


def commit(commands: Sequence[Command]) -> list[Outcome | Exception]:
    """Run commands in one transaction, in order. Ten to sixteen queries, however many commands."""
    outcomes: list[Outcome | Exception] = []
    with change() as book:
        book.load(
            client_ids={c.client_id for c in commands if isinstance(c, (Join, Enter))},
            ticket_ids={c.ticket_id for c in commands if not isinstance(c, Join)},
        )
        for command in commands:
            try:
                outcomes.append(command.apply(book))
            except Refused as refused:
                outcomes.append(refused)
        book.close()
        joins = [number for number, command in enumerate(commands) if isinstance(command, Join)]
        if joins:
            tail = book.line.last_position
            head = head_position(book.line)
            for number in joins:
                ticket = outcomes[number]
                if isinstance(ticket, Ticket):
                    outcomes[number] = Joined(ticket, head, tail)
    return outcomes


def _admitted(book: Book, ticket_id: str, connection: str) -> Ticket:
    ticket = book.ticket(ticket_id)
    if ticket is None or ticket.state != TicketState.ADMITTED or ticket.connection != connection:
        raise _not_admitted()
    return ticket


def _not_admitted() -> Refused:
    return Refused("NOT_ADMITTED", "The place was given back.")

"""What becomes of tickets: an operator's hand, and what several flows have in common.

What connections do is in `commands`. Raises: `Refused`, with a code that the API puts into its words.
"""

from __future__ import annotations

from collections.abc import Collection

from queue.models import LogKind, Reason, Ticket, TicketState
from queue.selectors.line import OPEN
from queue.services.book import Book, change
from realtime.errors import Refused


def admit_ticket(*, ticket_id: str, actor: str) -> None:
    """Let somebody in now, before all others and whatever the capacity.

    Raises:
        Refused: UNKNOWN_TICKET; NOT_WAITING; NOT_THERE where no connection waits with the ticket.
    """
    with change() as book:
        ticket = _found(book, ticket_id)
        if not ticket.holder or ticket.resting:
            raise Refused("NOT_THERE", "This client is not connected; nobody could be told.")
        book.admit(ticket, Reason.BY_HAND, note=_by(actor))


def remove_ticket(*, ticket_id: str, actor: str) -> None:
    """Take somebody out of the line, also on the way to the main server.

    Raises:
        Refused: UNKNOWN_TICKET; NOT_WAITING.
    """
    with change() as book:
        ticket = _found(book, ticket_id, OPEN)
        book.tell("removed", ticket)
        end(book, ticket, TicketState.REMOVED, LogKind.REMOVED, note=_by(actor))


def move_to_front(*, ticket_id: str, actor: str) -> None:
    """Put somebody before all who wait: to a position below the head, which may be 0 or less.

    Raises:
        Refused: UNKNOWN_TICKET; NOT_WAITING.
    """
    with change() as book:
        ticket = _found(book, ticket_id)
        first = Ticket.objects.filter(state=TicketState.WAITING).order_by("position")[0]
        if first.ticket_id == ticket.ticket_id:
            return
        # Whoever is on the way to the main server may be put back, to a position that must be free then.
        on_their_way = set(
            Ticket.objects.filter(state=TicketState.ADMITTED).values_list("position", flat=True)
        )
        before, ticket.position = ticket.position, first.position - 1
        while ticket.position in on_their_way:
            ticket.position -= 1
        book.change(ticket)
        book.record(LogKind.MOVED, ticket, note=f"from {before} {_by(actor)}")
        book.tell("moved", ticket)


# --- Parts ----------------------------------------------------------------------------------------------


def let_go(book: Book, ticket: Ticket, note: str = "") -> None:
    """Nobody waits with this open ticket any more."""
    if ticket.state == TicketState.ADMITTED:
        book.put_back(ticket, note)
    if not ticket.resting:  # else the log has it as gone already
        book.record(LogKind.LEFT, ticket, note=note)
    ticket.holder, ticket.resting, ticket.inactive_since = "", False, book.now
    book.change(ticket)


def end(book: Book, ticket: Ticket, state: TicketState, kind: LogKind, note: str = "") -> None:
    """The ticket has left the line for good."""
    ticket.state, ticket.ended_at, ticket.holder, ticket.resting = state, book.now, "", False
    book.change(ticket)
    book.record(kind, ticket, note=note)


def _found(book: Book, ticket_id: str, states: Collection[TicketState] = (TicketState.WAITING,)) -> Ticket:
    book.load(ticket_ids=[ticket_id])
    ticket = book.ticket(ticket_id)
    if ticket is None:
        raise Refused("UNKNOWN_TICKET", "There is no such ticket.")
    if ticket.state not in states:
        raise Refused("NOT_WAITING", "This ticket does not wait any more.")
    return ticket


def _by(actor: str) -> str:
    return f"by {actor}"[:150]

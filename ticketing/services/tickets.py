"""What happens to tickets, from calling somebody to being done with them. `arrivals` takes new ones.

Every function is one change of the desk: atomic, keyword-only, with the entry it recorded as its result.
`staff_id` is who does it, for a ticket of theirs; a manager passes None and may do it to any. `actor` is
who, in words, for the timeline; `origin` the connection that asked, which is answered at the entry's place.

Raises: `Refused`, with a code that the protocol and the API put into their own words.
"""

from realtime.errors import Refused
from ticketing.models import EventKind, Pick, Ticket, TicketState
from ticketing.rules import Entry
from ticketing.services.journal import Ledger, change
from ticketing.services.tokens import require_token

_ENDED = (TicketState.COMPLETED, TicketState.CANCELLED, TicketState.NO_SHOW)


def claim_ticket(
    *,
    ticket_id: int | None,
    staff_id: int,
    token_digest: str | None = None,
    actor: str = "",
    origin: str = "",
) -> Entry:
    """Call a waiting ticket to one's table, which is resumed if it was paused.

    Three queries besides those of `change`.

    Args:
        ticket_id: None stands for what is no number, and so for no ticket.
        token_digest: of the token the claim is made with, checked in the same transaction, before all else.

    Raises:
        Refused: TOKEN_INVALID, NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, TICKET_CLAIMED.
    """
    with change() as journal:
        if token_digest is not None:
            require_token(token_digest)
        pick = require_pick(staff_id)
        ticket = _open_ticket(ticket_id)
        if ticket.state == TicketState.SERVING:
            raise Refused("TICKET_CLAIMED", "This ticket is claimed already.")
        return _call(journal, ticket, pick, EventKind.CLAIMED, actor=actor, origin=origin)


def claim_next(*, staff_id: int, actor: str = "", origin: str = "") -> Entry:
    """Call the ticket that waits longest.

    Three queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, NOBODY_WAITS.
    """
    with change() as journal:
        pick = require_pick(staff_id)
        ticket = Ticket.objects.filter(state=TicketState.WAITING).order_by("id").first()
        if ticket is None:
            raise Refused("NOBODY_WAITS", "Nobody is waiting.")
        return _call(journal, ticket, pick, EventKind.CLAIMED, actor=actor, origin=origin)


def recall_ticket(*, ticket_id: int | None, staff_id: int, actor: str = "", origin: str = "") -> Entry:
    """Call a ticket of one's own once more.

    Three queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER.
    """
    with change() as journal:
        pick = require_pick(staff_id)
        ticket = _own_ticket(ticket_id, staff_id)
        return _call(journal, ticket, pick, EventKind.RECALLED, actor=actor, origin=origin)


def complete_ticket(
    *, ticket_id: int | None, staff_id: int | None, actor: str = "", origin: str = ""
) -> Entry:
    """The visitor has been served.

    Three queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER; for a manager NOT_SERVED.
    """
    return _end(EventKind.COMPLETED, ticket_id, staff_id, actor, origin)


def cancel_ticket(*, ticket_id: int | None, staff_id: int | None, actor: str = "", origin: str = "") -> Entry:
    """The visitor will not be served.

    Three queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER.
    """
    return _end(EventKind.CANCELLED, ticket_id, staff_id, actor, origin)


def cancel_left_over(*, actor: str = "") -> int:
    """Cancel what still waits from earlier days; gives how many. One change for all of them."""
    with change() as journal:
        left_over = Ticket.objects.filter(state=TicketState.WAITING, day__lt=journal.today)
        for ticket in list(left_over):
            ticket.state, ticket.ended_at = TicketState.CANCELLED, journal.now
            ticket.save(update_fields=["state", "ended_at"])
            journal.record(EventKind.CANCELLED, ticket=ticket, actor=actor)
        return len(journal.entries)


def mark_no_show(*, ticket_id: int | None, staff_id: int | None, actor: str = "", origin: str = "") -> Entry:
    """The visitor was called and did not come.

    Three queries besides those of `change`.

    Raises:
        Refused: as `complete_ticket`.
    """
    return _end(EventKind.NO_SHOW, ticket_id, staff_id, actor, origin)


def release_ticket(
    *, ticket_id: int | None, staff_id: int | None, actor: str = "", origin: str = ""
) -> Entry:
    """Put a ticket that is being served back to its place in the line.

    Three queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER, NOT_SERVED.
    """
    with change() as journal:
        pick, ticket = _allowed(ticket_id, staff_id)
        _require_served(ticket)
        owner = ticket.staff
        ticket.state, ticket.staff, ticket.called_seq = TicketState.WAITING, None, None
        ticket.save(update_fields=["state", "staff", "called_seq"])
        return journal.record(
            EventKind.RELEASED,
            ticket=ticket,
            staff=owner,
            table=pick.table if pick else ticket.table,
            actor=actor,
            origin=origin,
        )


def transfer_ticket(
    *, ticket_id: int | None, staff_id: int | None, table: int, actor: str = "", origin: str = ""
) -> Entry:
    """Hand a ticket that is being served to whoever sits at another table.

    Four queries besides those of `change`.

    Raises:
        Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER, NOT_SERVED; TABLE_EMPTY where nobody
            sits there, TABLE_PAUSED, SAME_TABLE where the ticket is there already.
    """
    with change() as journal:
        pick, ticket = _allowed(ticket_id, staff_id)
        _require_served(ticket)
        target = (
            Pick.objects.filter(table__number=table, released_at=None)
            .select_related("table", "staff")
            .first()
        )
        if target is None:
            raise Refused("TABLE_EMPTY", "Nobody is at that table.")
        if target.is_paused:
            raise Refused("TABLE_PAUSED", "That table is paused.")
        if target.staff_id == ticket.staff_id:
            raise Refused("SAME_TABLE", "The ticket is at that table already.")
        left = pick.table if pick else ticket.table
        ticket.staff, ticket.table, ticket.called_seq = target.staff, target.table, journal.next_seq
        ticket.save(update_fields=["staff", "table", "called_seq"])
        return journal.record(
            EventKind.TRANSFERRED, ticket=ticket, pick=target, left_table=left, actor=actor, origin=origin
        )


def require_pick(staff_id: int) -> Pick:
    """The open pick of a member of staff. One query.

    Raises:
        Refused: NO_TABLE.
    """
    pick = Pick.objects.filter(staff_id=staff_id, released_at=None).select_related("table", "staff").first()
    if pick is None:
        raise Refused("NO_TABLE", "You have no table.")
    return pick


# --- Parts ----------------------------------------------------------------------------------------------


def _call(journal: Ledger, ticket: Ticket, pick: Pick, kind: EventKind, *, actor: str, origin: str) -> Entry:
    if pick.is_paused:
        Pick.objects.filter(pk=pick.pk).update(is_paused=False)
        journal.record(EventKind.RESUMED, pick=pick, actor=actor)
    ticket.state, ticket.staff, ticket.table = TicketState.SERVING, pick.staff, pick.table
    ticket.claimed_at = ticket.claimed_at or journal.now
    ticket.called_seq = journal.next_seq
    ticket.save(update_fields=["state", "staff", "table", "claimed_at", "called_seq"])
    return journal.record(kind, ticket=ticket, pick=pick, actor=actor or pick.staff.name, origin=origin)


def _end(kind: EventKind, ticket_id: int | None, staff_id: int | None, actor: str, origin: str) -> Entry:
    with change() as journal:
        pick, ticket = _allowed(ticket_id, staff_id)
        if kind != EventKind.CANCELLED:
            _require_served(ticket)
        ticket.state, ticket.ended_at = TicketState(kind.value), journal.now
        ticket.save(update_fields=["state", "ended_at"])
        return journal.record(
            kind,
            ticket=ticket,
            staff=ticket.staff,
            table=pick.table if pick else ticket.table,
            actor=actor or (pick.staff.name if pick else ""),
            origin=origin,
        )


def _allowed(ticket_id: int | None, staff_id: int | None) -> tuple[Pick | None, Ticket]:
    """The ticket, if whoever asks may change it: a manager any open one, staff their own, from a table."""
    if staff_id is None:
        return None, _open_ticket(ticket_id)
    return require_pick(staff_id), _own_ticket(ticket_id, staff_id)


def _own_ticket(ticket_id: int | None, staff_id: int) -> Ticket:
    ticket = _open_ticket(ticket_id)
    if ticket.staff_id != staff_id:
        raise Refused("NOT_OWNER", "This ticket is not yours.")
    return ticket


def _open_ticket(ticket_id: int | None) -> Ticket:
    ticket = (
        Ticket.objects.filter(pk=ticket_id).select_related("staff", "table").first()
        if ticket_id is not None
        else None
    )
    if ticket is None:
        raise Refused("UNKNOWN_TICKET", "There is no such ticket.")
    if ticket.state in _ENDED:
        raise Refused("TICKET_ENDED", "The ticket has already been completed or cancelled.")
    return ticket


def _require_served(ticket: Ticket) -> None:
    if ticket.state != TicketState.SERVING:
        raise Refused("NOT_SERVED", "Nobody serves this ticket.")

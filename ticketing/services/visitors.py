"""What is known of visitors, and forgetting it."""

from realtime.errors import Refused
from ticketing.models import EventKind, Ticket, TicketState, Visitor
from ticketing.rules import email_key
from ticketing.services.journal import change


def find_name(*, email: str) -> str:
    """The name last given with that address. One query.

    Raises:
        Refused: UNKNOWN_VISITOR.
    """
    # No address has it, and not every database takes it.
    if "\x00" in email:
        raise Refused("UNKNOWN_VISITOR", "Nobody with this address has been here.")
    name = Visitor.objects.filter(email_key=email_key(email)).values_list("name", flat=True).first()
    if name is None:
        raise Refused("UNKNOWN_VISITOR", "Nobody with this address has been here.")
    return name


def erase_visitor(*, visitor: Visitor, actor: str = "") -> int:
    """Delete a visitor and take name and address out of every ticket; gives how many tickets.

    Open tickets are cancelled first, so that nobody is left waiting without a name. What remains says that
    somebody was here, when and at which table.
    """
    with change() as journal:
        open_states = [TicketState.WAITING, TicketState.SERVING]
        for ticket in visitor.tickets.filter(state__in=open_states).select_related("staff", "table"):
            ticket.state, ticket.ended_at = TicketState.CANCELLED, journal.now
            ticket.email = ticket.name = ""
            ticket.save(update_fields=["state", "ended_at", "email", "name"])
            journal.record(
                EventKind.CANCELLED, ticket=ticket, staff=ticket.staff, table=ticket.table, actor=actor
            )
        erased = Ticket.objects.filter(visitor=visitor).update(email="", name="", request_key=None)
        visitor.delete()
    return erased

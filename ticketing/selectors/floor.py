"""Reading the desk as processes follow it: the floor as it is, and the journal's entries."""

from collections.abc import Sequence

from django.db import transaction

from ticketing.models import EventKind, Journal, Pick, Table, Ticket, TicketEvent, TicketState
from ticketing.rules import RECENT_CALLS, Entry, Floor, Seat, TableView, TicketView


def ticket_view(ticket: Ticket) -> TicketView:
    """The ticket as it is told of."""
    return TicketView(ticket.pk, ticket.email, ticket.name, ticket.label, int(ticket.created_at.timestamp()))


def table_view(table: Table) -> TableView:
    """The table as people know it."""
    return TableView(table.number, table.name, table.is_active)


def entry_of(event: TicketEvent) -> Entry:
    """The entry of an event whose ticket, staff and tables are loaded. No query."""
    return Entry(
        seq=event.seq,
        kind=str(event.kind),
        at=event.at.timestamp(),
        ticket=ticket_view(event.ticket) if event.ticket else None,
        staff_id=event.staff_id or 0,
        staff_name=event.staff.name if event.staff else "",
        table=table_view(event.table) if event.table else None,
        left_table=event.left_table.number if event.left_table else None,
        pick_id=event.pick_id or 0,
        origin=event.origin,
    )


def list_entries(after_seq: int, limit: int) -> Sequence[Entry]:
    """The entries after `after_seq`, in order, at most `limit`. One query."""
    events = TicketEvent.objects.filter(seq__gt=after_seq).select_related(
        "ticket", "staff", "table", "left_table"
    )
    return [entry_of(event) for event in events.order_by("seq")[:limit]]


@transaction.atomic
def load_floor() -> Floor:
    """The floor at the journal's last entry. Six queries, whatever the number of tickets.

    The journal is locked meanwhile, so that nothing changes between the first query and the last.
    """
    journal = Journal.objects.select_for_update().filter(pk=1).first()
    floor = load_pace()
    floor.seq = journal.last_seq if journal else 0
    floor.tables = {table.number: table_view(table) for table in Table.objects.all()}
    waiting = Ticket.objects.filter(state=TicketState.WAITING).order_by("id")
    floor.waiting = {ticket.pk: ticket_view(ticket) for ticket in waiting}
    return floor


def load_pace() -> Floor:
    """A floor without those who wait: who sits where, who is being served, and how fast. Three queries."""
    floor = Floor()
    for pick in Pick.objects.filter(released_at=None).select_related("table", "staff"):
        floor.seats[pick.table.number] = Seat(
            pick.table.number, pick.pk, pick.staff_id, pick.staff.name, pick.is_paused
        )
        floor.staff_names[pick.staff_id] = pick.staff.name
    serving = Ticket.objects.filter(state=TicketState.SERVING).select_related("staff", "table")
    for ticket in serving.order_by("called_seq"):
        assert ticket.staff is not None  # noqa: S101 - a constraint of the model
        assert ticket.table is not None  # noqa: S101 - whoever serves had one when calling
        floor.serving.setdefault(ticket.staff.pk, {})[ticket.pk] = ticket_view(ticket)
        floor.owner[ticket.pk] = ticket.staff.pk
        floor.staff_names[ticket.staff.pk] = ticket.staff.name
        floor.called_to[ticket.pk] = ticket.table.number
    calls = TicketEvent.objects.filter(kind=EventKind.CLAIMED).order_by("-seq")
    floor.calls.extend(
        (at.timestamp(), int(taken_at.timestamp()))
        for at, taken_at in reversed(calls.values_list("at", "ticket__created_at")[:RECENT_CALLS])
    )
    return floor

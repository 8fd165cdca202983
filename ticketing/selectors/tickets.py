"""Reading tickets, tables, people and devices for lists and exports. Each says its queries.

Source: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ticketing.models import (
    Pick,
    Staff,
    Table,
    Ticket,
    TicketEvent,
    TicketState,
    Visitor,
)
from ticketing.rules import email_key, ticket_label
from ticketing.selectors.figures import local_today, zone
from ticketing.selectors.floor import load_pace

CSV_COLUMNS = (
    "number",
    "id",
    "state",
    "name",
    "email",
    "day",
    "created",
    "called",
    "ended",
    "table",
    "staff",
    "wait_s",
    "service_s",
)
# Rows of an export in memory at once: a query each, none of which holds up anybody else.
CSV_CHUNK_ROWS = 1_000


# --- Tickets --------------------------------------------------------------------------------------------


def list_tickets(
    *,
    states: Sequence[str] = (),
    first_day: date | None = None,
    last_day: date | None = None,
    staff_id: int | None = None,
    table: int | None = None,
    text: str = "",
    seen_by: int | None = None,
) -> QuerySet[Ticket]:
    """Tickets, the latest first, with staff and table. One query.

    Args:
        states: any of these; none stands for all.
        first_day, last_day: days of the desk, both included.
        table: its number.
        text: part of a name, of an address, or of a number (``17``, ``A-017``).
        seen_by: only what this member of staff sees at work: who waits, who is being served, and whom
            they themselves served today.
    """
    tickets = Ticket.objects.select_related("staff", "table").order_by("-id")
    if seen_by is not None:
        tickets = tickets.filter(
            Q(state__in=(TicketState.WAITING, TicketState.SERVING)) | Q(staff_id=seen_by, day=local_today())
        )
    if states:
        tickets = tickets.filter(state__in=states)
    if first_day:
        tickets = tickets.filter(day__gte=first_day)
    if last_day:
        tickets = tickets.filter(day__lte=last_day)
    if staff_id is not None:
        tickets = tickets.filter(staff_id=staff_id)
    if table is not None:
        tickets = tickets.filter(table__number=table)
    if text:
        tickets = tickets.filter(Q(name__icontains=text) | Q(email__icontains=text) | _numbered(text))
    return tickets


def _numbered(text: str) -> Q:
    """Tickets whose label is `text`, whatever its case and leading zeros."""
    prefix, dash, number = text.strip().rpartition("-")
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        return Q(pk__in=[])
    return Q(number=int(number), **({"prefix": prefix.upper()} if dash else {}))


def get_ticket(ticket_id: int, *, seen_by: int | None = None) -> Ticket | None:
    """A ticket with staff and table, if `seen_by` (see `list_tickets`) sees it. One query."""
    return list_tickets(seen_by=seen_by).filter(pk=ticket_id).first()


def list_tickets_of(visitor_id: int, limit: int = 50) -> list[Ticket]:
    """The latest tickets of a visitor, the latest first, with staff and table. One query."""
    return list(list_tickets().filter(visitor_id=visitor_id)[:limit])


def list_timeline(ticket_id: int) -> list[TicketEvent]:
    """What happened to a ticket, in order, with staff and tables. One query."""
    events = TicketEvent.objects.filter(ticket=ticket_id).order_by("seq")
    return list(events.select_related("staff", "table", "left_table"))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the line: how many are called before, and in how many seconds it may be one's turn."""

    ahead: int
    estimate_s: int | None


def get_place(ticket: Ticket) -> Place | None:
    """Where a ticket stands; None where it does not wait. Four queries."""
    if ticket.state != TicketState.WAITING:
        return None
    ahead = Ticket.objects.filter(state=TicketState.WAITING, pk__lt=ticket.pk).count()
    return Place(ahead, load_pace().estimate_s(ahead))


# --- CSV ------------------------------------------------------------------------------------------------


def csv_rows(tickets: QuerySet[Ticket]) -> Iterator[list[str]]:
    """Rows of an export, oldest first, without the header (`CSV_COLUMNS`).

    Times are those of the desk's place, with their offset; durations whole seconds. `tickets` must not be
    sliced; its order is replaced. A query for each `CSV_CHUNK_ROWS` rows, so that an export of years holds
    neither a connection nor its rows; a ticket changed meanwhile may be told as before or as after.
    """
    place = zone()

    def local(moment: datetime | None) -> str:
        return moment.astimezone(place).isoformat(timespec="seconds") if moment else ""

    last_id = 0
    while True:
        chunk = tickets.filter(pk__gt=last_id).order_by("pk").values_list(*_CSV_FIELDS)[:CSV_CHUNK_ROWS]
        found = list(chunk)
        for row in found:
            last_id, prefix, number, state, name, email, day, created, called, ended, table, staff = row
            yield [
                ticket_label(prefix, number),
                str(last_id),
                state,
                name,
                email,
                day.isoformat(),
                local(created),
                local(called),
                local(ended),
                "" if table is None else str(table),
                staff or "",
                _seconds(created, called),
                _seconds(called, ended) if state == TicketState.COMPLETED else "",
            ]
        if len(found) < CSV_CHUNK_ROWS:
            return


_CSV_FIELDS = (
    "pk",
    "prefix",
    "number",
    "state",
    "name",
    "email",
    "day",
    "created_at",
    "claimed_at",
    "ended_at",
    "table__number",
    "staff__name",
)


def _seconds(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return ""
    # As in the figures: a clock that was set back makes nobody wait less than nothing.
    return str(max(0, round((end - start).total_seconds())))


# --- Tables ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A table, who is at it, and the tickets being served there in the order of their calls."""

    table: Table
    pick: Pick | None
    serving: list[Ticket] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The words of `ticketing.rules.Floor.table_state`."""
        if self.pick is None:
            return "offline" if self.table.is_active else "off"
        if self.pick.is_paused:
            return "paused"
        return "serving" if self.serving else "free"


def list_table_statuses(tables: Sequence[Table]) -> list[TableStatus]:
    """How these tables are now, in their order. Two queries."""
    picks = {
        pick.table_id: pick
        for pick in Pick.objects.filter(table__in=tables, released_at=None).select_related("staff")
    }
    serving: dict[int, list[Ticket]] = defaultdict(list)
    holders = [pick.staff_id for pick in picks.values()]
    for ticket in Ticket.objects.filter(state=TicketState.SERVING, staff__in=holders).order_by("called_seq"):
        if ticket.staff_id is not None:
            serving[ticket.staff_id].append(ticket)
    return [
        TableStatus(table, pick, serving.get(pick.staff_id, []) if pick else [])
        for table in tables
        for pick in [picks.get(table.pk)]
    ]


# --- People and devices -----------------------------------------------------------------------------------


def list_staff() -> QuerySet[Staff]:
    """Everybody of the staff by name, with account, table (`table_number`) and tokens (`token_count`).

    One query. `token_count` are those that have not expired.
    """
    valid = Q(user__auth_token_set__expiry=None) | Q(user__auth_token_set__expiry__gt=timezone.now())
    seat = Table.objects.filter(picks__staff=OuterRef("pk"), picks__released_at=None).values("number")[:1]
    return (
        Staff.objects.select_related("user")
        .annotate(
            table_number=Subquery(seat),
            token_count=Count("user__auth_token_set", filter=valid & Q(user__auth_token_set__isnull=False)),
        )
        .order_by("name", "pk")
    )


def list_visitors(*, text: str = "") -> QuerySet[Visitor]:
    """Visitors, the latest first, with the number of their tickets (`ticket_count`). One query.

    `text` is part of the name or of the address.
    """
    visitors = Visitor.objects.annotate(ticket_count=Count("tickets")).order_by("-id")
    if text:
        visitors = visitors.filter(Q(name__icontains=text) | Q(email_key__contains=email_key(text)))
    return visitors

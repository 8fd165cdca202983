"""Reading tickets, sessions and the admission log, for lists. Each says its queries.

Source: docs/protocols/queue.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from queue import rules
from queue.models import LogEntry, NeverWaits, Session, Ticket, TicketState
from queue.selectors.line import LineView, load_pace, load_policy

# --- Tickets --------------------------------------------------------------------------------------------


def list_tickets(
    *, states: Sequence[str] = (), platform: str | None = None, client_id: str | None = None
) -> QuerySet[Ticket]:
    """Tickets: the newest first; those that wait, asked for alone, as they stand in line. One query.

    Args:
        states: any of these; none stands for all.
        platform, client_id: exactly this.
    """
    tickets = Ticket.objects.all()
    if states:
        tickets = tickets.filter(state__in=states)
    if platform is not None:
        tickets = tickets.filter(platform=platform)
    if client_id is not None:
        tickets = tickets.filter(client_id=client_id)
    if set(states) == {TicketState.WAITING}:
        return tickets.order_by("position")
    # Many join at one moment: positions tell these apart, and ids those that were moved to the front.
    return tickets.order_by("-joined_at", "-position", "ticket_id")


def get_ticket(ticket_id: str) -> Ticket | None:
    """One ticket. One query."""
    return Ticket.objects.filter(ticket_id=ticket_id).first()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line: how many stand before it, connected or away, and the wait that is left.

    `estimate` is None while nobody can say: nobody is let in, or too few were lately.
    """

    ahead: int
    estimate: rules.Estimate | None


def get_place(ticket: Ticket) -> Place | None:
    """Where a ticket stands; None where it does not wait. Three queries, or none."""
    if ticket.state != TicketState.WAITING:
        return None
    ahead = Ticket.objects.filter(state=TicketState.WAITING, position__lt=ticket.position).count()
    return Place(ahead, _estimate(ahead, load_pace(), paused=load_policy().paused))


def estimate_for_newcomer(view: LineView) -> rules.Estimate | None:
    """The wait of somebody who joins now; None while nobody can say. No query."""
    if view.may_go and not view.policy.paused:
        return rules.Estimate(0.0, 0.0, 0.0)
    return _estimate(view.waiting, view.pace, paused=view.policy.paused)


def _estimate(ahead: int, pace: rules.Pace | None, *, paused: bool) -> rules.Estimate | None:
    return None if pace is None or paused else rules.estimate(ahead, pace)


# --- Sessions -------------------------------------------------------------------------------------------


def list_sessions(
    *, alive: bool | None = None, platform: str | None = None, client_id: str | None = None
) -> QuerySet[Session]:
    """Sessions with their tickets, the newest first. One query.

    Args:
        alive: whether they take a place; None: all.
        platform, client_id: exactly this.
    """
    sessions = Session.objects.select_related("ticket").order_by("-started_at", "session_id")
    if alive is not None:
        sessions = sessions.filter(ended_at__isnull=alive)
    if platform is not None:
        sessions = sessions.filter(platform=platform)
    if client_id is not None:
        sessions = sessions.filter(client_id=client_id)
    return sessions


# --- The log and the list of those who never wait -----------------------------------------------------------


def list_log(*, after: int, limit: int, ticket_id: str | None = None) -> list[LogEntry]:
    """At most `limit` entries of the admission log that follow the entry `after`, in order, with tickets.

    What was read stays as it is, and nothing comes before it later: entries are committed in order.
    One query.
    """
    entries = LogEntry.objects.select_related("ticket").filter(seq__gt=after)
    if ticket_id is not None:
        entries = entries.filter(ticket_id=ticket_id)
    return list(entries.order_by("seq")[:limit])


def list_never_waits(*, client_id: str | None = None) -> QuerySet[NeverWaits]:
    """Ids that never wait, by id. One query."""
    ids = NeverWaits.objects.order_by("client_id")
    return ids if client_id is None else ids.filter(client_id=client_id)

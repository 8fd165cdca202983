"""The line at one moment, for whoever looks after it: its numbers, who says how full the main server is, and
what somebody who comes now is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queue import rules
from queue.models import Line, Ticket, TicketState
from queue.selectors.line import LineView, load_line, view_line
from queue.selectors.tickets import estimate_for_newcomer


@dataclass(frozen=True, slots=True)
class Reported:
    """What the main server said last: how many sessions it had, and when it counted them."""

    occupied: int
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Attributes:
    view: the numbers of the line.
    reported: None: the main server does not say, and our sessions are counted.
    estimate: the wait of somebody who joins now; None while nobody can say.
    """

    view: LineView
    reported: Reported | None
    estimate: rules.Estimate | None


def get_status() -> Status:
    """The line now. Up to twelve queries, whatever its length."""
    view = view_line()
    return Status(view, reported_of(load_line()), estimate_for_newcomer(view))


def reported_of(line: Line) -> Reported | None:
    """What the main server says; None where it does not. No query."""
    if line.reported is None or line.reported_at is None:
        return None
    return Reported(line.reported, line.reported_at)


def last_entered_at() -> datetime | None:
    """When somebody was let in last; None: nobody was yet, or it was long ago. One query."""
    entered = Ticket.objects.filter(state=TicketState.ENTERED).exclude(admitted_at=None)
    return entered.order_by("-admitted_at").values_list("ended_at", flat=True).first()

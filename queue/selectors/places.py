"""How many stand before each of many tickets, without counting for each from the head."""

from __future__ import annotations

from collections.abc import Collection

from queue.models import Ticket, TicketState


def count_ahead(positions: Collection[int]) -> dict[int, int]:
    """For each of these positions in line, how many wait before it. Two queries, none for no positions.

    The second reads the positions from the first to the last of these: a page of the line, not all of it.
    """
    if not positions:
        return {}
    waiting = Ticket.objects.filter(state=TicketState.WAITING)
    first, last = min(positions), max(positions)
    ahead = waiting.filter(position__lt=first).count()
    between = waiting.filter(position__range=(first, last)).order_by("position")
    wanted = set(positions)
    return {
        position: ahead + number
        for number, position in enumerate(between.values_list("position", flat=True))
        if position in wanted
    }

"""What time does to the line: processes that died, tickets nobody came back for, sessions without a sign of
life, and room that a new second brings. Every process does it; whoever is first has done it for all."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from queue.models import LogEntry, LogKind, Process, Session, Ticket, TicketState, UsedToken
from queue.selectors.line import OPEN, LineView, view_line
from queue.services.book import change
from queue.services.sessions import expire_sessions
from queue.services.tickets import end, let_go

LEASE_S: Final = 8.0
"""Without a sign of life for so long a process is taken for dead. A few signs may be late or lost."""

BATCH: Final = 500
"""Rows put right in one transaction; joins wait for no more than that."""

FORGET_S: Final = 2.0


def show_life(process_id: str) -> None:
    """This process holds connections. One query, or two the first time; none where it is the only one."""
    if not settings.REDIS_URL:
        return
    now = timezone.now()
    if not Process.objects.filter(process_id=process_id).update(seen_at=now):
        Process.objects.bulk_create([Process(process_id=process_id, seen_at=now)], ignore_conflicts=True)


def look_after_line(process_id: str, *, sweep: bool, served_s: float) -> LineView:
    """Do what is due, and give the line as it is then. Some fifteen queries where nothing is.

    Args:
        sweep: whether to let go what dead processes held; not right after an outage, in which nobody could
            show life.
        served_s: for how long this process has served without a gap. Nobody is taken for gone who could not
            come back, or send a heartbeat, for the whole of the time they have.
    """
    if sweep:
        release_dead(process_id)
    view = view_line()
    now = timezone.now()
    due = False
    if served_s > view.policy.session_stale_s:
        silent_since = now - timedelta(seconds=view.policy.session_stale_s)
        if Session.objects.filter(ended_at=None, seen_at__lt=silent_since).exists():
            due = bool(expire_sessions(before=silent_since, limit=BATCH))
    if served_s > view.policy.ticket_stale_s and remove_stale(seconds=view.policy.ticket_stale_s):
        due = True
    if (view.free and view.active) or view.clock_set_back:
        due = admit_waiting()
    return view_line() if due else view


def admit_waiting() -> bool:
    """The admission step by itself, again and again while there is more to do."""
    while True:
        with change() as book:
            pass
        if not book.more:
            return True


def remove_stale(*, seconds: int) -> int:
    """Take out of the line who has been away for longer than that; gives how many."""
    gone = Ticket.objects.filter(
        state=TicketState.WAITING, inactive_since__lt=timezone.now() - timedelta(seconds=seconds)
    )
    if not gone.exists():
        return 0
    with change() as book:
        stale = list(gone.order_by("inactive_since")[:BATCH])
        for ticket in stale:
            end(book, ticket, TicketState.STALE, LogKind.STALE)
        return len(stale)


def release_dead(own_process_id: str) -> int:
    """Let go what processes held that show no life any more; gives how many tickets.

    Without Redis there is one process: any other is one of an earlier start.
    """
    living = {own_process_id, ""}
    if settings.REDIS_URL:
        alive = Process.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=LEASE_S))
        living |= set(alive.values_list("process_id", flat=True))
    held = Ticket.objects.filter(state__in=OPEN).exclude(holder__in=living)
    released = 0
    while held.exists():
        with change() as book:
            lost = list(held.order_by("position")[:BATCH])
            book.know(*lost)
            for ticket in lost:
                let_go(book, ticket, "its server process ended")
            released += len(lost)
    Process.objects.exclude(process_id__in=living).delete()
    return released


def forget() -> None:
    """Delete what nobody needs any more: expired tokens, and what is older than ``QUEUE_KEEP_DAYS``.

    Takes as long as it takes, but no longer than `FORGET_S`: there is always a next time.
    """
    now = timezone.now()
    UsedToken.objects.filter(expires_at__lt=now).delete()
    if not settings.QUEUE_KEEP_DAYS:
        return
    before = now - timedelta(days=settings.QUEUE_KEEP_DAYS)
    until_s = time.monotonic() + FORGET_S
    while _forget_some(before) and time.monotonic() < until_s:
        pass


def _forget_some(before: datetime) -> bool:
    """Delete a batch of what is older; False if that was all."""
    old = LogEntry.objects.filter(at__lt=before).order_by("at").values_list("seq", flat=True)
    seqs = list(old[:BATCH])
    LogEntry.objects.filter(seq__in=seqs).delete()
    over = Q(session=None) | Q(session__ended_at__lt=before)
    tickets = Ticket.objects.filter(over, ended_at__lt=before, log=None).order_by("ended_at")
    ids = list(tickets.values_list("ticket_id", flat=True)[:BATCH])
    with transaction.atomic():
        Session.objects.filter(ticket_id__in=ids).delete()
        Ticket.objects.filter(ticket_id__in=ids).delete()
    return BATCH in (len(seqs), len(ids))


def list_admitted(process_id: str) -> list[tuple[str, str]]:
    """Ticket and connection of those this process should be logging in. One query."""
    mine = Ticket.objects.filter(state=TicketState.ADMITTED, holder=process_id)
    return list(mine.values_list("ticket_id", "connection"))


def list_held(process_id: str) -> dict[str, tuple[str, int]]:
    """Tickets this process holds, as the database has it, with connection and position. One query."""
    mine = Ticket.objects.filter(state__in=OPEN, holder=process_id)
    return {
        ticket_id: (connection, position)
        for ticket_id, connection, position in mine.values_list("ticket_id", "connection", "position")
    }

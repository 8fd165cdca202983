"""What happens to tables: picking one, pausing, leaving, and letting go of those whose staff is gone.

Who sits at a table is a `Pick`. The process that has the connection keeps pushing the pick's `held_until`
into the future (`hold_picks`); when a connection drops it is set to the end of the grace period
(`let_go`), and once it has passed any process releases the table (`release_unheld`). A process that is
killed stops pushing, which is the same thing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from realtime.errors import Refused
from ticketing.models import EventKind, Pick, Staff, Table, Ticket, TicketState
from ticketing.rules import Entry
from ticketing.services.journal import Ledger, change
from ticketing.services.tickets import require_pick

HOLD_INTERVAL_S = 2.0
"""How often picks are held and those not held are looked for."""
_MIN_HOLD_S = 6.0
"""Held picks outlive two pushes that fail: a busy database must not look like a dead process."""
_MIN_GRACE_S = 3.0
"""Another tab of the same person may hold the pick in another process, which says so every 2 s."""


def pick_table(
    *, table: str | int, staff_id: int, pick_id: int | None = None, actor: str = "", origin: str = ""
) -> Entry:
    """Sit down at a table, leaving the one before; at one's own table: say that one is back.

    Args:
        table: its number; any other text is no table.
        pick_id: of the table the same connection held until now, perhaps for somebody else.

    Raises:
        Refused: TABLE_UNAVAILABLE, and everything is as before.
    """
    with change() as journal:
        row = Table.objects.filter(number=_number(table), is_active=True).first()
        if row is None:
            raise _unavailable()
        holder = Pick.objects.filter(table=row, released_at=None).select_related("table", "staff").first()
        if holder is not None and holder.staff_id != staff_id:
            raise _unavailable()
        _leave_for_another(journal, pick_id, staff_id)
        if holder is not None:
            hold_picks([holder.pk])
            return journal.record(
                EventKind.RETURNED, pick=holder, actor=actor or holder.staff.name, origin=origin
            )
        staff = Staff.objects.get(pk=staff_id)
        before = Pick.objects.filter(staff=staff, released_at=None).select_related("table").first()
        if before is not None:
            Pick.objects.filter(pk=before.pk).update(released_at=journal.now)
        try:
            with transaction.atomic():
                pick = Pick.objects.create(
                    table=row, staff=staff, picked_at=journal.now, held_until=_held_until(journal.now)
                )
        except IntegrityError:  # somebody wrote past the journal
            raise _unavailable() from None
        # What is being served comes along.
        Ticket.objects.filter(staff=staff, state=TicketState.SERVING).update(table=row)
        return journal.record(
            EventKind.PICKED,
            pick=pick,
            left_table=before.table if before else None,
            actor=actor or staff.name,
            origin=origin,
        )


def unpick_table(*, staff_id: int, actor: str = "", origin: str = "") -> Entry:
    """Leave one's table. Tickets being served stay with their staff.

    Raises:
        Refused: NO_TABLE.
    """
    with change() as journal:
        pick = require_pick(staff_id)
        return _release(journal, pick, actor or pick.staff.name, origin)


def free_table(*, number: int, actor: str = "") -> Entry:
    """Have whoever is at a table leave it.

    Raises:
        Refused: TABLE_EMPTY.
    """
    with change() as journal:
        return _release(journal, _pick_at(number), actor, "")


def pause_table(*, number: int, staff_id: int | None, actor: str = "", origin: str = "") -> Entry:
    """Show a table as not in use while its staff keeps it. `staff_id` None: by a manager.

    Raises:
        Refused: TABLE_EMPTY, NOT_OWNER, ALREADY_PAUSED.
    """
    return _set_paused(number, staff_id, EventKind.PAUSED, actor, origin)


def resume_table(*, number: int, staff_id: int | None, actor: str = "", origin: str = "") -> Entry:
    """End a pause; so does calling a ticket.

    Raises:
        Refused: TABLE_EMPTY, NOT_OWNER, NOT_PAUSED.
    """
    return _set_paused(number, staff_id, EventKind.RESUMED, actor, origin)


def save_table(*, table: Table, actor: str = "") -> Table:
    """Validate and store a table; pages show the change at once. One that is not active is freed.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong, or the number is taken.
    """
    table.full_clean()
    with change() as journal:
        table.save()
        journal.record(EventKind.TABLE_CHANGED, table=table, actor=actor)
        if not table.is_active and (pick := _open_picks().filter(table=table).first()):
            _release(journal, pick, actor, "")
    return table


def leave_table_of(*, staff: Staff, actor: str = "") -> None:
    """Have a member of staff leave the table, if there is one."""
    with change() as journal:
        if pick := _open_picks().filter(staff=staff).first():
            _release(journal, pick, actor, "")


def hold_picks(pick_ids: Iterable[int]) -> None:
    """Say that these picks have a connection. One query."""
    Pick.objects.filter(pk__in=list(pick_ids), released_at=None).update(
        held_until=_held_until(timezone.now())
    )


def let_go(pick_id: int) -> None:
    """The pick's connection has dropped: the grace period begins. One query."""
    until = timezone.now() + timedelta(seconds=max(settings.TICKETING_GRACE_S, _MIN_GRACE_S))
    Pick.objects.filter(pk=pick_id, released_at=None).update(held_until=until)


def has_unheld() -> bool:
    """Whether there are tables that nobody holds any more. One query."""
    return Pick.objects.filter(released_at=None, held_until__lt=timezone.now()).exists()


def release_unheld() -> int:
    """Release the tables that nobody holds any more; gives how many. One query if there are none."""
    if not has_unheld():
        return 0
    with change() as journal:
        unheld = _open_picks().filter(held_until__lt=journal.now)
        # Looked at once more in the update itself: whoever holds one does not wait for the journal.
        released = [
            pick
            for pick in unheld
            if Pick.objects.filter(pk=pick.pk, held_until__lt=journal.now).update(released_at=journal.now)
        ]
        for pick in released:
            journal.record(EventKind.UNPICKED, pick=pick, actor="connection lost")
    return len(released)


# --- Parts ----------------------------------------------------------------------------------------------


def _open_picks() -> QuerySet[Pick]:
    return Pick.objects.filter(released_at=None).select_related("table", "staff")


def _pick_at(number: int) -> Pick:
    pick = _open_picks().filter(table__number=number).first()
    if pick is None:
        raise Refused("TABLE_EMPTY", "Nobody is at that table.")
    return pick


def _release(journal: Ledger, pick: Pick, actor: str, origin: str) -> Entry:
    Pick.objects.filter(pk=pick.pk).update(released_at=journal.now)
    return journal.record(EventKind.UNPICKED, pick=pick, actor=actor, origin=origin)


def _set_paused(number: int, staff_id: int | None, kind: EventKind, actor: str, origin: str) -> Entry:
    paused = kind == EventKind.PAUSED
    with change() as journal:
        pick = _pick_at(number)
        if staff_id is not None and pick.staff_id != staff_id:
            raise Refused("NOT_OWNER", "This is not your table.")
        if pick.is_paused == paused:
            raise (
                Refused("ALREADY_PAUSED", "The table is paused.")
                if paused
                else Refused("NOT_PAUSED", "The table is not paused.")
            )
        Pick.objects.filter(pk=pick.pk).update(is_paused=paused)
        return journal.record(kind, pick=pick, actor=actor or pick.staff.name, origin=origin)


def _leave_for_another(journal: Ledger, pick_id: int | None, staff_id: int) -> None:
    """A connection that changes hands takes nobody else's table with it."""
    if pick_id is not None and (pick := _open_picks().filter(pk=pick_id).exclude(staff_id=staff_id).first()):
        _release(journal, pick, pick.staff.name, "")


def _number(table: str | int) -> int:
    """The number in `table`; -1, which no table has, for other text."""
    text = str(table)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1


def _unavailable() -> Refused:
    return Refused("TABLE_UNAVAILABLE", "The chosen table is not available.")


def _held_until(now: datetime) -> datetime:
    return now + timedelta(seconds=max(settings.TICKETING_GRACE_S, _MIN_HOLD_S))

"""How the desk does: who waits now, and how long waiting and serving took, by table, staff and hour.

Days and hours are those of TICKETING_TIME_ZONE. Source: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from realtime.errors import Refused
from ticketing.models import Staff, Table, Ticket, TicketState

# Every ticket of the days is read. A year is what gets compared with the last one, and is read in seconds.
MAX_DAYS = 366
# Rows in memory at once.
CHUNK_ROWS = 2_000

_COLUMNS = ("state", "created_at", "claimed_at", "ended_at", "table_id", "staff_id")
_Row = tuple[str, datetime, datetime | None, datetime | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations in seconds: how many, their mean, and the one that nine in ten do not exceed.

    The 90th percentile is the smallest of the durations that at least 90 % are not longer than.
    Without any durations mean and percentile are None.
    """

    count: int
    mean_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """The tickets of one table or of one member of staff.

    `key` is the table's number or the staff's id; `count` the tickets last called there.
    """

    key: int
    label: str
    count: int
    wait: Spread
    service: Spread


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the clock, 0 to 23: tickets taken in it and their waiting, tickets completed in it."""

    hour: int
    created: int
    completed: int
    wait: Spread


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all tickets of the days from `first_day` to `last_day`; `waiting_now` and `serving_now` of any day.

    `wait` is from taking a ticket to its first call, `service` from there to its completion. `hours` has
    all 24, also those that a change of the clocks leaves out; one that comes twice is counted together.
    """

    first_day: date
    last_day: date
    waiting_now: int
    serving_now: int
    created: int
    completed: int
    cancelled: int
    no_show: int
    wait: Spread
    service: Spread
    tables: list[Group]
    staff: list[Group]
    hours: list[Hour]


def zone() -> ZoneInfo:
    """Where the desk stands."""
    return ZoneInfo(settings.TICKETING_TIME_ZONE)


def local_today() -> date:
    """Today's date where the desk stands."""
    return timezone.localdate(timezone=zone())


def get_figures(*, first_day: date, last_day: date) -> Figures:
    """The figures of the tickets of these days, both included: five queries, whatever they find.

    Raises `Refused` (DAYS_INVALID) if the last day is before the first, or they are more than MAX_DAYS.
    """
    if not 0 <= (last_day - first_day).days < MAX_DAYS:
        text = f"The last day must not be before the first, and they must be {MAX_DAYS} days at most."
        raise Refused("DAYS_INVALID", text)
    # Before the rows: a ticket that is taken in between is then missing here, not counted in excess.
    waiting_now = Ticket.objects.filter(state=TicketState.WAITING).count()
    serving_now = Ticket.objects.filter(state=TicketState.SERVING).count()
    tally = _Tally(zone())
    rows = Ticket.objects.filter(day__range=(first_day, last_day)).order_by()
    for row in rows.values_list(*_COLUMNS).iterator(chunk_size=CHUNK_ROWS):
        tally.add(row)
    return Figures(
        first_day=first_day,
        last_day=last_day,
        waiting_now=waiting_now,
        serving_now=serving_now,
        created=sum(tally.created),
        completed=tally.states[TicketState.COMPLETED],
        cancelled=tally.states[TicketState.CANCELLED],
        no_show=tally.states[TicketState.NO_SHOW],
        wait=_spread(tally.total.wait),
        service=_spread(tally.total.service),
        tables=_groups(tally.tables, Table.objects.filter(pk__in=tally.tables), "number"),
        staff=_groups(tally.staff, Staff.objects.filter(pk__in=tally.staff), "pk"),
        hours=[
            Hour(hour, tally.created[hour], tally.completed[hour], _spread(tally.waits[hour]))
            for hour in range(24)
        ],
    )


def _durations() -> array[float]:
    return array("d")


@dataclass(slots=True)
class _Durations:
    """What is known of one group while rows come in."""

    count: int = 0
    wait: array[float] = field(default_factory=_durations)
    service: array[float] = field(default_factory=_durations)


class _Tally:
    """Rows are counted one by one: only their durations are kept, for the percentiles."""

    def __init__(self, place: ZoneInfo) -> None:
        self._place = place
        self.states: dict[str, int] = defaultdict(int)
        self.created = [0] * 24
        self.completed = [0] * 24
        self.waits = [_durations() for _ in range(24)]
        self.total = _Durations()
        self.tables: dict[int, _Durations] = defaultdict(_Durations)
        self.staff: dict[int, _Durations] = defaultdict(_Durations)

    def add(self, row: _Row) -> None:
        state, created_at, claimed_at, ended_at, table_id, staff_id = row
        self.states[state] += 1
        hour = created_at.astimezone(self._place).hour
        self.created[hour] += 1
        groups = [self.total]
        if claimed_at is not None:
            groups += [self.tables[table_id]] if table_id is not None else []
            groups += [self.staff[staff_id]] if staff_id is not None else []
            wait_s = _seconds(created_at, claimed_at)
            self.waits[hour].append(wait_s)
            for group in groups:
                group.count += 1
                group.wait.append(wait_s)
        if state == TicketState.COMPLETED and ended_at is not None:
            self.completed[ended_at.astimezone(self._place).hour] += 1
            if claimed_at is not None:
                service_s = _seconds(claimed_at, ended_at)
                for group in groups:
                    group.service.append(service_s)


def _seconds(start: datetime, end: datetime) -> float:
    # The clock of a server may have been set back in between; nobody waited less than nothing.
    return max(0.0, (end - start).total_seconds())


def _spread(durations: array[float]) -> Spread:
    count = len(durations)
    if not count:
        return Spread(0, None, None)
    # The smallest rank with rank / count >= 0.9, in whole numbers: 0.9 itself is not exact.
    rank = (9 * count + 9) // 10
    return Spread(count, sum(durations) / count, sorted(durations)[rank - 1])


def _groups(found: dict[int, _Durations], rows: Iterable[Model], key: str) -> list[Group]:
    """In the order of `rows`, which are those of the ids in `found`."""
    return [
        Group(getattr(row, key), str(row), group.count, _spread(group.wait), _spread(group.service))
        for row in rows
        if (group := found.get(row.pk)) is not None
    ]

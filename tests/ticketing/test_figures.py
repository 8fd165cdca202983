"""The figures: against a computation nobody could get wrong, over changes of the clocks, and their cost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import Refused
from ticketing.models import Staff, Table, Ticket, TicketState
from ticketing.selectors.figures import (
    MAX_DAYS,
    Figures,
    Group,
    Hour,
    Spread,
    get_figures,
    local_today,
)

pytestmark = pytest.mark.django_db

BERLIN = "Europe/Berlin"
SPRING = date(2026, 3, 29)  # 02:00 to 03:00 is left out in Berlin
AUTUMN = date(2026, 10, 25)  # 02:00 to 03:00 comes twice
QUERIES = 5


@dataclass(frozen=True)
class Visit:
    """A ticket as it went; seconds after it was taken, and after it was called."""

    created_at: datetime
    state: TicketState
    table: int = 0
    staff: int = 0
    wait_s: float | None = None
    service_s: float | None = None

    @property
    def claimed_at(self) -> datetime | None:
        return None if self.wait_s is None else self.created_at + timedelta(seconds=self.wait_s)

    @property
    def ended_at(self) -> datetime | None:
        if self.state in (TicketState.WAITING, TicketState.SERVING):
            return None
        return (self.claimed_at or self.created_at) + timedelta(seconds=self.service_s or 0)


def make_desk() -> tuple[list[Table], list[Staff]]:
    tables = [Table.objects.create(number=number, name=name) for number, name in ((3, ""), (1, "Window"))]
    staff = [
        Staff.objects.create(user=User.objects.create(username=name), name=name) for name in ("Bo", "Ana")
    ]
    return tables, staff


def store(visits: list[Visit], tables: list[Table], staff: list[Staff], zone: str) -> None:
    Ticket.objects.bulk_create(
        Ticket(
            day=visit.created_at.astimezone(ZoneInfo(zone)).date(),
            number=number,
            state=visit.state,
            table=tables[visit.table] if visit.wait_s is not None else None,
            staff=staff[visit.staff]
            if visit.wait_s is not None and visit.state != TicketState.WAITING
            else None,
            created_at=visit.created_at,
            claimed_at=visit.claimed_at,
            ended_at=visit.ended_at,
        )
        for number, visit in enumerate(visits, 1)
    )


# --- The computation nobody could get wrong -----------------------------------------------------------------


def naive_spread(durations: list[float]) -> Spread:
    if not durations:
        return Spread(0, None, None)
    enough = [d for d in durations if 10 * sum(other <= d for other in durations) >= 9 * len(durations)]
    return Spread(len(durations), sum(durations) / len(durations), min(enough))


def naive(visits: list[Visit], tables: list[Table], staff: list[Staff], zone: str, day: date) -> Figures:
    def local(moment: datetime | None) -> datetime:
        assert moment is not None
        return moment.astimezone(ZoneInfo(zone))

    of_day = [visit for visit in visits if local(visit.created_at).date() == day]

    def waits(chosen: list[Visit]) -> Spread:
        return naive_spread([visit.wait_s for visit in chosen if visit.wait_s is not None])

    def services(chosen: list[Visit]) -> Spread:
        done = [visit for visit in chosen if visit.state == TicketState.COMPLETED]
        return naive_spread([visit.service_s or 0.0 for visit in done])

    def count(state: TicketState, chosen: list[Visit] = of_day) -> int:
        return len([visit for visit in chosen if visit.state == state])

    def group(key: int, label: str, chosen: list[Visit]) -> list[Group]:
        return [Group(key, label, len(chosen), waits(chosen), services(chosen))] if chosen else []

    called = [visit for visit in of_day if visit.wait_s is not None]
    return Figures(
        first_day=day,
        last_day=day,
        waiting_now=count(TicketState.WAITING, visits),
        serving_now=count(TicketState.SERVING, visits),
        created=len(of_day),
        completed=count(TicketState.COMPLETED),
        cancelled=count(TicketState.CANCELLED),
        no_show=count(TicketState.NO_SHOW),
        wait=waits(of_day),
        service=services(of_day),
        tables=[
            *group(1, "Window", [visit for visit in called if visit.table == 1]),
            *group(3, "Table 3", [visit for visit in called if visit.table == 0]),
        ],
        staff=[
            found
            for place, name in ((1, "Ana"), (0, "Bo"))
            for found in group(
                staff[place].pk,
                name,
                [v for v in called if v.staff == place and v.state != TicketState.WAITING],
            )
        ],
        hours=[
            Hour(
                hour,
                len(taken := [visit for visit in of_day if local(visit.created_at).hour == hour]),
                len(
                    [
                        visit
                        for visit in of_day
                        if visit.state == TicketState.COMPLETED and local(visit.ended_at).hour == hour
                    ]
                ),
                waits(taken),
            )
            for hour in range(24)
        ],
    )


# Sums of quarters of seconds are exact, so means can be compared exactly; rounding to them gives ties.
quarters = st.integers(0, 40_000).map(lambda n: n / 4)


@st.composite
def visits_around(draw: st.DrawFn, day: date) -> Visit:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=10)
    state = draw(st.sampled_from([*TicketState, *[TicketState.COMPLETED] * 4]))
    called = state in (TicketState.SERVING, TicketState.COMPLETED, TicketState.NO_SHOW) or draw(st.booleans())
    return Visit(
        created_at=start + timedelta(seconds=draw(st.integers(0, 40 * 3600))),
        state=state,
        table=draw(st.integers(0, 1)),
        staff=draw(st.integers(0, 1)),
        wait_s=draw(quarters) if called else None,
        service_s=draw(quarters) if called else None,
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_they_are_what_counting_by_hand_gives(data: st.DataObject):
    day = data.draw(st.sampled_from([SPRING, AUTUMN, date(2026, 1, 1)]))
    zone = data.draw(st.sampled_from(["UTC", BERLIN, "Asia/Kathmandu", "America/St_Johns"]))
    visits = data.draw(
        st.lists(visits_around(day), min_size=data.draw(st.sampled_from([0, 15])), max_size=40)
    )
    with transaction.atomic(), override_settings(TICKETING_TIME_ZONE=zone):
        tables, staff = make_desk()
        store(visits, tables, staff, zone)
        found = get_figures(first_day=day, last_day=day)
        transaction.set_rollback(True)
    assert found == naive(visits, tables, staff, zone, day)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (2, 2), (9, 9), (10, 9), (11, 10), (20, 18), (21, 19), (100, 90)]
)
def test_the_90th_percentile_is_one_of_the_durations(count: int, expected: int):
    """Of the durations 1, 2, 3 …, so that the value is its rank."""
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    visits = [Visit(start, TicketState.COMPLETED, wait_s=float(n + 1), service_s=0.0) for n in range(count)]
    store(visits, *make_desk(), "UTC")
    assert get_figures(first_day=start.date(), last_day=start.date()).wait.p90_s == expected


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_a_day_on_which_the_clocks_change(settings, day: date, hours: int):
    settings.TICKETING_TIME_ZONE = BERLIN
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
    visits = [
        Visit(midnight + timedelta(minutes=30, hours=n), TicketState.CANCELLED) for n in range(-1, hours + 1)
    ]
    store(visits, *make_desk(), BERLIN)
    figures = get_figures(first_day=day, last_day=day)
    assert figures.created == hours
    taken = [hour.created for hour in figures.hours]
    assert taken == [1, 1, 0 if hours == 23 else 2, *([1] * 21)]
    both = get_figures(first_day=day - timedelta(days=1), last_day=day + timedelta(days=1))
    assert both.created == hours + 2


@pytest.mark.parametrize(
    ("zone", "expected"), [("Pacific/Kiritimati", date(2026, 5, 5)), ("Pacific/Pago_Pago", date(2026, 5, 3))]
)
def test_today_is_that_of_the_place(settings, zone: str, expected: date, monkeypatch: pytest.MonkeyPatch):
    settings.TICKETING_TIME_ZONE = zone
    monkeypatch.setattr(
        "ticketing.selectors.figures.timezone.now", lambda: datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
    )
    assert local_today() == expected


def test_a_clock_that_was_set_back_makes_nobody_wait_less_than_nothing():
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    store([Visit(start, TicketState.COMPLETED, wait_s=-5.0, service_s=-5.0)], *make_desk(), "UTC")
    figures = get_figures(first_day=start.date(), last_day=start.date())
    assert (figures.wait, figures.service) == (Spread(1, 0.0, 0.0), Spread(1, 0.0, 0.0))


def test_many_tickets_take_as_many_queries_as_few():
    def cost(call: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as queries:
            call()
        return len(queries)

    tables, staff = make_desk()
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def year() -> Figures:
        return get_figures(first_day=date(2026, 1, 1), last_day=date(2026, 12, 31))

    store([Visit(start, TicketState.COMPLETED, wait_s=1.0)], tables, staff, "UTC")
    assert cost(year) == QUERIES
    Ticket.objects.all().delete()
    store(
        [
            Visit(start + timedelta(hours=n), TicketState.COMPLETED, n % 2, n % 2, wait_s=1.0)
            for n in range(2_500)
        ],
        tables,
        staff,
        "UTC",
    )
    assert cost(year) == QUERIES
    assert year().created == 2_500


def test_what_waits_and_the_days_are_found_by_an_index():
    waiting = Ticket.objects.filter(state=TicketState.WAITING).explain()
    days = Ticket.objects.filter(day__range=(SPRING, AUTUMN)).order_by().explain()
    if connection.vendor == "sqlite":
        assert "ticketing_waiting" in waiting
        assert "day>" in days


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 1, 2), date(2026, 1, 1)), (date(2025, 1, 1), date(2026, 1, 2))]
)
def test_days_that_cannot_be_asked_for(first: date, last: date):
    with pytest.raises(Refused) as refusal:
        get_figures(first_day=first, last_day=last)
    assert refusal.value.code == "DAYS_INVALID"


def test_a_whole_leap_year_can_be_asked_for():
    first = date(2028, 1, 1)
    assert get_figures(first_day=first, last_day=first + timedelta(days=MAX_DAYS - 1)).created == 0

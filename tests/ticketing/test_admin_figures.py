"""The figures page of the admin, and its charts."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.realtime.admin_pages import count_queries, page_of
from tests.ticketing.admin_pages import FIGURES, TICKETS, somebody
from tests.ticketing.desk import Desk
from ticketing.admin.charts import Series, bar_chart, nice_step
from ticketing.models import Table, Ticket
from ticketing.selectors.figures import local_today

pytestmark = pytest.mark.django_db


def visit(desk: Desk, number: int, taken: datetime, wait_s: int, service_s: int) -> None:
    Ticket.objects.create(
        day=taken.date(),
        number=number,
        state="completed",
        staff=desk.ana,
        table=Table.objects.get(number=1),
        created_at=taken,
        claimed_at=taken + timedelta(seconds=wait_s),
        ended_at=taken + timedelta(seconds=wait_s + service_s),
    )


def test_the_figures_of_a_day(admin_client: Client, desk: Desk, settings):
    settings.TICKETING_TIME_ZONE = "Europe/Berlin"
    day = datetime(2026, 3, 29, 10, 15, tzinfo=ZoneInfo("Europe/Berlin"))
    visit(desk, 1, day, 60, 300)
    visit(desk, 2, day + timedelta(hours=1), 180, 500)
    desk.ticket()
    page = page_of(admin_client.get(FIGURES, {"from": "2026-03-29", "to": "2026-03-29"}))
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Tickets of Sunday, 2026-03-29, hours of Europe/Berlin." in text
    assert "Waiting now 1 Being served now 0 Taken 2 Completed 2 Cancelled 0" in text
    assert "Mean 2 min 00 s 90th percentile 3 min 00 s Tickets 2" in text
    assert "10:00 1 1 1 min 00 s 1 min 00 s 11:00 1 1 3 min 00 s 3 min 00 s" in text
    assert "Counter 1 2 2 min 00 s 3 min 00 s 6 min 40 s 8 min 20 s" in text
    assert "<title>10:00: taken 1</title>" in page
    assert "<title>11:00: 90th percentile 3 min 00 s</title>" in page
    assert f'href="{TICKETS}?day=2026-03-29&amp;table__number=1"' in page
    assert f'href="{TICKETS}?day=2026-03-29&amp;state__exact=completed"' in page


def test_figures_are_of_today_unless_asked_otherwise(admin_client: Client, desk: Desk):
    desk.ticket()
    today = local_today()
    page = page_of(admin_client.get(FIGURES))
    assert f'value="{today}"' in page
    assert "taken 1</title>" in page
    yesterday = today - timedelta(days=1)
    page = page_of(admin_client.get(FIGURES, {"from": yesterday, "to": yesterday}))
    assert "No tickets were taken on this day." in page
    assert "<svg viewBox" not in page


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"from": "2026-03-30", "to": "2026-03-29"}, "The last day must not be before the first"),
        ({"from": "2024-01-01", "to": "2026-03-29"}, "366 days at most"),
        ({"from": "today"}, "From: Enter a valid date."),
    ],
    ids=str,
)
def test_days_without_figures(admin_client: Client, query: dict[str, str], error: str):
    assert error in page_of(admin_client.get(FIGURES, query))


def test_figures_link_only_to_what_one_may_see(desk: Desk):
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, desk.ticket())
    page = page_of(somebody("view_deskfigures").get(FIGURES))
    assert "Counter 1" in page
    assert TICKETS not in page


def test_figures_take_five_queries_more_than_a_page_without_them(admin_client: Client, desk: Desk):
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, desk.ticket())
    admin_client.get(FIGURES)
    few = count_queries(admin_client, FIGURES)
    empty = count_queries(admin_client, FIGURES + "?from=nonsense")
    for name in ("Ada", "Grace", "Edsger"):
        desk.ticket(name)
    assert count_queries(admin_client, FIGURES) == few == empty + 5


def test_bars_fit_into_their_chart():
    values = [0, 3.0, None, 7.5]
    chart = bar_chart(["a", "b", "c", "d"], [Series("one", values), Series("two", [1, 1, 1, 1])])
    assert [len(bars) for bars in chart.bars] == [3, 4]
    assert [tick.text for tick in chart.y_ticks] == ["0", "2", "4", "6", "8"]
    for bar in (bar for bars in chart.bars for bar in bars):
        assert 0 <= bar.y <= bar.y + bar.height <= chart.base + 0.1
        assert chart.left <= bar.x <= bar.x + bar.width <= chart.width
    heights = [bar.height for bar in chart.bars[0]]
    assert heights[0] == 0
    assert heights[2] == pytest.approx(heights[1] * 2.5, abs=0.5)
    assert chart.bars[0][2].words == "d: one 7.5"
    assert chart.bars[0][1].x + chart.bars[0][1].width == pytest.approx(chart.bars[1][1].x, abs=0.2)


@pytest.mark.parametrize(
    ("top", "step"), [(0, 1), (5, 1), (5.1, 2), (11, 5), (26, 10), (101, 50), (251, 100), (2_600, 1_000)]
)
def test_steps_one_can_count_in(top: float, step: float):
    assert nice_step(top) == step

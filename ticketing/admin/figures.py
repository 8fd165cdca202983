"""The figures page of the admin: how the desk does today, or did on other days.

A face: reads through the selector. Works without a script; the charts are drawings in the page, and
tables say the same.
"""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from realtime.admin_base import ReadOnlyAdmin
from realtime.admin_filters import write_days
from realtime.admin_times import duration
from realtime.errors import Refused
from ticketing.admin.charts import Chart, Series, bar_chart
from ticketing.models import DeskFigures
from ticketing.selectors.figures import Figures, Group, Hour, Spread, get_figures, local_today, zone


class DayInput(UnfoldAdminTextInputWidget):
    """The browser's own picker of a day."""

    input_type = "date"


class DaysForm(forms.Form):
    """From when to when; ``from`` is a word of Python, so its field is added by hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("from", "From"), ("to", "To")):
            self.fields[name] = forms.DateField(
                label=label, input_formats=["%Y-%m-%d"], widget=DayInput(attrs={"required": True})
            )


@admin.register(DeskFigures)
class DeskFiguresAdmin(ReadOnlyAdmin):
    """One page instead of a list of rows."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.figures_view)
        return [path("", view, name="ticketing_deskfigures_changelist")]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """``?from=2026-03-01&to=2026-03-29``; today where nothing is said."""
        self.require(request, "view")
        today = local_today()
        asked = {"from": request.GET.get("from") or today, "to": request.GET.get("to") or today}
        form = DaysForm(asked)
        figures = None
        if form.is_valid():
            try:
                figures = get_figures(first_day=form.cleaned_data["from"], last_day=form.cleaned_data["to"])
            except Refused as refusal:
                form.add_error(None, refusal.message)
        # Whoever may see the figures may still not see names and addresses.
        links = request.user.has_perm("ticketing.view_ticket")
        return self.page(
            request,
            "figures",
            title="Figures",
            form=form,
            zone=zone().key,
            spans=_spans(today, figures),
            **(_figures_context(figures, links=links) if figures else {}),
        )


def _spans(today: date, shown: Figures | None) -> list[dict[str, Any]]:
    """Days people ask for."""
    spans = [
        ("Today", today, today),
        ("Yesterday", today - timedelta(days=1), today - timedelta(days=1)),
        ("7 days", today - timedelta(days=6), today),
        ("30 days", today - timedelta(days=29), today),
    ]
    return [
        {
            "title": title,
            "link": f"?from={first}&to={last}",
            "active": shown is not None and (shown.first_day, shown.last_day) == (first, last),
        }
        for title, first, last in spans
    ]


def _figures_context(figures: Figures, *, links: bool) -> dict[str, Any]:
    days = write_days(figures.first_day, figures.last_day)

    def tickets(**filters: object) -> str:
        return reverse("admin:ticketing_ticket_changelist", query=filters) if links else ""

    return {
        "figures": figures,
        "cards": [
            ("Waiting now", figures.waiting_now, tickets(state__exact="waiting")),
            ("Being served now", figures.serving_now, tickets(state__exact="serving")),
            ("Taken", figures.created, tickets(day=days)),
            ("Completed", figures.completed, tickets(day=days, state__exact="completed")),
            ("Cancelled", figures.cancelled, tickets(day=days, state__exact="cancelled")),
            ("Did not show up", figures.no_show, tickets(day=days, state__exact="no_show")),
        ],
        "durations": [
            ("Waiting", "from taking a ticket to the first call", _spread(figures.wait)),
            ("Service", "from the first call to completion", _spread(figures.service)),
        ],
        "groups": [
            (
                "By table",
                "Table",
                [_group(group, tickets(day=days, table__number=group.key)) for group in figures.tables],
            ),
            (
                "By staff",
                "Name",
                [_group(group, tickets(day=days, staff__id__exact=group.key)) for group in figures.staff],
            ),
        ],
        "hours": [
            (_clock(hour), hour.created, hour.completed, _spread(hour.wait))
            for hour in _busy_hours(figures.hours)
        ],
        "charts": _charts(_busy_hours(figures.hours)),
    }


def _spread(spread: Spread) -> dict[str, object]:
    return {"count": spread.count, "mean": duration(spread.mean_s), "p90": duration(spread.p90_s)}


def _group(group: Group, url: str) -> dict[str, object]:
    return {
        "url": url,
        "label": group.label,
        "count": group.count,
        "wait": _spread(group.wait),
        "service": _spread(group.service),
    }


def _busy_hours(hours: list[Hour]) -> list[Hour]:
    """From the first to the last in which something happened: a desk is closed for most of the day."""
    busy = [hour.hour for hour in hours if hour.created or hour.completed]
    return hours[busy[0] : busy[-1] + 1] if busy else []


def _clock(hour: Hour) -> str:
    return f"{hour.hour:02d}:00"


def _charts(hours: list[Hour]) -> list[dict[str, object]]:
    """Two drawings, with the names of their bars."""
    if not hours:
        return []
    labels = [_clock(hour) for hour in hours]
    tickets = [
        Series("taken", [hour.created for hour in hours]),
        Series("completed", [hour.completed for hour in hours]),
    ]
    waits = [
        Series(
            name,
            [None if seconds is None else seconds / 60 for seconds in values],
            [duration(seconds) for seconds in values],
        )
        for name, values in (
            ("mean", [hour.wait.mean_s for hour in hours]),
            ("90th percentile", [hour.wait.p90_s for hour in hours]),
        )
    ]
    return [
        _chart("tickets", "Tickets by hour", bar_chart(labels, tickets), tickets),
        _chart("waits", "Minutes waited, by the hour the ticket was taken", bar_chart(labels, waits), waits),
    ]


def _chart(key: str, title: str, chart: Chart, series: list[Series]) -> dict[str, object]:
    return {
        "key": key,
        "title": title,
        "chart": chart,
        "series": [(one.name, bars) for one, bars in zip(series, chart.bars, strict=True)],
    }

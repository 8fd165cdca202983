"""Filters of the desk's lists."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from ticketing.models import Ticket
from ticketing.selectors.figures import local_today


def parse_days(text: str) -> tuple[date, date] | None:
    """The first and the last day that ``2026-03-29`` or ``2026-03-01..2026-03-29`` stand for, else None."""
    first, dots, last = text.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        return None


def write_days(first: date, last: date) -> str:
    """What `parse_days` reads."""
    return f"{first}" if first == last else f"{first}..{last}"


class DayFilter(SimpleListFilter):
    """By the day tickets were taken, as the desk counts days. Any other day can be picked or linked to."""

    title = "day"
    parameter_name = "day"
    template = "admin/ticketing/ticket/day_filter.html"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("today", "Today"), ("yesterday", "Yesterday"), ("week", "The last 7 days")]

    def days(self) -> tuple[date, date] | None:
        """The first and the last day asked for; None for all, and for what is no day."""
        value, today = self.value() or "", local_today()
        named = {
            "today": (today, today),
            "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
            "week": (today - timedelta(days=6), today),
        }
        return named.get(value) or parse_days(value)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        if not self.value():
            return queryset
        days = self.days()
        return queryset.filter(day__range=days) if days else queryset.none()

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield from super().choices(changelist)
        if self.value() not in (None, "today", "yesterday", "week"):
            days = self.days()
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "display": " to ".join(str(day) for day in dict.fromkeys(days)) if days else "Not a day",
            }

    @property
    def picked_day(self) -> str:
        """What the field for a day of one's own begins with."""
        days = self.days()
        return days[0].isoformat() if days and days[0] == days[1] else ""

    def other_parameters(self) -> list[tuple[str, str]]:
        """The rest of the list's address, which picking a day is to keep."""
        return self._others

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: "ModelAdmin[Any]"
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self._others = [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if name not in (self.parameter_name, "p")
        ]

"""Filters for the lists of the admin into which one types. Core; a service says what its days are."""

from abc import abstractmethod
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest


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


class TypedFilter(SimpleListFilter):
    """A filter whose template has a form for a value of one's own."""

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


class DayFilter(TypedFilter):
    """Today, yesterday, the last week; any other day can be picked or linked to."""

    title = "day"
    parameter_name = "day"
    template = "admin/realtime/day_filter.html"

    @abstractmethod
    def today(self) -> date:
        """The day it is where the rows' days are counted."""

    @abstractmethod
    def within(self, queryset: QuerySet[Any], first: date, last: date) -> QuerySet[Any]:
        """The rows of these days, both included."""

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("today", "Today"), ("yesterday", "Yesterday"), ("week", "The last 7 days")]

    def days(self) -> tuple[date, date] | None:
        """The first and the last day asked for; None for all, and for what is no day."""
        value, today = self.value() or "", self.today()
        named = {
            "today": (today, today),
            "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
            "week": (today - timedelta(days=6), today),
        }
        return named.get(value) or parse_days(value)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        days = self.days()
        return self.within(queryset, *days) if days else queryset.none()

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

"""Filters for lists of the admin: into which one types, and that are on at first. Core.

A service says what its days are.
"""

from abc import abstractmethod
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

ALL = "all"
"""What is chosen to see every row."""


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


class FirstFilter(SimpleListFilter):
    """A filter that is on until another choice, or a search, asks for something else."""

    first = ""
    """What the list shows at first."""

    def value(self) -> str | None:
        chosen = super().value()
        return chosen or (ALL if self._searching else self.first)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for value, words in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({str(self.parameter_name): value}),
                "display": words,
            }

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: "ModelAdmin[Any]"
    ) -> None:
        # Whoever looks for one client wants to know what became of it.
        self._searching = bool(request.GET.get("q", "").strip())
        super().__init__(request, params, model, model_admin)


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


class TextFilter(TypedFilter):
    """A filter for what nobody could list: one types it."""

    template = "admin/realtime/text_filter.html"
    max_length = 200
    """Of what can be typed, in characters."""
    hint = ""
    """In the empty field: what to type."""

    def words(self, value: str) -> str:
        """What the value that is chosen is called."""
        return value

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("", "Any")]  # a filter without choices is not shown

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        value = self.value()
        yield {
            "selected": not value,
            "query_string": changelist.get_query_string(remove=[str(self.parameter_name)]),
            "display": "Any",
        }
        if value:
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "display": self.words(value),
            }


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

"""Filters of the queue's lists. Those that choose what is shown at first say so instead of "All"."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from queue.models import TicketState
from queue.selectors.line import OPEN
from realtime.admin_filters import ALL, DayFilter, FirstFilter, TextFilter


class TicketStateFilter(FirstFilter):
    """At first, those in line."""

    title = "state"
    parameter_name = "state"
    first = "open"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        ended = [(state.value, state.label) for state in TicketState if state not in OPEN]
        return [
            ("open", "In line, or logging in"),
            ("connected", "Waiting, connected"),
            ("away", "Waiting, away"),
            (TicketState.ADMITTED.value, TicketState.ADMITTED.label),
            *ended,
            (ALL, "All"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == ALL:
            return queryset
        if value == "open":
            return queryset.filter(state__in=OPEN)
        waiting = queryset.filter(state=TicketState.WAITING)
        if value == "connected":
            return waiting.exclude(holder="")
        return waiting.filter(holder="") if value == "away" else queryset.filter(state=value)

    @staticmethod
    def shows_the_line(request: HttpRequest) -> bool:
        """Whether what is listed is all in line, and so has an order."""
        chosen = request.GET.get(TicketStateFilter.parameter_name)
        if not chosen:
            return not request.GET.get("q", "").strip()
        return chosen in ("open", "connected", "away", TicketState.ADMITTED)


class AliveFilter(FirstFilter):
    """At first, the sessions that take a place."""

    title = "state"
    parameter_name = "alive"
    first = "yes"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("yes", "Alive"), ("no", "Ended"), (ALL, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ALL:
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "yes")


class PlatformFilter(TextFilter):
    """By what clients call their platform."""

    title = "platform"
    parameter_name = "platform"
    max_length = 32

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(platform=self.value()) if self.value() else queryset


class LogDayFilter(DayFilter):
    """By the day of an entry, in UTC."""

    def today(self) -> date:
        return timezone.now().astimezone(UTC).date()

    def within(self, queryset: QuerySet[Any], first: date, last: date) -> QuerySet[Any]:
        begin = datetime.combine(first, time(), UTC)
        end = datetime.combine(last, time.max, UTC)
        return queryset.filter(at__gte=begin, at__lte=end)

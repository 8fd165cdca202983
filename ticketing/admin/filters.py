"""Filters of the desk's lists."""

from datetime import date
from typing import Any

from django.db.models import QuerySet

from realtime.admin_filters import DayFilter
from ticketing.selectors.figures import local_today


class TicketDayFilter(DayFilter):
    """By the day tickets were taken, as the desk counts days."""

    def today(self) -> date:
        return local_today()

    def within(self, queryset: QuerySet[Any], first: date, last: date) -> QuerySet[Any]:
        return queryset.filter(day__range=(first, last))

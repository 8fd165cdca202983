"""Filters of the gateway's lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from gateway.models import Account, Channel
from gateway.rules import id_of
from gateway.selectors.overview import accounts_called, channels_called
from realtime.admin_filters import DayFilter, TextFilter
from realtime.ids import first_time_id

# A name that so many have says little; a longer list would be no index's any more.
MAX_FOUND = 200


class ChannelFilter(TextFilter):
    """By a channel's id, or part of its title."""

    title = "channel"
    parameter_name = "channel"
    hint = "Part of a title, or an id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = self.value()
        return queryset.filter(channel__in=channels_called(text, MAX_FOUND)) if text else queryset

    def words(self, value: str) -> str:
        return _named(Channel.objects.all(), value)


class AuthorFilter(TextFilter):
    """By an account's id, or part of its name or username."""

    title = "author"
    parameter_name = "author"
    hint = "Part of a name, or an id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = self.value()
        return queryset.filter(author__in=accounts_called(text, MAX_FOUND)) if text else queryset

    def words(self, value: str) -> str:
        return _named(Account.objects.all(), value)


class MessageDayFilter(DayFilter):
    """By the day of a message, in UTC: ids have the time, and an index."""

    def today(self) -> date:
        return timezone.now().astimezone(UTC).date()

    def within(self, queryset: QuerySet[Any], first: date, last: date) -> QuerySet[Any]:
        return queryset.filter(id__gte=_first_id(first), id__lt=_first_id(last + timedelta(days=1)))


def _first_id(day: date) -> int:
    return first_time_id(int(datetime.combine(day, time(), UTC).timestamp() * 1_000))


def _named(rows: QuerySet[Any], value: str) -> str:
    """The row with this id, as it is called; else the text as it was typed. One query for an id."""
    number = id_of(value)
    row = rows.filter(pk=number).first() if number is not None else None
    return str(row or value)

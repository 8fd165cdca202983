"""Filters of the notifications' lists."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.models import MAX_TYPE_LENGTH, MAX_USER_ID_LENGTH, Sent
from notifications.selectors.people import names_of, search_people
from realtime.admin_filters import ALL, FirstFilter, TextFilter

# A name that so many have says little; a longer list would be no index's any more.
MAX_FOUND: Final = 200


def is_sent_id(text: str) -> bool:
    """Whether something that was sent could have this id."""
    return text.isascii() and text.isdigit() and len(text) <= 18


class TypeFilter(TextFilter):
    """By the type, written out."""

    title = "type"
    parameter_name = "type"
    max_length = MAX_TYPE_LENGTH
    hint = "As it was sent"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class UserFilter(TextFilter):
    """By a user's id, or part of a name."""

    title = "user"
    parameter_name = "user"
    hint = "Part of a name, or an id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = self.value()
        if not text:
            return queryset
        # Users of another service are known by their ids alone.
        ids = {text[:MAX_USER_ID_LENGTH], *(person.id for person in search_people(text, MAX_FOUND))}
        return queryset.filter(user_id__in=ids)

    def words(self, value: str) -> str:
        return names_of([value]).get(value, value)


class SentFilter(SimpleListFilter):
    """Of one thing that was sent: where its page leads to. Not there to be chosen."""

    title = "what was sent"
    parameter_name = "sent"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        number = self.value() or ""
        if not is_sent_id(number):
            return []
        sent = Sent.objects.filter(pk=number).first()
        return [(number, str(sent) if sent is not None else number)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(sent=self.value()) if self.value() else queryset


class DeadLetterStateFilter(FirstFilter):
    """At first, those that nobody has dealt with."""

    title = "state"
    parameter_name = "state"
    first = "open"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("open", "Open"), ("resolved", "Dealt with"), (ALL, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ALL:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "open")

"""Who users are: those of this site have names; those that another service knows have only their ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.conf import settings

from realtime.people import Named, directory


def search_people(text: str, limit: int) -> Sequence[Named]:
    """People with `text` in a name of theirs, or with that id, by name. One query."""
    return [] if settings.NOTIFICATIONS_USER_API_URL else directory().search(text, limit)


def names_of(ids: Collection[str]) -> Mapping[str, str]:
    """What those of `ids` that are known here are called. One query."""
    return {} if settings.NOTIFICATIONS_USER_API_URL or not ids else directory().names_of(ids)


def strangers_among(ids: Sequence[str]) -> list[str]:
    """Those of `ids` that are nobody's, where that is known. One query."""
    if settings.NOTIFICATIONS_USER_API_URL:
        return []
    known = names_of(ids)
    return [user_id for user_id in ids if user_id not in known]

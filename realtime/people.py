"""Who the people of this site are, for services that have no accounts of their own.

Core. One service keeps the accounts and names its directory in its `realtime.catalog.Service`; the others ask
`directory()`. Ids are texts, as everyone outside sees them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

from django.core.exceptions import ImproperlyConfigured

from realtime.catalog import services

MAX_NAME_LENGTH: Final = 80
"""Of the name that others see."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody. `profile` is what others may see of them, JSON values, the id not among it.

    `digest` finds the token they showed again, and is no secret to keep.
    """

    id: str
    profile: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody, as people of the admin know them: `name` is the one others see and the one for logging in."""

    id: str
    name: str


class Directory(Protocol):
    """Each method reads the database: call it in a database thread."""

    def person_of_token(self, token: str) -> Person | None:
        """Who holds `token`, if it is valid now."""

    def valid_digests(self, digests: set[str]) -> set[str]:
        """Those of `digests` whose tokens are valid now."""

    def everyone(self) -> Sequence[str]:
        """Ids of all who can log in."""

    def members_of(self, group: str) -> Sequence[str] | None:
        """Ids of all in a group of the admin who can log in; None if there is no such group."""

    def search(self, text: str, limit: int) -> Sequence[Named]:
        """People with `text` in a name of theirs, or with that id, by name; also who cannot log in now."""

    def names_of(self, ids: Collection[str]) -> Mapping[str, str]:
        """What those of `ids` that are somebody's are called."""


@cache
def directory() -> Directory:
    """The one there is.

    Raises:
        ImproperlyConfigured: no service has one.
    """
    for service in services():
        if found := service.load("people"):
            return found()  # type: ignore[no-any-return]
    raise ImproperlyConfigured("no installed service keeps accounts (Service.people)")

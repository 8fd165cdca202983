"""Who answers for users and their notifications: this site, or other services over HTTP.

What a backend refuses is a `Refused`: UNAUTHORIZED and FORBIDDEN become the status of the answer, any other
code is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from notifications.protocol.messages import CountQuery, ListQuery, Update
from realtime.errors import Refused


@dataclass(frozen=True, slots=True)
class User:
    """Who has authenticated. `profile` is what the client is told of them besides the id.

    `digest` is that of a token of this site, to be looked at again when access changes; "" for others.
    """

    id: str
    profile: dict[str, Any]
    token: str
    digest: str = ""


class Accounts(Protocol):
    """Who users are."""

    async def authenticate(self, token: str) -> User:
        """Raises Refused: UNAUTHORIZED, FORBIDDEN; UNAVAILABLE if nobody answers."""


class Store(Protocol):
    """Where users' notifications are. Each raises `Refused`, as `Accounts.authenticate`."""

    async def list(self, user: User, query: ListQuery, seq: int) -> tuple[int, bytes]:
        """A place in the journal that is not before `seq`, and the list at that place, as JSON text."""

    async def count(self, user: User, query: CountQuery) -> int: ...

    async def mark(self, user: User, update: Update, origin: str) -> None:
        """Set the status of notifications. `origin` names the request, whose connection knows already."""


def unauthorized() -> Refused:
    return Refused("UNAUTHORIZED", "Invalid access token")

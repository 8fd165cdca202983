"""This site as the backend: its accounts and tokens, and notifications in the ORM."""

from __future__ import annotations

from contextlib import suppress

from msgspec import UNSET

from notifications import events
from notifications.backends.base import User, unauthorized
from notifications.protocol.messages import CountQuery, ListQuery, Update
from notifications.rules import STATUS_NAMES
from notifications.selectors.notifications import count_items, list_items
from notifications.services.commands import Mark
from notifications.services.live import LiveNotifications
from realtime import runtime
from realtime.db import ask_database
from realtime.errors import Refused
from realtime.people import directory


class LocalAccounts:
    """The accounts of this site."""

    async def authenticate(self, token: str) -> User:
        person = await ask_database(directory().person_of_token, token)
        if person is None:
            raise unauthorized()
        return User(person.id, person.profile, token, person.digest)


class LocalStore:
    """The ORM."""

    async def list(self, user: User, query: ListQuery, seq: int) -> tuple[int, bytes]:
        params = query.params
        seq, items = await ask_database(
            list_items,
            user.id,
            query.where.types,
            limit=params.limit,
            skip=params.skip,
            oldest_first=params.oldest_first,
            since=None if params.since is None else int(params.since),
            before=None if params.before is None else int(params.before),
        )
        return seq, events.item_list(items)

    async def count(self, user: User, query: CountQuery) -> int:
        return await ask_database(count_items, user.id, query.where.types, query.status)

    async def mark(self, user: User, update: Update, origin: str) -> None:
        where, live = update.where, runtime.current().part(LiveNotifications)
        mark = Mark(
            user.id,
            STATUS_NAMES[update.status],
            origin,
            ids=None if where.notifications is None else [int(number) for number in where.notifications],
            types=where.types or (),
            only=STATUS_NAMES[where.status] if where.status is not UNSET else None,
        )
        seq = await live.do(mark)
        with suppress(Refused):  # It is committed; what is told of it comes later.
            await live.reach(int(seq))

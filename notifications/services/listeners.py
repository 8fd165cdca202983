"""Who listens here to which queries of whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

from notifications import events
from notifications.rules import RESOURCE
from realtime.hub import Hub
from realtime.outlet import Outlet

Fetch = Callable[[int], Awaitable[tuple[int, bytes]]]
"""Given the place in the journal that this process is at: the place of what it fetched, and the payload."""


class Subscription:
    """A query of a user, and who listens to it here. `types` are those it is about; none stand for all."""

    __slots__ = ("id", "listeners", "resource", "types", "user_id")

    def __init__(self, subscription_id: str, resource: str, user_id: str, types: Collection[str]) -> None:
        self.id = subscription_id
        self.resource = resource
        self.user_id = user_id
        self.types = frozenset(types)
        self.listeners: set[Listener] = set()

    def takes(self, kind: str) -> bool:
        """Is it about this type?"""
        return not self.types or kind in self.types


class Listener:
    """A connection that made a query, and hears what is new in it.

    Args:
        send: sends messages over `outlet`, and counts them.
        fetch: makes the query again, as it was answered last.
    """

    __slots__ = (
        "asking",
        "fetch",
        "listed",
        "lock",
        "meanwhile",
        "outlet",
        "reload_waits",
        "send",
        "subscription",
    )

    def __init__(
        self, subscription: Subscription, outlet: Outlet, send: Callable[..., None], fetch: Fetch
    ) -> None:
        self.subscription = subscription
        self.outlet = outlet
        self.send = send
        self.fetch = fetch
        # How many requests for its list have no answer, and whether any had one: before, it is told nothing.
        self.asking = 0
        self.listed = False
        # One list after the other: each says what comes after it.
        self.lock = asyncio.Lock()
        # Is it to be fetched again, and has that not begun yet?
        self.reload_waits = False
        # While a list is being read: the news since it began, with their places.
        self.meanwhile: list[tuple[int, bytes]] | None = None

    @property
    def listens(self) -> bool:
        """Not any more, once it has unsubscribed or is gone."""
        return self in self.subscription.listeners and not self.outlet.closed


class Listeners:
    """All of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._subscriptions: dict[str, Subscription] = {}
        # Whose notifications are listened for. Also looked at from database threads.
        self.users: dict[str, dict[str, Subscription]] = {}

    def subscription(self, number: str, resource: str, user_id: str, types: Collection[str]) -> Subscription:
        """The subscription of that id."""
        return self._subscriptions.get(number) or Subscription(number, resource, user_id, types)

    def find(self, number: str) -> Subscription | None:
        """The subscription of that id, if anybody listens."""
        return self._subscriptions.get(number)

    def of_user(self, user_id: str) -> Iterable[Subscription]:
        """The subscriptions to somebody's notifications."""
        return list(self.users.get(user_id, {}).values())

    def add(self, listener: Listener) -> None:
        """It hears of what is new after its first list (`go_live`)."""
        subscription = listener.subscription
        self._subscriptions[subscription.id] = subscription
        if subscription.resource == RESOURCE:
            self.users.setdefault(subscription.user_id, {})[subscription.id] = subscription
        subscription.listeners.add(listener)

    def discard(self, listener: Listener) -> None:
        """It hears no more."""
        subscription = listener.subscription
        subscription.listeners.discard(listener)
        self._hub.leave_group(events.group_of(subscription.id), listener.outlet)
        if not subscription.listeners:
            self._subscriptions.pop(subscription.id, None)
            mine = self.users.get(subscription.user_id, {})
            mine.pop(subscription.id, None)
            if not mine:
                self.users.pop(subscription.user_id, None)

    def go_live(self, listener: Listener) -> None:
        """It has its first list: send it its news as they come, from now on."""
        listener.listed = True
        self._hub.join_here(events.group_of(listener.subscription.id), listener.outlet)

    def push(self, subscription: Subscription, seq: int, head: bytes, excluded: Collection[str] = ()) -> None:
        """Tell all who listen, but the connections `excluded`, what is at that place of the journal."""
        self._hub.deliver(events.group_of(subscription.id), head, excluded=excluded)
        for listener in subscription.listeners:
            if listener.meanwhile is not None:
                listener.meanwhile.append((seq, head))

"""Decisions of the notifications, without a database. Pure."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from enum import IntEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

RESOURCE: Final = "notifications"
"""What `subscription_id` calls lists of notifications. Commands of backends have their own names."""


OWN_COMMANDS: Final = (
    *("authentication", "getMyNotifications", "getMyNotificationsCount"),
    *("updateNotifications", "subscription"),
)
"""No command of a backend has such a name, nor that of our resource."""


class Status(IntEnum):
    """How far somebody got with a notification."""

    UNSEEN = 0
    UNREAD = 1
    READ = 2


STATUS_NAMES: Final = {status.name.lower(): status for status in Status}

COUNTED_AS: Final = {
    "unseen": (Status.UNSEEN,),
    "unread": (Status.UNSEEN, Status.UNREAD),
    "read": (Status.READ,),
}
"""What a count by name takes in: what was not even seen is not read either."""


class Content(Struct, frozen=True):
    """What is said, the same to everyone. `data` is JSON text, `at_ms` in milliseconds since 1970."""

    type: str
    title: str
    body: str
    data: bytes
    at_ms: int


class Item(Struct, frozen=True):
    """A notification of somebody."""

    id: int
    user_id: str
    status: int
    content: Content


class Notified(Struct, frozen=True, tag=True):
    """Somebody was told something. `recipients`: user and notification id."""

    seq: int
    content: Content
    recipients: list[tuple[str, int]]


class Marked(Struct, frozen=True, tag=True):
    """Somebody set the state of notifications, by the request `origin`.

    `items` are those that changed, as they are now; None if they were too many to be told one by one.
    """

    seq: int
    user_id: str
    origin: str
    items: list[Item] | None


class Updated(Struct, frozen=True, tag=True):
    """Another service has news for subscriptions: `data` is JSON text. With `reload` they fetch it again."""

    seq: int
    subscription_ids: list[str]
    data: bytes
    reload: bool


Entry = Notified | Marked | Updated


def subscription_id(resource: str, where: object, user_id: str) -> str:
    """The id of a query's subscription: the same for the same query of the same user, anywhere and always.

    `where` is JSON values, its names in any order.
    """
    key = msgspec.json.encode([resource, where, user_id], order="deterministic")
    return hashlib.sha256(key).hexdigest()[:32]


def origin_of(session_id: str, rid: int) -> str:
    """Names a request of a connection, for the entry it makes."""
    return f"{session_id}/{rid}"


def session_of(origin: str) -> str:
    """The connection that a request came over."""
    return origin.rpartition("/")[0]


def wanted_types(types: Collection[str]) -> list[str]:
    """The types of a query in their one form; none stand for all."""
    return sorted(set(types))


_placeholder: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")


_braces: Final = re.compile(r"\{[^{}]*\}")


def names_in(template: Any) -> set[str]:
    """The ``{names}`` in a template: in a text, or in every text of JSON values."""
    return {name for text in _texts_in(template) for name in _placeholder.findall(text)}


def malformed_names(template: Any) -> list[str]:
    """What stands in braces in a template and is no name: nothing would ever take its place."""
    found = [part for text in _texts_in(template) for part in _braces.findall(text)]
    return [part for part in dict.fromkeys(found) if not _placeholder.fullmatch(part)]


def _texts_in(template: Any) -> Iterator[str]:
    match template:
        case str():
            yield template
        case list():
            for part in template:
                yield from _texts_in(part)
        case dict():
            for part in template.values():
                yield from _texts_in(part)


def length_filled(template: Any, values: Mapping[str, str | int | float]) -> int:
    """How many characters the texts of ``filled(template, values)`` would have, without making them.

    A name may stand in a template thousands of times, and each of its values be long.
    """
    lengths = {name: len(str(value)) for name, value in values.items()}
    return sum(
        len(text) + sum(lengths[name] - len(name) - 2 for name in _placeholder.findall(text))
        for text in _texts_in(template)
    )


def filled(template: Any, values: Mapping[str, str | int | float]) -> Any:
    """A template with its ``{names}`` replaced; every name must be among `values`."""
    match template:
        case str():
            return _placeholder.sub(lambda found: str(values[found[1]]), template)
        case list():
            return [filled(part, values) for part in template]
        case dict():
            return {name: filled(part, values) for name, part in template.items()}
    return template

"""Every message of the notifications' protocol, as a frozen struct, and the protocol's limits.

Members are named as on the wire. The page is ``docs/protocols/notifications.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

# ruff: noqa: N815 - members are named as the protocol has them

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

__all__ = [
    "MAX_FRAME_BYTES",
    "MAX_IN_FLIGHT",
    "MAX_LIMIT",
    "MAX_MARKED",
    "MAX_RID",
    "NO_NUL",
    "PUSH",
    "Authentication",
    "CountQuery",
    "ListQuery",
    "Notification",
    "Params",
    "Problem",
    "Problems",
    "Request",
    "Response",
    "Subscription",
    "Total",
    "Update",
    "Where",
    "WhichNotifications",
]

MAX_FRAME_BYTES: Final = 64 * 1024
# Requests of one connection that have no answer yet.
MAX_IN_FLIGHT: Final = 64
# Notifications in one list, and marked by one request.
DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
MAX_SKIP: Final = 100_000
MAX_MARKED: Final = 1_000
MAX_TYPES: Final = 50
MAX_UNSUBSCRIBED: Final = 100
# What a double, and so every JSON reader, holds exactly.
MAX_RID: Final = 2**53

NotificationId = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")]
# No NUL in what is stored or looked for: PostgreSQL has no text with one.
NO_NUL: Final = r"^[^\x00]*$"
Type = Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL)]
StatusName = Literal["unseen", "unread", "read"]


def _check_ids(*ids: str | None) -> None:
    if any(number is not None and int(number) >= 2**63 for number in ids):
        raise ValueError("An id has 63 bits at most.")


class Request(Struct, frozen=True):
    """What a client asks for. `rid` is in the answer."""

    rid: Annotated[int, Meta(ge=1, le=MAX_RID)]
    command: Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL)]
    options: dict[str, Any]


# --- options of our commands ---------------------------------------------------------------------


class Authentication(Struct, frozen=True):
    """``authentication``: be this user, or nobody any more. `update`: the same user, with a newer token."""

    authToken: Annotated[str, Meta(max_length=4_096)] | None = None
    update: bool = False


class Where(Struct, frozen=True, forbid_unknown_fields=True):
    """Which notifications: those of these types; none stand for all."""

    types: Annotated[list[Type], Meta(max_length=MAX_TYPES)] = field(default_factory=list)


class Params(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list, and in what order: the newest first, unless `sort` is ``createdAt``.

    `since`: those after this id, the oldest first: what one missed. `before`: those before it.
    """

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    skip: Annotated[int, Meta(ge=0, le=MAX_SKIP)] = 0
    sort: Literal["createdAt", "-createdAt"] | UnsetType = UNSET
    since: NotificationId | None = None
    before: NotificationId | None = None

    def __post_init__(self) -> None:
        _check_ids(self.since, self.before)

    @property
    def oldest_first(self) -> bool:
        """The order: that of `sort`, else that which `since` is asked for."""
        return self.since is not None if self.sort is UNSET else self.sort == "createdAt"


class ListQuery(Struct, frozen=True):
    """``getMyNotifications``: a list, and from then on what is new in it."""

    where: Where = field(default_factory=Where)
    params: Params = field(default_factory=Params)


class CountQuery(Struct, frozen=True):
    """``getMyNotificationsCount``: how many. ``unread`` takes in what is unseen."""

    status: StatusName
    where: Where = field(default_factory=Where)


class WhichNotifications(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which to mark: these, or all of these types; of them only what has the `status`, if it is given."""

    notifications: Annotated[list[NotificationId], Meta(max_length=MAX_MARKED)] | None = None
    types: Annotated[list[Type], Meta(max_length=MAX_TYPES)] | None = None
    status: StatusName | UnsetType = UNSET

    def __post_init__(self) -> None:
        if (self.notifications is None) == (self.types is None):
            raise ValueError("Either notifications or types.")
        _check_ids(*self.notifications or ())


class Update(Struct, frozen=True):
    """``updateNotifications``: how far one got with them."""

    where: WhichNotifications
    status: StatusName


class Subscription(Struct, frozen=True):
    """``subscription``: hear no more of these."""

    ids: Annotated[list[str], Meta(max_length=MAX_UNSUBSCRIBED)]
    action: Literal["unsubscribe"]


# --- from the server -------------------------------------------------------------------------------


class Notification(Struct, frozen=True):
    """A notification of somebody."""

    id: str
    type: str
    title: str
    body: str
    data: Raw
    status: StatusName
    createdAt: str


class Total(Struct, frozen=True):
    """The answer to ``getMyNotificationsCount``."""

    total: int


class Problem(Struct, frozen=True):
    """What is wrong. `slug` is for programs; `path` says where, as ``options.where.types``."""

    slug: str
    message: str
    path: str = ""


class Problems(Struct, frozen=True):
    """The payload of an answer that says no."""

    error: list[Problem]
    message: str


ResponseStatus: TypeAlias = Literal["ok", "error", "unauthorized", "forbidden", "update", "reload"]


class Response(Struct, frozen=True):
    """An answer; or, with the `rid` -1, news for the subscription that `event` names."""

    rid: int
    event: str
    status: ResponseStatus
    payload: Any


PUSH: Final = -1
"""The `rid` of what nobody asked for just now."""

"""What other services have us tell, over Kafka or HTTP: ``{"type", "document"}``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from typing import Annotated, Any, Final, TypeAlias

from msgspec import Meta, Struct, field

from notifications.protocol.codec import BadRequest, read
from notifications.protocol.messages import NO_NUL, Type
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

__all__ = [
    "MAX_FEED_BYTES",
    "MAX_USERS",
    "Feed",
    "NewNotification",
    "SubscriptionUpdate",
    "decode_feed",
    "read_feed",
]

MAX_FEED_BYTES: Final = 1024 * 1024
MAX_USERS: Final = 10_000
MAX_SUBSCRIPTIONS: Final = 10_000
# It is sent once for every recipient.
MAX_DATA_BYTES: Final = 32 * 1024

# A number is taken as the text it is written as.
UserId = (
    Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL)]
    | Annotated[int, Meta(ge=0, le=2**63 - 1)]
)
Name = Annotated[str, Meta(min_length=1, max_length=150, pattern=NO_NUL)]
Value: TypeAlias = Annotated[str, Meta(max_length=4_000, pattern=NO_NUL)] | int | float


class NewNotification(Struct, frozen=True):
    """``notification``: tell these users, those in these groups, or everyone.

    What is said is written out, or it is a `template` with `values` for the names in it.
    """

    users: Annotated[list[UserId], Meta(max_length=MAX_USERS)] = field(default_factory=list)
    groups: Annotated[list[Name], Meta(max_length=100)] = field(default_factory=list)
    everyone: bool = False
    type: Type | None = None
    title: Annotated[str, Meta(max_length=200, pattern=NO_NUL)] = ""
    body: Annotated[str, Meta(max_length=4_000, pattern=NO_NUL)] = ""
    data: Any = None
    template: Name | None = None
    values: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.type is None) == (self.template is None):
            raise ValueError("Either a type or a template.")
        if not (self.users or self.groups or self.everyone):
            raise ValueError("Nobody to tell: name users, groups or everyone.")
        if len(encode_json(self.data)) > MAX_DATA_BYTES:
            raise ValueError(f"data may have at most {MAX_DATA_BYTES} bytes.")

    @property
    def user_ids(self) -> list[str]:
        """The users that are named, each once."""
        return list(dict.fromkeys(map(str, self.users)))


class UpdateOptions(Struct, frozen=True):
    """`reload`: those who hear of it fetch their list again, and are told that."""

    reload: bool = False


class SubscriptionUpdate(Struct, frozen=True):
    """``update_subscription``: news for these subscriptions."""

    subscriptions: Annotated[
        list[Annotated[str, Meta(pattern=r"^[!-~]{1,64}$")]],
        Meta(min_length=1, max_length=MAX_SUBSCRIPTIONS),
    ]
    data: Any = None
    options: UpdateOptions = field(default_factory=UpdateOptions)

    def __post_init__(self) -> None:
        if len(encode_json(self.data)) > MAX_DATA_BYTES:
            raise ValueError(f"data may have at most {MAX_DATA_BYTES} bytes.")


Feed: TypeAlias = NewNotification | SubscriptionUpdate

_KINDS: Final[dict[str, type[NewNotification] | type[SubscriptionUpdate]]] = {
    "notification": NewNotification,
    "update_subscription": SubscriptionUpdate,
}


class _Envelope(Struct, frozen=True):
    type: str
    document: dict[str, Any]


def decode_feed(value: bytes) -> Feed:
    """What a message of Kafka says.

    Raises:
        BadRequest: with what is wrong, and where. Nothing else is ever raised.
    """
    try:
        return read_feed(decode_json(value, max_bytes=MAX_FEED_BYTES))
    except BadRequest:
        raise
    except ProtocolViolation as error:
        raise BadRequest(error.code.lower(), error.message) from None


def read_feed(value: object) -> Feed:
    """The same, of JSON values.

    Raises:
        BadRequest: with what is wrong, and where.
    """
    envelope = read(_Envelope, value, "")
    kind = _KINDS.get(envelope.type)
    if kind is None:
        raise BadRequest("unknown-type", f"The type is one of {', '.join(_KINDS)}.", "type")
    return read(kind, envelope.document, "document")

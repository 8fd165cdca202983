"""What happened to notifications, as the messages that say so. No models, no I/O.

Protocol: docs/protocols/notifications.md.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Raw

from notifications.protocol import messages
from notifications.protocol.codec import encode_push
from notifications.rules import Content, Item, Status
from realtime.wire import encode_json


def group_of(subscription_id: str) -> str:
    """The hub group of those who hear of a subscription."""
    return f"notifications:{subscription_id}"


def item(one: Item) -> messages.Notification:
    """A notification, as clients get it."""
    return messages.Notification(
        id=str(one.id),
        type=one.content.type,
        title=one.content.title,
        body=one.content.body,
        data=Raw(one.content.data),
        status=_NAMES[one.status],
        createdAt=_moment(one.content.at_ms),
    )


def item_list(items: Iterable[Item]) -> bytes:
    """The payload of a list."""
    return encode_json([item(one) for one in items])


def changed(subscription_id: str, one: Item) -> bytes:
    """News: this notification is new, or has another status."""
    return encode_push(subscription_id, "update", encode_json(item(one)))


class Newcomer:
    """News of one content to many: what all get is encoded once."""

    __slots__ = ("_rest",)

    def __init__(self, content: Content) -> None:
        whole = encode_json(item(Item(0, "", Status.UNSEEN, content)))
        # {"id":"0","type":...}: what differs comes first.
        self._rest = whole.partition(b",")[2]

    def to(self, subscription_id: str, notification_id: int) -> bytes:
        """The news for one subscription."""
        return b'{"rid":-1,"event":"%b","status":"update","payload":{"id":"%d",%b}' % (
            subscription_id.encode(),
            notification_id,
            self._rest,
        )


def _moment(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_NAMES: dict[int, messages.StatusName] = {
    Status.UNSEEN: "unseen",
    Status.UNREAD: "unread",
    Status.READ: "read",
}

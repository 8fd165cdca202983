"""What happened on a channel, as the messages that say so, and the groups they go to.

No models, no I/O. Protocol: docs/protocols/broadcast.md.
"""

from typing import Any

import msgspec

from broadcast.protocol import messages
from broadcast.protocol.codec import encode_head
from realtime.errors import FoyerError, InternalError
from realtime.ids import new_event_id
from realtime.presence import Member

_CODES = frozenset(messages.ErrorCode)


def group_of(channel: str) -> str:
    """The hub group of a channel's listeners; also its presence room."""
    return f"broadcast:{channel}"


ROOM_PREFIX = group_of("")


def channel_of(group: str) -> str:
    """The channel whose group that is."""
    return group.removeprefix(ROOM_PREFIX)


def data(payload: bytes, event_id: str, *, requires_ack: bool = False) -> bytes:
    """An emitted event. `payload` is its JSON text, checked and compact."""
    return encode_head(messages.Data(msgspec.Raw(payload), requires_ack), event_id)


def connected(others: list[Member], count: int | None) -> bytes:
    """Who else is here; `count` where it is a crowd and nobody is named."""
    members = [messages.Member(member.id, presence_of(member)) for member in others]
    return encode_head(messages.Connected(members, count), new_event_id())


def presence_change(kind: str, client_id: str, presence: dict[str, Any], event_id: str) -> bytes:
    """A client has ``joined``, ``left``, or ``updated`` what it shows."""
    message: messages.ServerMessage
    if kind == "joined":
        message = messages.PresenceJoined(client_id, presence)
    elif kind == "left":
        message = messages.PresenceLeft(client_id)
    else:
        message = messages.PresenceUpdated(client_id, presence)
    return encode_head(message, event_id)


def ping() -> bytes:
    return encode_head(messages.Ping(), new_event_id())


def error(problem: FoyerError) -> bytes | None:
    """The ERROR for a problem; None for a bug of ours, of which the close code tells enough."""
    if isinstance(problem, InternalError) or problem.code not in _CODES:
        return None
    return encode_head(messages.Error(problem.message, messages.ErrorCode(problem.code)), new_event_id())


def history_gap() -> bytes:
    """Events before the next one cannot be given any more."""
    message = "Some events before the next one are no longer kept"
    return encode_head(messages.Error(message, messages.ErrorCode.HISTORY_GAP), new_event_id())


def presence_of(member: Member) -> dict[str, Any]:
    """What a member shows of itself."""
    presence: dict[str, Any] = member.info.get("presence", {})
    return presence


def can_acknowledge(member: Member) -> bool:
    """Whether a member can send an ACK: a server-sent event stream has no way back."""
    return member.info.get("transport") == "ws"

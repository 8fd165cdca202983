"""Every message of the broadcast protocol, as a frozen struct, and the protocol's limits.

A struct holds what its message's ``payload`` holds, under our names; the names on the wire are given
beside them where they differ, so ``msgspec.json.encode(message)`` is the payload (`Data` is the
exception: it carries the payload, whatever that is, as JSON text). `codec` puts the envelope around it.
The page is ``docs/protocols/broadcast.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from enum import StrEnum
from typing import Any, ClassVar, Final, TypeAlias

from msgspec import Raw, Struct, field

__all__ = [
    "FLOOD_FRAMES",
    "FLOOD_WINDOW_S",
    "MAX_FRAME_BYTES",
    "MAX_MISSED_PONGS",
    "MAX_PRESENCE_BYTES",
    "Ack",
    "ClientMessage",
    "Connected",
    "Data",
    "Error",
    "ErrorCode",
    "Member",
    "Ping",
    "Pong",
    "Presence",
    "PresenceJoined",
    "PresenceLeft",
    "PresenceUpdated",
    "ServerMessage",
]

# One text frame from a client, and one emitted payload. Room for a page of text with a small picture in
# it; what is larger belongs behind a link, since it is copied to every listener.
MAX_FRAME_BYTES: Final = 64 * 1024
# Presence as compact JSON. It is kept for every member and sent to every newcomer: 1,000 members of
# 4 KiB already make a CONNECTED of 4 MB.
MAX_PRESENCE_BYTES: Final = 4 * 1024
# Flooding: a client may send this many frames at once, and as many again every FLOOD_WINDOW_S. Answers to
# our DATA and PING are not counted against it.
FLOOD_FRAMES: Final = 100
FLOOD_WINDOW_S: Final = 10.0
# PINGs in a row that may go without a PONG. One may be lost to a reconnecting radio; two are 30 s of silence.
MAX_MISSED_PONGS: Final = 2


class ErrorCode(StrEnum):
    """What the ``code`` of an ERROR can be."""

    MALFORMED = "MALFORMED"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    PING_TIMEOUT = "PING_TIMEOUT"
    HISTORY_GAP = "HISTORY_GAP"


# --- from the client ---------------------------------------------------------------------------


class Ack(Struct, frozen=True):
    """I have the event. One that is unknown, or acknowledged already, is ignored."""

    type: ClassVar[str] = "ACK"
    event_id: str = field(name="eventID")


class Pong(Struct, frozen=True):
    """I am still here: the answer to `Ping`."""

    type: ClassVar[str] = "PONG"


class Presence(Struct, frozen=True):
    """Show this to the others about me, in place of what was shown before."""

    type: ClassVar[str] = "PRESENCE"
    presence: dict[str, Any]


ClientMessage: TypeAlias = Ack | Pong | Presence


# --- from the server ---------------------------------------------------------------------------


class Member(Struct, frozen=True):
    """One who listens on the channel, as the others see it."""

    client_id: str = field(name="clientID")
    presence: dict[str, Any]


class Connected(Struct, frozen=True, omit_defaults=True):
    """The first message: who else is here.

    In a crowd (more than ``BROADCAST_PRESENCE_LIMIT``) `members` is empty and `count` says how many
    listen, the receiver among them; otherwise `count` is left out.
    """

    type: ClassVar[str] = "CONNECTED"
    members: list[Member]
    count: int | None = None


class Data(Struct, frozen=True):
    """Somebody emitted `payload`: the JSON text of a value, in one piece and checked already.

    With `requires_ack` the emitter waits for an `Ack` from each receiver.
    """

    type: ClassVar[str] = "DATA"
    payload: Raw
    requires_ack: bool = False


class Ping(Struct, frozen=True):
    """Are you still there? Answer with `Pong`."""

    type: ClassVar[str] = "PING"


class PresenceJoined(Struct, frozen=True):
    """Someone else has come."""

    type: ClassVar[str] = "PRESENCE:JOINED"
    client_id: str = field(name="clientID")
    presence: dict[str, Any]


class PresenceLeft(Struct, frozen=True):
    """Someone else has gone."""

    type: ClassVar[str] = "PRESENCE:LEFT"
    client_id: str = field(name="clientID")


class PresenceUpdated(Struct, frozen=True):
    """Someone, perhaps the receiver, shows something new."""

    type: ClassVar[str] = "PRESENCE:UPDATED"
    client_id: str = field(name="clientID")
    presence: dict[str, Any]


class Error(Struct, frozen=True):
    """Something went wrong; unless the connection closes next, it goes on."""

    type: ClassVar[str] = "ERROR"
    message: str
    code: ErrorCode


ServerMessage: TypeAlias = Connected | Data | Ping | PresenceJoined | PresenceLeft | PresenceUpdated | Error

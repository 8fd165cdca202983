"""Every frame of the gateway's protocol, as a frozen struct, and the protocol's limits.

A struct holds what its frame holds besides ``op``, under our names; the names on the wire are given beside
them where they differ. The page is ``docs/protocols/gateway.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from enum import IntEnum
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

__all__ = [
    "IDENTIFY_TIMEOUT_S",
    "MAX_FRAME_BYTES",
    "MAX_REPLAY",
    "MAX_REPLAY_BYTES",
    "ClientFrame",
    "Gap",
    "Heartbeat",
    "HeartbeatAck",
    "Hello",
    "Identify",
    "Message",
    "MessageType",
    "Op",
    "Post",
    "Ready",
    "ServerFrame",
]

# One text frame from a client: a token, an id and some numbers.
MAX_FRAME_BYTES: Final = 16 * 1024
# Without an Identify for so long the connection is closed.
IDENTIFY_TIMEOUT_S: Final = 30.0
# Messages that are replayed after a reconnect; who missed more is told that there is a gap.
MAX_REPLAY: Final = 1_000
# And so many bytes of them: half of what may wait for a client that does not read (MAX_BACKLOG_BYTES of
# `realtime.outlet`), the other half being for what comes live. A thousand typical messages fit.
MAX_REPLAY_BYTES: Final = 512 * 1024


class Op(IntEnum):
    """What a frame is."""

    HELLO = 0
    IDENTIFY = 1
    READY = 2
    MESSAGE = 3
    GAP = 4
    HEARTBEAT = 10
    HEARTBEAT_ACK = 11


class MessageType(IntEnum):
    POST = 0
    ANSWER = 1


# --- both ways ---------------------------------------------------------------------------------


class Heartbeat(Struct, frozen=True):
    """Are you there? `time` is when it was sent, in milliseconds since 1970."""

    op: ClassVar[Op] = Op.HEARTBEAT
    time: int


class HeartbeatAck(Struct, frozen=True):
    """I am. `time` is that of the heartbeat."""

    op: ClassVar[Op] = Op.HEARTBEAT_ACK
    time: int


# --- from the client ---------------------------------------------------------------------------


class Identify(Struct, frozen=True, omit_defaults=True):
    """Who I am. With `after`, the id of the last message I have: send me what came since."""

    op: ClassVar[Op] = Op.IDENTIFY
    token: str
    after: int | None = None

    def __repr__(self) -> str:
        """Without the token: it is a secret."""
        return f"Identify(after={self.after})"


ClientFrame: TypeAlias = Identify | Heartbeat | HeartbeatAck


# --- from the server ---------------------------------------------------------------------------


class Hello(Struct, frozen=True):
    """The first frame of a connection: how often, in milliseconds, either side asks for a sign of life."""

    op: ClassVar[Op] = Op.HELLO
    heartbeat_interval: int


class Ready(Struct, frozen=True):
    """You are this user, and get the messages of your channels from here on."""

    op: ClassVar[Op] = Op.READY
    user: str


class Post(Struct, frozen=True):
    """A message in a channel. Ids are texts: they pass what JavaScript's numbers hold."""

    id: str
    channel_id: str
    author: str
    type: MessageType
    content: str
    timestamp: int


class Message(Struct, frozen=True):
    """Somebody has posted in one of your channels."""

    op: ClassVar[Op] = Op.MESSAGE
    message: Post


class Gap(Struct, frozen=True):
    """More was posted since `after` than is replayed: fetch the rest over HTTP."""

    op: ClassVar[Op] = Op.GAP
    gap: bool


ServerFrame: TypeAlias = Hello | Ready | Message | Gap | Heartbeat | HeartbeatAck

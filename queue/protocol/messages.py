"""Every message of the login queue's protocol, as a frozen struct, and the protocol's limits.

A struct holds what its message's ``eventData`` holds, under our names; the names on the wire are given
beside them where they differ, so ``msgspec.json.encode(message)`` is the event's data. `codec` puts the
envelope with the event code around it. The page is ``docs/protocols/queue.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from enum import IntEnum, StrEnum
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct, field

__all__ = [
    "MAX_BAD_FRAMES",
    "MAX_BAD_FRAMES_WINDOW_S",
    "MAX_FRAME_BYTES",
    "MAX_ID_LENGTH",
    "MAX_PLATFORM_LENGTH",
    "ClientMessage",
    "Error",
    "ErrorCode",
    "EventCode",
    "Login",
    "LoginAnswer",
    "LoginType",
    "QueueStats",
    "ServerMessage",
    "ShouldQueue",
    "Ticket",
]

# One text frame from a client. The largest thing in it is an identity token of a few kilobytes.
MAX_FRAME_BYTES: Final = 16 * 1024
# Frames that are answered with an error. With one more within the window the connection is closed.
MAX_BAD_FRAMES: Final = 20
MAX_BAD_FRAMES_WINDOW_S: Final = 60.0
# Of what a client says about itself in the handshake.
MAX_ID_LENGTH: Final = 128
MAX_PLATFORM_LENGTH: Final = 32


class EventCode(IntEnum):
    """What the envelope calls a message. `Login` and its answer share one."""

    SHOULD_QUEUE = 1000
    LOGIN = 1001
    QUEUE_STATS = 1002
    TICKET = 1003
    ERROR = 1004


class ErrorCode(StrEnum):
    """What the ``code`` of an `Error` can be."""

    MALFORMED = "MALFORMED"
    UNKNOWN_EVENT = "UNKNOWN_EVENT"
    INVALID_LOGIN = "INVALID_LOGIN"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    REMOVED = "REMOVED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class LoginType(IntEnum):
    """Who vouches for the client."""

    FACEBOOK = 0
    GOOGLE = 1
    APPLE = 2
    LINE = 3
    DEVICE = 4


# --- from the client ---------------------------------------------------------------------------


class Login(Struct, frozen=True):
    """Put me in line, and log me in with this when it is my turn. The last two are passed on as they are."""

    code: ClassVar[EventCode] = EventCode.LOGIN
    type: LoginType
    token: str
    device_id: str = field(default="", name="deviceId")
    session_id: str = field(default="", name="sessionId")

    def __repr__(self) -> str:
        """Without the token: it is a secret."""
        return f"Login({self.type!r})"


ClientMessage: TypeAlias = Login


# --- from the server ---------------------------------------------------------------------------


class ShouldQueue(Struct, frozen=True):
    """The first message of a connection. What the flag means, `codec` is told."""

    code: ClassVar[EventCode] = EventCode.SHOULD_QUEUE
    should_queue: bool = field(name="shouldQueue")


class LoginAnswer(Struct, frozen=True, omit_defaults=True):
    """You are in: the session's credential. Or it is empty, with the reason: `status_code` as in HTTP."""

    code: ClassVar[EventCode] = EventCode.LOGIN
    jwt: str
    status_code: int = field(default=0, name="statusCode")
    message: str = ""

    def __repr__(self) -> str:
        """Without the credential."""
        return f"LoginAnswer({'jwt' if self.jwt else self.status_code})"


class Estimate(Struct, frozen=True):
    """What a page of ours is told besides, to say how long `ahead` people take.

    ``mean = ahead * perTicketMsec``; half of all waits lie within 0.674 times the square root of
    ``ahead * varianceMsec2 * (1 + ahead / tickets)`` of it.
    """

    per_ticket_ms: float = field(name="perTicketMsec")
    variance_ms2: float = field(name="varianceMsec2")
    tickets: float


class QueueStats(Struct, frozen=True, omit_defaults=True):
    """Where the line begins and ends, and the mean wait of those let in last.

    An empty line has ``head == tail + 1``. What follows the mean wait goes to pages of ours alone: how to
    estimate a wait (None: nobody can), the operator's message, whether the line is paused, when the next of
    these comes, and for how long somebody whose connection is lost keeps the place.
    """

    code: ClassVar[EventCode] = EventCode.QUEUE_STATS
    head: int = field(name="headPosition")
    tail: int = field(name="tailPosition")
    avg_wait_ms: int = field(name="avgWaitMsec")
    estimate: Estimate | None = None
    message: str = ""
    paused: bool = False
    interval_ms: int = field(default=0, name="intervalMsec")
    keep_ms: int = field(default=0, name="keepMsec")


class Ticket(Struct, frozen=True):
    """Your ticket: `position` less the head are in front of it, the tail less `position` behind it."""

    code: ClassVar[EventCode] = EventCode.TICKET
    ticket_id: str = field(name="ticketId")
    position: int


class Error(Struct, frozen=True):
    """What you sent, or asked for, cannot be. The connection goes on."""

    code: ClassVar[EventCode] = EventCode.ERROR
    error: str = field(name="code")
    message: str


ServerMessage: TypeAlias = ShouldQueue | LoginAnswer | QueueStats | Ticket | Error

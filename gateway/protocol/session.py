"""What one connection does when: who it is, and whether it is alive. The clock is an argument.

::

    GREETED --Identify--> IDENTIFYING --identified--> READY
       |                       |
       +------- close 4001, 4002, 4003 from any -----> CLOSED

In every state but CLOSED heartbeats go both ways: a client's is answered at once; one of ours that has no
answer when the next is due ends the connection.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from gateway.protocol.messages import (
    IDENTIFY_TIMEOUT_S,
    ClientFrame,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Identify,
    ServerFrame,
)
from realtime.close_codes import CloseCode

__all__ = ["Action", "Authenticate", "Close", "Send", "Session", "State"]


class State(Enum):
    GREETED = auto()
    IDENTIFYING = auto()
    READY = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame."""

    frame: ServerFrame


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out whose token it is; then call `Session.identified` or `Session.not_identified`."""

    identify: Identify


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    code: CloseCode
    reason: str


Action: TypeAlias = Send | Authenticate | Close

_ALREADY: Final = "identified already"
_NOT_IN_TIME: Final = f"not identified within {IDENTIFY_TIMEOUT_S:g} s"


class Session:
    """The state of one connection. Every method gives what is to be done, in order.

    Args:
        heartbeat_interval_ms: what the client is told, and what it has to answer within.
        latency_ms: after a heartbeat was answered, how long that took; None before.
    """

    __slots__ = ("_interval_ms", "_outstanding_ms", "latency_ms", "state")

    def __init__(self, heartbeat_interval_ms: int) -> None:
        self._interval_ms = heartbeat_interval_ms
        self._outstanding_ms: int | None = None
        self.latency_ms: int | None = None
        self.state = State.GREETED

    def open(self) -> list[Action]:
        """The connection was accepted."""
        return [Send(Hello(self._interval_ms))]

    def receive(self, frame: ClientFrame, now_ms: int) -> list[Action]:
        """A frame came."""
        if self.state is State.CLOSED:
            return []
        match frame:
            case Heartbeat(time):
                return [Send(HeartbeatAck(time))]
            case HeartbeatAck(time):
                if time == self._outstanding_ms:
                    self._outstanding_ms = None
                    self.latency_ms = max(0, now_ms - time)
                return []
            case Identify():
                if self.state is not State.GREETED:
                    return self.malformed(_ALREADY)
                self.state = State.IDENTIFYING
                return [Authenticate(frame)]

    def malformed(self, why: str) -> list[Action]:
        """Something came that is no frame, or not for now."""
        return self._close(CloseCode.BAD_FRAME, why)

    def identified(self) -> None:
        """The token was good, and Ready has been sent."""
        if self.state is State.IDENTIFYING:
            self.state = State.READY

    def not_identified(self, why: str) -> list[Action]:
        """The token is not good, or not any more."""
        return self._close(CloseCode.NOT_IDENTIFIED, why)

    def identify_timeout(self) -> list[Action]:
        """`IDENTIFY_TIMEOUT_S` have passed since the connection was opened."""
        return self.not_identified(_NOT_IN_TIME) if self.state is State.GREETED else []

    def beat(self, now_ms: int) -> list[Action]:
        """An interval has passed: time for a heartbeat of ours, if the one before was answered."""
        if self.state is State.CLOSED:
            return []
        if self._outstanding_ms is not None:
            return self._close(CloseCode.NOT_ALIVE, "heartbeat not acknowledged")
        self._outstanding_ms = now_ms
        return [Send(Heartbeat(now_ms))]

    def _close(self, code: CloseCode, reason: str) -> list[Action]:
        if self.state is State.CLOSED:
            return []
        self.state = State.CLOSED
        return [Close(code, reason)]

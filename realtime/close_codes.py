"""Every close code we send or meet, what it means, and whether the client should come back.

Codes below 4000 are the ones RFC 6455 (section 7.4) and the IANA registry define. From 4000 on they
are ours; those every protocol shares sit in the 44xx block and borrow their last two digits from the
HTTP status with the nearest meaning, and 40xx belong to one protocol each. The JavaScript client in
``realtime/static/realtime/socket.js`` follows the same table.

This module is pure.
"""

from enum import IntEnum
from typing import Final, NamedTuple

__all__ = ["MAX_REASON_BYTES", "CloseCode", "CloseInfo", "bounded_reason", "describe"]

# A control frame holds at most 125 bytes (RFC 6455, 5.5), and the code takes two of them.
MAX_REASON_BYTES: Final = 123


class CloseCode(IntEnum):
    """Codes with a meaning here. 1005 and 1006 are only ever observed, never sent (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_FRAME = 4001
    NOT_ALIVE = 4002
    NOT_IDENTIFIED = 4003
    REPLACED = 4009
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    PING_TIMEOUT = 4408
    SLOW_CLIENT = 4410


class CloseInfo(NamedTuple):
    """What a close code tells its receiver.

    Attributes:
        meaning: a phrase for people and logs.
        reconnect: coming back, after a pause, can help. False where the same request would get the
            same answer, so that a client left alone does not knock for ever.
    """

    meaning: str
    reconnect: bool


_TABLE: Final[dict[int, CloseInfo]] = {
    CloseCode.NORMAL: CloseInfo("done", reconnect=False),
    CloseCode.GOING_AWAY: CloseInfo("the other side is going away", reconnect=True),
    CloseCode.PROTOCOL_ERROR: CloseInfo("broken WebSocket frame", reconnect=True),
    CloseCode.UNSUPPORTED_DATA: CloseInfo("kind of frame not accepted here", reconnect=False),
    CloseCode.NO_STATUS: CloseInfo("closed without a code", reconnect=True),
    CloseCode.ABNORMAL: CloseInfo("connection lost", reconnect=True),
    CloseCode.INVALID_DATA: CloseInfo("text that is not UTF-8", reconnect=False),
    CloseCode.POLICY_VIOLATION: CloseInfo("against the rules of this service", reconnect=False),
    CloseCode.MESSAGE_TOO_BIG: CloseInfo("message too big", reconnect=False),
    CloseCode.INTERNAL_ERROR: CloseInfo("the server failed", reconnect=True),
    CloseCode.SERVICE_RESTART: CloseInfo("the server restarts: come back at once", reconnect=True),
    CloseCode.TRY_AGAIN_LATER: CloseInfo("the server is full: come back later", reconnect=True),
    CloseCode.BAD_FRAME: CloseInfo("a frame that the protocol does not have", reconnect=False),
    CloseCode.NOT_ALIVE: CloseInfo("a heartbeat was not acknowledged", reconnect=True),
    CloseCode.NOT_IDENTIFIED: CloseInfo("not identified, or not any more", reconnect=False),
    CloseCode.REPLACED: CloseInfo("a newer connection has taken over", reconnect=False),
    CloseCode.UNAUTHORIZED: CloseInfo("not signed in, or the token is no longer valid", reconnect=False),
    CloseCode.FORBIDDEN: CloseInfo("not permitted, or the permission was revoked", reconnect=False),
    CloseCode.NOT_FOUND: CloseInfo("nothing at this address", reconnect=False),
    CloseCode.PING_TIMEOUT: CloseInfo("pings were not answered", reconnect=True),
    CloseCode.SLOW_CLIENT: CloseInfo("the client read too slowly", reconnect=True),
}
# A code without an entry comes from a proxy or from a later version of ourselves. A client that comes
# back with a growing pause costs little; one that stays away for no reason is lost.
_UNKNOWN: Final = CloseInfo("unknown close code", reconnect=True)


def describe(code: int) -> CloseInfo:
    """The meaning of `code`; an unknown one is said to be so and is worth a reconnect."""
    return _TABLE.get(code, _UNKNOWN)


def bounded_reason(text: str) -> str:
    """`text`, cut between characters so that it fits into a close frame (`MAX_REASON_BYTES` of UTF-8).

    A lone surrogate, which UTF-8 cannot carry, becomes a question mark.
    """
    return text.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")

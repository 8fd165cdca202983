"""What the client of a WebSocket connection says, and where such a connection can be.

This module is pure.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias

from realtime.server.handshake import Request

__all__ = ["Binary", "Closed", "Event", "Ping", "Pong", "Request", "State", "Text"]


class State(IntEnum):
    """Where a connection is. It only ever moves on."""

    HANDSHAKE = 0
    ANSWERING = 1
    """A request has come and is not answered."""
    OPEN = 2
    CLOSING = 3
    """We have sent a close frame; the client's is awaited."""
    CLOSED = 4


class Text(NamedTuple):
    """A text message."""

    text: str


class Binary(NamedTuple):
    """A binary message."""

    data: bytes


class Ping(NamedTuple):
    """A ping. It has been answered."""

    data: bytes


class Pong(NamedTuple):
    """A pong, asked for or not."""

    data: bytes


class Closed(NamedTuple):
    """The last event of a connection.

    `code` is the client's; 1005 if it gave none, 1006 if it left without a word. If the client broke the
    protocol, `broken` is true and the code and reason are those it was told, or would have been had we not
    closed it before.
    """

    code: int
    reason: str
    broken: bool = False


Event: TypeAlias = Request | Text | Binary | Ping | Pong | Closed

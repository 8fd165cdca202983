"""WebSocket frames as a server sends them (RFC 6455, section 5.2).

A server does not mask its frames, so one frame's bytes serve any number of clients: build it once,
write it to each. Where a small part differs per client, write `frame_header`, the shared part and
the client's own part one after the other.

Nothing is compressed or fragmented. This module is pure: bytes out, no I/O.
"""

import struct
from typing import Final

from realtime.close_codes import bounded_reason

__all__ = [
    "BINARY",
    "CLOSE",
    "PING",
    "PONG",
    "TEXT",
    "close_frame",
    "frame_header",
    "ping_frame",
    "text_frame",
]

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_FIN: Final = 0x80
# The length field holds up to 125 itself; 126 and 127 announce a longer field behind it.
_MAX_LENGTH_7: Final = 125
_MAX_LENGTH_16: Final = 0xFFFF
_MAX_LENGTH_64: Final = 0x7FFF_FFFF_FFFF_FFFF
_header_16 = struct.Struct("!BBH").pack
_header_64 = struct.Struct("!BBQ").pack


def frame_header(length: int, opcode: int = TEXT) -> bytes:
    """What stands before `length` bytes of payload in an unfragmented frame: 2, 4 or 10 bytes.

    Raises:
        ValueError: `length` is negative or above 2⁶³ − 1, or a control frame would pass 125 bytes
            (section 5.5).
    """
    if 0 <= length <= _MAX_LENGTH_7:
        return bytes((_FIN | opcode, length))
    if not 0 <= length <= _MAX_LENGTH_64:
        raise ValueError(f"no frame can hold {length} bytes")
    if opcode >= CLOSE:
        raise ValueError(f"a control frame holds at most 125 bytes, not {length}")
    if length <= _MAX_LENGTH_16:
        return _header_16(_FIN | opcode, 126, length)
    return _header_64(_FIN | opcode, 127, length)


def text_frame(payload: bytes) -> bytes:
    """One text message. `payload` must be UTF-8; it is not checked again."""
    return frame_header(len(payload)) + payload


def ping_frame(data: bytes = b"") -> bytes:
    """A ping; a client's WebSocket library answers with the same `data` (at most 125 bytes)."""
    return frame_header(len(data), PING) + data


def close_frame(code: int, reason: str = "") -> bytes:
    """Ask the client to close. A `reason` that is too long is cut at a character.

    Raises:
        ValueError: `code` may not be sent (section 7.4): it is out of range or only ever observed.
    """
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or 1004 <= code <= 1006:
        raise ValueError(f"close code {code} must not be sent")
    body = code.to_bytes(2, "big") + bounded_reason(reason).encode()
    return frame_header(len(body), CLOSE) + body

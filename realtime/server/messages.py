"""What the payloads of frames mean: messages in one piece or several, and close frames (RFC 6455).

This module is pure.
"""

from __future__ import annotations

import codecs
from typing import Final

from realtime.close_codes import CloseCode
from realtime.frames import TEXT
from realtime.server.events import Binary, Closed, Text

__all__ = ["MAX_FRAGMENTS", "BrokenError", "Fragments", "decode_text", "read_close"]

# A message in more pieces than this is work for us and none for whoever sends them.
MAX_FRAGMENTS: Final = 4_096

# Section 7.4: codes that may stand in a close frame. 1012 to 1014 were registered later.
_CLOSE_CODES: Final = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)))
_Utf8Decoder: Final = codecs.getincrementaldecoder("utf-8")


class BrokenError(Exception):
    """The client broke the protocol: the connection is closed with `code`, and told the `reason`."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Fragments:
    """A message of which not all has come (section 5.4)."""

    __slots__ = ("_count", "_data", "_decoder")

    def __init__(self, opcode: int) -> None:
        self._data = bytearray()
        self._count = 0
        # Finds text that is no UTF-8 as it comes, instead of at the end.
        self._decoder = _Utf8Decoder() if opcode == TEXT else None

    def add(self, payload: bytes, *, last: bool) -> Text | Binary | None:
        """Take a fragment; gives the message with its last.

        Raises:
            BrokenError: there are too many (1009); text is not UTF-8 (1007).
        """
        self._count += 1
        self._data += payload
        if self._count > MAX_FRAGMENTS:
            raise BrokenError(CloseCode.MESSAGE_TOO_BIG, "the message is in too many fragments")
        if self._decoder is None:
            return Binary(bytes(self._data)) if last else None
        try:
            self._decoder.decode(payload, final=last)
        except UnicodeDecodeError:
            raise _not_utf8() from None
        return Text(self._data.decode()) if last else None


def decode_text(payload: bytes) -> str:
    """Raises: BrokenError (1007) for what is no UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise _not_utf8() from None


def read_close(payload: bytes) -> Closed:
    """What a close frame says (section 5.5.1).

    Raises:
        BrokenError: its code may not be sent (1002), or its reason is not UTF-8 (1007).
    """
    if not payload:
        return Closed(CloseCode.NO_STATUS, "")
    # Half a code is none of them either.
    code = int.from_bytes(payload[:2], "big")
    if code not in _CLOSE_CODES:
        raise BrokenError(CloseCode.PROTOCOL_ERROR, "the close code is not valid")
    return Closed(code, decode_text(payload[2:]))


def _not_utf8() -> BrokenError:
    return BrokenError(CloseCode.INVALID_DATA, "text that is not UTF-8")

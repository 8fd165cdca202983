"""The server's side of one WebSocket connection (RFC 6455): bytes in, events and bytes out.

::

    connection = Connection(max_message_bytes=65_536)
    connection.receive_data(data)
    while event := connection.next_event():
        ...  # first a Request: answer it with accept() or refuse()
    transport.write(connection.data_to_send())

Events are made one at a time, when they are asked for. Who is behind simply does not ask, and what waits
is as many bytes as were received, not as many objects as somebody could pack into them.

Messages come whole. A client that breaks the protocol is sent a close frame that says how; after that
nothing it sends is looked at. Nothing is compressed: a client that offers it is answered without.

This module is pure: no I/O, no clock.
"""

from __future__ import annotations

from typing import Final

from realtime.close_codes import CloseCode
from realtime.frames import BINARY, CLOSE, PING, PONG, TEXT, close_frame, frame_header
from realtime.server.events import Binary, Closed, Event, Ping, Pong, Request, State, Text
from realtime.server.handshake import (
    HandshakeError,
    Headers,
    acceptance,
    read_request,
    refusal,
)
from realtime.server.messages import BrokenError, Fragments, decode_text, read_close

try:
    from websockets.speedups import apply_mask
except ImportError:  # not compiled
    from websockets.utils import apply_mask

__all__ = ["MAX_AFTER_CLOSE_BYTES", "MAX_HEAD_BYTES", "Connection"]

# Of a request's line and headers.
MAX_HEAD_BYTES: Final = 64 * 1024

# What may still come of a client after our last words: what was under way. While we wait for its close frame,
# a frame counts as a kilobyte at least.
MAX_AFTER_CLOSE_BYTES: Final = 1024 * 1024

_CONTINUATION: Final = 0x0
_MAX_CONTROL_BYTES: Final = 125
_HEADER_BYTES: Final = 2
_MASK_BYTES: Final = 4


# Looking a member up costs more than comparing with it.
_OPEN, _CLOSING = State.OPEN, State.CLOSING


class Connection:
    """One connection.

    Args:
        max_message_bytes: a longer message is answered with 1009, before it is read.
    """

    __slots__ = (
        "_at",
        "_data",
        "_ended",
        "_fragments",
        "_max_message_bytes",
        "_need",
        "_patience",
        "_request",
        "_room_bytes",
        "output",
        "state",
    )

    def __init__(self, *, max_message_bytes: int) -> None:
        self.state = State.HANDSHAKE
        self._max_message_bytes = max_message_bytes
        self._request: Request | None = None
        # What came; how far it is read; and how much has to be there, from that place, to read on.
        self._data: bytes | bytearray = b""
        self._at = 0
        self._need = 1
        self._ended = False
        self._fragments: Fragments | None = None
        # How much may still come of the message.
        self._room_bytes = max_message_bytes
        # What is to be sent to the client; `data_to_send` takes it.
        self.output = b""
        self._patience = MAX_AFTER_CLOSE_BYTES

    # -- what comes ----------------------------------------------------------------------------

    @property
    def unread_bytes(self) -> int:
        """How much has been received and not been asked for. Part of a frame or message may be in it."""
        return len(self._data) - self._at

    @property
    def overrun(self) -> bool:
        """It is over, and the client goes on all the same: reading more would be work for nothing."""
        return self._patience < 0

    def receive_data(self, data: bytes) -> None:
        """Take what the client sent."""
        if self.state is State.CLOSED:
            self._patience -= len(data)
        elif not self._data:
            self._data = data
        elif isinstance(self._data, bytearray):
            del self._data[: self._at]
            self._data += data
            self._at = 0
        else:
            self._data = bytearray(self._data[self._at :])
            self._data += data
            self._at = 0

    def receive_request(self, request: Request) -> Request:
        """Take a request that has been read already, before anything else came."""
        self._request = request
        self.state = State.ANSWERING
        return request

    def receive_eof(self) -> None:
        """The client sends no more."""
        self._ended = True

    def next_event(self) -> Event | None:
        """What the client says next; None if that is not there yet, or nothing will come any more."""
        try:
            while len(self._data) - self._at >= self._need:
                if self.state is _OPEN or self.state is _CLOSING:
                    event = self._read_frame()
                elif self.state is State.HANDSHAKE:
                    event = self._read_head()
                else:
                    break
                # To one that we have closed nothing is said any more but that it has closed as well.
                if event is not None and self.state is not _CLOSING:
                    return event
        except BrokenError as broken:
            self.close(broken.code, broken.reason)
            return self._end(Closed(broken.code, broken.reason, broken=True))
        if self._ended and self.state is not State.CLOSED:
            return self._end(Closed(CloseCode.ABNORMAL, ""))
        return None

    def data_to_send(self) -> bytes:
        """What is to be sent to the client; nothing the second time."""
        output, self.output = self.output, b""
        return output

    # -- what is said --------------------------------------------------------------------------

    def accept(self, subprotocol: str | None = None, headers: Headers = ()) -> None:
        """Open the connection that was asked for.

        Raises:
            ValueError: the client did not offer this subprotocol, or a header is malformed.
        """
        self.output += acceptance(self._unanswered(), subprotocol, headers)
        self._request = None
        self._need = _HEADER_BYTES
        self.state = State.OPEN

    def refuse(self, status: int, headers: Headers = (), body: bytes = b"") -> None:
        """Answer with an HTTP status instead; that is all there is to say.

        Raises:
            ValueError: a header is malformed, or the status is none of a final answer.
        """
        self._unanswered()
        self.output += refusal(status, headers, body)
        self._end(None)

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and wait for the client's. Does nothing unless the connection is open.

        Raises:
            ValueError: `code` may not be sent.
        """
        if self.state is State.OPEN:
            self.output += close_frame(code, reason)
            self.state = State.CLOSING

    # -- the handshake -------------------------------------------------------------------------

    def _unanswered(self) -> Request:
        if self._request is None:
            raise RuntimeError("there is no request to answer")
        return self._request

    def _read_head(self) -> Event | None:
        end = self._data.find(b"\r\n\r\n", max(0, self._need - len(b"\r\n\r\n")))
        try:
            # Its end may have begun.
            if (end if end >= 0 else len(self._data) - len(b"\r\n\r")) > MAX_HEAD_BYTES:
                raise HandshakeError(431, "The headers are too long.")
            if end < 0:
                self._need = len(self._data) + 1
                return None
            request = read_request(bytes(self._data[:end]))
        except HandshakeError as bad:
            return self._bad_handshake(bad)
        self._consume(end + len(b"\r\n\r\n"))
        return self.receive_request(request)

    def _bad_handshake(self, bad: HandshakeError) -> Closed:
        content_type = (b"content-type", b"text/plain; charset=utf-8")
        self.output += refusal(bad.status, [content_type, *bad.headers], bad.reason.encode() + b"\n")
        self._end(None)
        return Closed(CloseCode.ABNORMAL, bad.reason, broken=True)

    # -- frames --------------------------------------------------------------------------------

    def _read_frame(self) -> Event | None:
        """Read one frame, section 5.2; None if it is not all there, or not the last of its message."""
        data, at = self._data, self._at
        first, second = data[at], data[at + 1]
        self._check_header(first, second)
        opcode, length = first & 0x0F, second & 0x7F
        start = at + _HEADER_BYTES
        if length > _MAX_CONTROL_BYTES:
            size = 2 if length == 126 else 8
            start += size
            if start > len(data):
                self._need = start - at
                return None
            length = int.from_bytes(data[start - size : start], "big")
            if length >> 63 or length <= (_MAX_CONTROL_BYTES if size == 2 else 0xFFFF):
                raise BrokenError(CloseCode.PROTOCOL_ERROR, "a length is not in its shortest form")
        if length > self._room_bytes and opcode < CLOSE:
            raise BrokenError(CloseCode.MESSAGE_TOO_BIG, "the message is too long")
        start += _MASK_BYTES
        end = start + length
        if end > len(data):
            self._need = end - at
            return None
        if self.state is _CLOSING:
            self._patience -= max(length, 1024)
            if self._patience < 0:
                raise BrokenError(CloseCode.POLICY_VIOLATION, "it goes on after the close")
        payload = apply_mask(data[start:end], data[start - _MASK_BYTES : start])
        self._consume(end)
        if opcode >= CLOSE:
            return self._take_control(opcode, payload)
        return self._take_data(opcode, payload, last=first >= 0x80)

    def _check_header(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise BrokenError(CloseCode.PROTOCOL_ERROR, "a reserved bit is set")
        if not second & 0x80:
            raise BrokenError(CloseCode.PROTOCOL_ERROR, "a frame is not masked")
        if opcode > PONG or BINARY < opcode < CLOSE:
            raise BrokenError(CloseCode.PROTOCOL_ERROR, "unknown opcode")
        if opcode >= CLOSE:
            if not first & 0x80 or second & 0x7F > _MAX_CONTROL_BYTES:
                raise BrokenError(CloseCode.PROTOCOL_ERROR, "a control frame is fragmented or too long")
        elif (opcode == _CONTINUATION) is (self._fragments is None):
            raise BrokenError(CloseCode.PROTOCOL_ERROR, "a fragment is out of order")

    def _take_data(self, opcode: int, payload: bytes, *, last: bool) -> Event | None:
        if self._fragments is None:
            if last:
                return Text(decode_text(payload)) if opcode == TEXT else Binary(payload)
            self._fragments = Fragments(opcode)
        message = self._fragments.add(payload, last=last)
        self._room_bytes -= len(payload)
        if last:
            self._fragments = None
            self._room_bytes = self._max_message_bytes
        return message

    def _take_control(self, opcode: int, payload: bytes) -> Event:
        if opcode == PING:
            if self.state is _OPEN:
                self.output += frame_header(len(payload), PONG) + payload
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        closed = read_close(payload)
        if self.state is _OPEN:
            self.output += frame_header(len(payload[:2]), CLOSE) + payload[:2]
        self._end(None)
        return closed

    def _consume(self, end: int) -> None:
        if end == len(self._data):
            self._data, self._at = b"", 0
        else:
            self._at = end
        self._need = _HEADER_BYTES

    def _end(self, closed: Closed | None) -> Closed | None:
        self.state = State.CLOSED
        self._data, self._at = b"", 0
        self._request = self._fragments = None
        return closed

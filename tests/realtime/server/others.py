"""The same bytes read by us, by `wsproto` and by `websockets`, and told in our words.

`websockets` and `wsproto` hand out what comes of a message piece by piece. That text is UTF-8 is for the user
of `websockets` to see: here it is looked at as each frame comes, which is how we and `wsproto` do it.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Iterable

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side
from websockets.protocol import State as TheirState
from websockets.uri import parse_uri
from wsproto.connection import Connection as TheirConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as TheirPing
from wsproto.events import Pong as TheirPong

from realtime.server.connection import Connection
from realtime.server.events import Binary, Closed, Event, Ping, Pong, Text
from tests.realtime.server.streams import events_of, opened

# Small, so that messages pass it.
MAX_BYTES = 200
_NO_LOGGER = logging.getLogger("tests.nobody")
_NO_LOGGER.setLevel(logging.CRITICAL)


def read_by_us(pieces: Iterable[bytes], connection: Connection | None = None) -> tuple[list[Event], bytes]:
    """All events to the end of the stream, and all that was answered."""
    connection = connection or opened(max_message_bytes=MAX_BYTES)
    events: list[Event] = []
    for piece in pieces:
        connection.receive_data(piece)
        events += events_of(connection)
    connection.receive_eof()
    return events + events_of(connection), connection.data_to_send()


def read_by_wsproto(pieces: Iterable[bytes], side: ConnectionType = ConnectionType.SERVER) -> list[Event]:
    """All events to the end of the stream."""
    connection = TheirConnection(side)
    events: list[Event] = []
    text, data = "", b""
    for piece in [*pieces, None]:
        connection.receive_data(piece)
        for event in connection.events():
            match event:
                case TextMessage():
                    text += event.data
                    if event.message_finished:
                        events.append(Text(text))
                        text = ""
                case BytesMessage():
                    data += event.data
                    if event.message_finished:
                        events.append(Binary(data))
                        data = b""
                case TheirPing():
                    events.append(Ping(bytes(event.payload)))
                case TheirPong():
                    events.append(Pong(bytes(event.payload)))
                case CloseConnection():
                    broken = connection.state is ConnectionState.OPEN
                    return [*events, Closed(event.code, "" if broken else event.reason or "", broken)]
    raise AssertionError("the end of the stream is an event")


def read_by_websockets(pieces: Iterable[bytes]) -> list[Event]:
    """All events to the end of the stream."""
    protocol = Protocol(Side.SERVER, state=TheirState.OPEN, max_size=MAX_BYTES, logger=_NO_LOGGER)
    for piece in pieces:
        protocol.receive_data(piece)
    protocol.receive_eof()
    events, decoded = _from_frames(protocol.events_received())
    if not decoded:
        return [*events, Closed(1007, "", broken=True)]
    if protocol.close_sent is not None and protocol.parser_exc is not None:
        return [*events, Closed(protocol.close_sent.code, "", broken=True)]
    return events if protocol.close_rcvd else [*events, Closed(1006, "")]


def _from_frames(frames: Iterable[object]) -> tuple[list[Event], bool]:
    """The events; and whether all text was UTF-8."""
    events: list[Event] = []
    data, decoder = b"", None
    for frame in frames:
        assert isinstance(frame, Frame)
        match frame.opcode:
            case Opcode.PING:
                events.append(Ping(bytes(frame.data)))
            case Opcode.PONG:
                events.append(Pong(bytes(frame.data)))
            case Opcode.CLOSE:
                close = Close.parse(bytes(frame.data))
                events.append(Closed(close.code, close.reason))
            case _:
                if frame.opcode is Opcode.TEXT:
                    decoder = codecs.getincrementaldecoder("utf-8")()
                data += bytes(frame.data)
                try:
                    if decoder is not None:
                        decoder.decode(bytes(frame.data), final=frame.fin)
                except UnicodeDecodeError:
                    return events, False
                if frame.fin:
                    events.append(Binary(data) if decoder is None else Text(data.decode()))
                    data, decoder = b"", None
    return events, True


def heard_by_websockets(answers: bytes) -> list[Event]:
    """What a client of this library hears; it fails on what is not well-formed."""
    client = ClientProtocol(parse_uri("ws://test/"), state=TheirState.OPEN, max_size=None, logger=_NO_LOGGER)
    client.receive_data(answers)
    assert client.parser_exc is None or isinstance(client.parser_exc, ConnectionClosed), client.parser_exc
    return _from_frames(client.events_received())[0]


def heard_by_wsproto(answers: bytes) -> list[Event]:
    """What a client of this library hears, to the end of the stream."""
    return read_by_wsproto([answers], ConnectionType.CLIENT)

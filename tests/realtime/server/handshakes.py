"""Requests that ask for a connection, put together, and their answers, taken apart."""

from collections.abc import Sequence

import h11

from realtime.server.connection import Connection
from realtime.server.events import Closed, Event, State
from tests.realtime.server.streams import REQUEST

Header = tuple[bytes, bytes]
# The least that must be in a request.
LINE = b"GET / HTTP/1.1"
HOST = b"Host: a"
UPGRADE = b"Upgrade: websocket"
CONNECTION = b"Connection: Upgrade"
VERSION = b"Sec-WebSocket-Version: 13"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
LEAST = (LINE, HOST, UPGRADE, CONNECTION, VERSION, KEY)


def request(*more: bytes, without: Sequence[bytes] = (), line: bytes = LINE) -> bytes:
    """The least, but for these lines, and with more."""
    lines = [line, *(own for own in LEAST[1:] if own not in without), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def asked(data: bytes) -> tuple[Connection, Event | None]:
    connection = Connection(max_message_bytes=1000)
    connection.receive_data(data)
    return connection, connection.next_event()


def http_answer(data: bytes) -> tuple[int, list[Header], bytes]:
    """Status, headers and body, read by an HTTP client; it fails on what is not well-formed."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a"), ("connection", "close")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    response = client.next_event()
    assert isinstance(response, h11.Response), response
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert client.trailing_data == (b"", False)
    assert client.their_state is h11.MUST_CLOSE
    return response.status_code, list(response.headers), body


def assert_refused(data: bytes, status: int, reason: str) -> list[Header]:
    """It is answered with this status and sentence, and that was it; gives the answer's headers."""
    connection, event = asked(data)
    assert event == Closed(1006, reason, broken=True)
    assert connection.state is State.CLOSED
    answer_status, headers, body = http_answer(connection.data_to_send())
    assert (answer_status, body) == (status, reason.encode() + b"\n")
    assert (b"content-type", b"text/plain; charset=utf-8") in headers
    connection.receive_data(REQUEST)
    assert connection.next_event() is None
    assert connection.data_to_send() == b""
    return headers

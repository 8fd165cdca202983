"""The request that opens a connection (RFC 6455, section 4.2.1)."""

import pytest

from realtime.frames import TEXT
from realtime.server.connection import MAX_HEAD_BYTES, Connection
from realtime.server.events import Closed, Request, State, Text
from realtime.server.handshake import HandshakeError, read_request
from tests.realtime.server.handshakes import (
    CONNECTION,
    HOST,
    KEY,
    LEAST,
    UPGRADE,
    VERSION,
    asked,
    assert_refused,
    http_answer,
    request,
)
from tests.realtime.server.streams import ACCEPT, REQUEST, frame


def test_the_rfcs_own_example():
    """1.2 and 1.3."""
    connection, event = asked(REQUEST)
    assert isinstance(event, Request)
    assert event.target == b"/chat"
    assert event.subprotocols == ["chat", "superchat"]
    assert event.headers[0] == (b"host", b"server.example.com")
    assert (b"origin", b"http://example.com") in event.headers
    assert len(event.headers) == 7
    connection.accept("chat")
    assert connection.data_to_send() == (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"upgrade: websocket\r\n"
        b"connection: Upgrade\r\n"
        b"sec-websocket-accept: " + ACCEPT + b"\r\n"
        b"sec-websocket-protocol: chat\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize(
    ("own", "instead"),
    [
        (HOST, [b"hOST:\ta \t"]),
        (HOST, [b"Host: [::1]:8000"]),
        (UPGRADE, [b"Upgrade: WebSocket"]),
        (UPGRADE, [b"upgrade:WEBSOCKET"]),
        (UPGRADE, [b"Upgrade: h2c, websocket"]),
        (UPGRADE, [b"Upgrade: h2c", b"Upgrade: websocket"]),
        (CONNECTION, [b"connection: upgrade"]),
        (CONNECTION, [b"Connection: keep-alive, UPGRADE"]),
        (CONNECTION, [b"Connection: keep-alive,,\tUpgrade\t,x"]),
        (CONNECTION, [b"Connection: Upgrade", b"Connection: keep-alive"]),
        (VERSION, [b"SEC-WEBSOCKET-VERSION:   13  "]),
        (KEY, [b"sec-websocket-key:AAAAAAAAAAAAAAAAAAAAAA=="]),
        (KEY, [b"Sec-WebSocket-Key: ////////////////////AA=="]),
        (b"", [b"Content-Length: 0"]),
        (b"", [b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]),
        (b"", [b"X-Empty:", b"X-Any: \x80\xff\t!"]),
    ],
)
def test_requests_that_are_in_order(own, instead):
    connection, event = asked(request(*instead, without=[own]))
    assert isinstance(event, Request)
    assert connection.state is State.ANSWERING
    assert connection.data_to_send() == b""


@pytest.mark.parametrize(
    "line", [b"GET /a?b=%20&c HTTP/1.1", b"GET http://a/b HTTP/1.1", b"GET /~!*'();:@ HTTP/1.1"]
)
def test_the_target_is_given_as_it_came(line):
    _, event = asked(request(line=line))
    assert isinstance(event, Request)
    assert event.target == line.split()[1]


def test_headers_are_given_in_their_order_and_number():
    lines = [b"Cookie: a=1", b"cookie:\t b=2; c \t", b"X-A: caf\xe9"]
    _, event = asked(request(*lines))
    assert isinstance(event, Request)
    assert event.headers[5:] == [(b"cookie", b"a=1"), (b"cookie", b"b=2; c"), (b"x-a", b"caf\xe9")]


NOT_HTTP = "This is not an HTTP/1.1 request."
MALFORMED = "A header is malformed."
ONE_HOST = "There must be one Host header."
NO_BODY = "The request must not have a body."
FOR_SOCKETS = "This address is for WebSocket connections."
VERSION_13 = "The version of the protocol must be 13."
KEY_16 = "Sec-WebSocket-Key must be 16 bytes in Base64."
PROTOCOL = "Sec-WebSocket-Protocol is malformed."


@pytest.mark.parametrize(
    ("own", "instead", "status", "reason"),
    [
        (HOST, [], 400, ONE_HOST),
        (b"", [HOST], 400, ONE_HOST),
        (b"", [b"Content-Length: 1"], 400, NO_BODY),
        (b"", [b"Content-Length: 0", b"Content-Length: 5"], 400, NO_BODY),
        (b"", [b"Transfer-Encoding: chunked"], 400, NO_BODY),
        (UPGRADE, [], 426, FOR_SOCKETS),
        (UPGRADE, [b"Upgrade: h2c"], 426, FOR_SOCKETS),
        (UPGRADE, [b"Upgrade: xwebsocket"], 426, FOR_SOCKETS),
        (CONNECTION, [], 426, FOR_SOCKETS),
        (CONNECTION, [b"Connection: keep-alive"], 426, FOR_SOCKETS),
        (VERSION, [], 426, VERSION_13),
        (VERSION, [b"Sec-WebSocket-Version: 8"], 426, VERSION_13),
        (VERSION, [b"Sec-WebSocket-Version: 13, 8"], 426, VERSION_13),
        (b"", [b"Sec-WebSocket-Version: 8"], 426, VERSION_13),
        (KEY, [], 400, KEY_16),
        (b"", [KEY], 400, KEY_16),
        (KEY, [b"Sec-WebSocket-Key:"], 400, KEY_16),
        (KEY, [b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"], 400, KEY_16),  # 15 bytes
        (KEY, [b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="], 400, KEY_16),  # 17 bytes
        (KEY, [b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA"], 400, KEY_16),  # without its end
        (KEY, [b"Sec-WebSocket-Key: AAAAAAAAAAA AAAAAAAAAAA=="], 400, KEY_16),
        (KEY, [b"Sec-WebSocket-Key: \xc0AAAAAAAAAAAAAAAAAAAAA=="], 400, KEY_16),
        (b"", [b"Sec-WebSocket-Protocol: a b"], 400, PROTOCOL),
        (b"", [b"Sec-WebSocket-Protocol: a", b"Sec-WebSocket-Protocol: \xe9"], 400, PROTOCOL),
        (b"", [b"no colon"], 400, MALFORMED),
        (b"", [b": no name"], 400, MALFORMED),
        (b"", [b"a name: x"], 400, MALFORMED),
        (b"", [b"space : x"], 400, MALFORMED),
        (b"", [b"a: x", b" folded"], 400, MALFORMED),
        (b"", [b"a: x\ny: z"], 400, MALFORMED),
        (b"", [b"a: x\ry"], 400, MALFORMED),
        (b"", [b"a: x\x00"], 400, MALFORMED),
        (b"", [b"a: x\x7f"], 400, MALFORMED),
        (b"", [b"caf\xe9: x"], 400, MALFORMED),
    ],
)
def test_requests_that_are_not_in_order(own, instead, status, reason):
    assert_refused(request(*instead, without=[own]), status, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET",
        b"GET /",
        b"GET / HTTP/1.0",
        b"GET / HTTP/1.2",
        b"GET / HTTP/2",
        b"GET / http/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET  / HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET /\xe9 HTTP/1.1",
        b"GET /\t HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"\x16\x03\x01\x02",
    ],
)
def test_lines_that_are_no_request(line):
    assert_refused(request(line=line), 400, NOT_HTTP)


@pytest.mark.parametrize("method", [b"POST", b"HEAD", b"get", b"CONNECT"])
def test_a_connection_is_opened_with_get(method):
    connection, event = asked(request(line=method + b" / HTTP/1.1"))
    assert event == Closed(1006, "A WebSocket connection is opened with GET.", broken=True)
    status, headers, _ = http_answer(connection.data_to_send())
    assert status == 405
    assert (b"allow", b"GET") in headers


@pytest.mark.parametrize(
    ("own", "reason", "more"),
    [(UPGRADE, FOR_SOCKETS, []), (VERSION, VERSION_13, [(b"sec-websocket-version", b"13")])],
)
def test_426_says_what_to_upgrade_to(own, reason, more):
    """RFC 9110, 15.5.22 and 7.8; RFC 6455, 4.4."""
    headers = assert_refused(request(without=[own]), 426, reason)
    for header in [(b"upgrade", b"websocket"), (b"connection", b"close, Upgrade"), *more]:
        assert header in headers


# -- how long it may be ------------------------------------------------------------------------


def test_a_request_that_has_been_read_already():
    connection, event = asked(REQUEST)
    other = Connection(max_message_bytes=1000)
    assert other.receive_request(read_request(REQUEST.removesuffix(b"\r\n\r\n"))) == event
    connection.accept("chat")
    other.accept("chat")
    assert other.data_to_send() == connection.data_to_send()
    other.receive_data(frame(TEXT, b"hello"))
    assert other.next_event() == Text("hello")


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n\r\nx: y"])
def test_a_head_is_read_to_its_end(end):
    with pytest.raises(HandshakeError, match="malformed"):
        read_request(request().removesuffix(b"\r\n\r\n") + end)


def filled(head_bytes: int) -> bytes:
    """A request whose line and headers are this long."""
    empty = request(b"x: ")
    return request(b"x: " + b"x" * (head_bytes - len(empty) + len(b"\r\n\r\n")))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000, 10**6])
def test_the_longest_request_however_it_comes(size):
    data = filled(MAX_HEAD_BYTES)
    connection = Connection(max_message_bytes=10)
    for at in range(0, len(data), size):
        assert connection.next_event() is None
        connection.receive_data(data[at : at + size])
    assert isinstance(connection.next_event(), Request)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000, 10**6])
@pytest.mark.parametrize("data", [filled(MAX_HEAD_BYTES + 1), b"x" * 70_000], ids=["with end", "without"])
def test_a_longer_one_is_refused_however_it_comes(data, size):
    connection = Connection(max_message_bytes=10)
    for at in range(0, len(data), size):
        connection.receive_data(data[at : at + size])
        event = connection.next_event()
        assert connection.unread_bytes <= MAX_HEAD_BYTES + 3
        if event is not None:
            break
    assert event == Closed(1006, "The headers are too long.", broken=True)
    assert http_answer(connection.data_to_send())[0] == 431


@pytest.mark.parametrize("filler", [b" ", b"\t", b" \t", b",", b"x"])
def test_a_long_header_is_read_once(filler):
    """What is malformed only at its end is not tried in every way: for this length, that would take hours."""
    head = request(b"a:" + filler * 1_000_000).removesuffix(b"\r\n\r\n")
    assert len(read_request(head).headers) == len(LEAST)
    with pytest.raises(HandshakeError, match="malformed"):
        read_request(head + b"\x00")

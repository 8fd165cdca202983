"""What the request to open a connection is answered with (RFC 6455, section 4.2.2), and what comes after."""

from collections.abc import Sequence

import h11
import pytest

from realtime.frames import PING, TEXT
from realtime.server.connection import Connection
from realtime.server.events import State, Text
from tests.realtime.server.handshakes import Header, asked, http_answer, request
from tests.realtime.server.streams import ACCEPT, REQUEST, frame

# -- 4.2.2: the answer -------------------------------------------------------------------------


def accepted(*more: bytes, subprotocol: str | None = None, headers: Sequence[Header] = ()) -> list[Header]:
    """The headers of the answer that opens the connection."""
    connection, _ = asked(request(*more))
    connection.accept(subprotocol, headers)
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a"), ("upgrade", "websocket")]))
    client.receive_data(connection.data_to_send())
    answer = client.next_event()
    assert isinstance(answer, h11.InformationalResponse)
    assert (answer.status_code, client.trailing_data[0]) == (101, b"")
    return list(answer.headers)


def test_no_subprotocol_and_no_extension_is_chosen_by_itself():
    offer = b"Sec-WebSocket-Protocol: a", b"Sec-WebSocket-Extensions: permessage-deflate"
    assert accepted(*offer) == [
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-accept", ACCEPT),
    ]


def test_a_subprotocol_that_was_offered():
    offer = b"Sec-WebSocket-Protocol: a, b", b"sec-websocket-protocol: ,c,"
    assert accepted(*offer, subprotocol="c")[-1] == (b"sec-websocket-protocol", b"c")


@pytest.mark.parametrize("subprotocol", ["", "A", "b", "a, b", "a\r\nx: y"])
def test_a_subprotocol_that_was_not_offered(subprotocol):
    connection, _ = asked(request(b"Sec-WebSocket-Protocol: a"))
    with pytest.raises(ValueError, match="did not offer"):
        connection.accept(subprotocol)
    assert (connection.state, connection.data_to_send()) == (State.ANSWERING, b"")
    connection.accept("a")


def test_headers_of_the_application():
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x", b"caf\xe9")]
    assert accepted(headers=headers)[3:] == headers


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"Upgrade",
        b"content-length",
        b"transfer-encoding",
        b"Sec-WebSocket-Accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
    ],
)
def test_what_the_answer_says_of_itself_is_not_the_applications(name):
    assert accepted(headers=[(name, b"x"), (b"y", b"z")])[3:] == [(b"y", b"z")]
    connection, _ = asked(REQUEST)
    connection.refuse(403, [(name, b"x"), (b"y", b"z")])
    assert http_answer(connection.data_to_send()) == (
        403,
        [(b"content-length", b"0"), (b"connection", b"close"), (b"y", b"z")],
        b"",
    )


@pytest.mark.parametrize(
    "header",
    [
        (b"a", b"b\r\nc: d"),
        (b"a", b"b\nc"),
        (b"a", b"\x00"),
        (b"a\r\nb", b""),
        (b"a b", b""),
        (b"", b""),
        (b"a:", b""),
    ],
)
def test_an_application_does_not_smuggle_headers(header):
    connection, _ = asked(REQUEST)
    with pytest.raises(ValueError, match="malformed"):
        connection.accept(None, [(b"good", b"1"), header])
    with pytest.raises(ValueError, match="malformed"):
        connection.refuse(403, [(b"good", b"1"), header])
    assert (connection.state, connection.data_to_send()) == (State.ANSWERING, b"")


@pytest.mark.parametrize("status", [200, 302, 401, 403, 426, 503, 599, 799])
@pytest.mark.parametrize("body", [b"", b"no\r\n\r\n", b"\x00" * 100_000])
def test_a_refusal(status, body):
    connection, _ = asked(REQUEST)
    connection.refuse(status, [(b"location", b"/elsewhere")], body)
    answer_status, headers, answer_body = http_answer(connection.data_to_send())
    assert (answer_status, answer_body) == (status, body)
    assert (b"location", b"/elsewhere") in headers
    assert (b"content-length", str(len(body)).encode()) in headers
    assert connection.state is State.CLOSED
    assert connection.next_event() is None


@pytest.mark.parametrize("status", [-1, 0, 100, 101, 199, 1000])
def test_a_refusal_is_final(status):
    """101 would open the connection for its client alone."""
    connection, _ = asked(REQUEST)
    with pytest.raises(ValueError, match="does not refuse"):
        connection.refuse(status)
    assert (connection.state, connection.data_to_send()) == (State.ANSWERING, b"")


def test_a_request_is_answered_once():
    connection, _ = asked(REQUEST)
    connection.accept()
    for again in (connection.accept, lambda: connection.refuse(403)):
        with pytest.raises(RuntimeError, match="no request"):
            again()
    assert connection.state is State.OPEN
    with pytest.raises(RuntimeError, match="no request"):
        Connection(max_message_bytes=10).accept()


# -- what follows the request ------------------------------------------------------------------


def test_what_follows_the_request_are_frames_once_it_is_accepted():
    """4.1: a client MUST wait; one that does not is understood."""
    connection, _ = asked(REQUEST + frame(TEXT, b"early") + frame(PING)[:1])
    assert connection.next_event() is None
    assert connection.unread_bytes == len(frame(TEXT, b"early")) + 1
    connection.receive_data(frame(PING)[1:])
    assert connection.next_event() is None, "it is not open"
    connection.accept()
    assert connection.next_event() == Text("early")
    assert connection.next_event() is not None
    assert connection.data_to_send().endswith(b"\r\n\r\n\x8a\x00")


def test_what_follows_a_request_that_is_refused_is_nothing():
    connection, _ = asked(REQUEST + frame(TEXT, b"early"))
    connection.refuse(403)
    assert connection.next_event() is None
    assert connection.unread_bytes == 0

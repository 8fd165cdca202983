"""The closing handshake, the states, and the end of a stream (RFC 6455, sections 5.5.1 and 7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.frames import BINARY, CLOSE, PING, PONG, TEXT, close_frame
from realtime.server.connection import MAX_AFTER_CLOSE_BYTES, Connection
from realtime.server.events import Binary, Closed, State, Text
from tests.realtime.server.streams import (
    CONTINUATION,
    REQUEST,
    broken,
    close_payload,
    events_of,
    frame,
    opened,
    randoms,
    read,
    told,
)

# -- the client closes -------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "bye", "“à bientôt”", "x" * 123])
@pytest.mark.parametrize("code", [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_close_frame_is_answered_with_its_code(code, reason):
    """7.4: what a client may say. 1012 to 1014 are the registry's."""
    events, answer = read(frame(CLOSE, close_payload(code, reason.encode())))
    assert events == [Closed(code, reason)]
    assert answer == close_frame(code)


def test_a_close_frame_without_a_code_is_answered_with_none():
    """7.1.5: the code is considered to be 1005."""
    assert read(frame(CLOSE)) == ([Closed(1005, "")], b"\x88\x00")


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535])
def test_codes_that_may_not_be_sent(code):
    reason = "the close code is not valid"
    assert read(frame(CLOSE, close_payload(code))) == ([told(1002, reason)], close_frame(1002, reason))


def test_half_a_code_is_none():
    """5.5.1: if there is a body, it begins with two bytes."""
    assert read(frame(CLOSE, b"\x03"))[0] == [told(1002, "the close code is not valid")]


@pytest.mark.parametrize("reason", [b"\xff", b"ok\xc3", b"\xed\xa0\x80"])
def test_a_reason_is_utf8(reason):
    assert read(frame(CLOSE, close_payload(1000, reason)))[0] == [told(1007, "text that is not UTF-8")]


def test_nothing_is_looked_at_after_a_close_frame():
    """1.4: any further data is discarded."""
    connection = opened()
    connection.receive_data(frame(CLOSE, close_payload(1000)) + frame(PING, b"?") + b"\xff\xff")
    assert connection.next_event() == Closed(1000, "")
    assert connection.data_to_send() == close_frame(1000)
    connection.receive_data(frame(PING, b"?"))
    connection.receive_eof()
    assert connection.next_event() is None
    assert connection.data_to_send() == b""
    assert connection.unread_bytes == 0


# -- we close ----------------------------------------------------------------------------------


def test_the_client_answers_our_close():
    connection = opened()
    connection.close(4000, "why")
    assert connection.data_to_send() == close_frame(4000, "why")
    assert connection.state is State.CLOSING
    assert connection.next_event() is None
    connection.receive_data(frame(CLOSE, close_payload(4000)))
    assert connection.next_event() == Closed(4000, "")
    assert connection.state is State.CLOSED
    assert connection.data_to_send() == b"", "its answer needs none"


def test_a_close_crosses_ours():
    connection = opened()
    connection.receive_data(frame(CLOSE, close_payload(1001, b"leaving")))
    connection.close(1012)
    assert connection.next_event() == Closed(1001, "leaving")
    assert connection.data_to_send() == close_frame(1012)


def test_we_close_once():
    connection = opened()
    connection.close(1000)
    connection.close(1001)
    assert connection.data_to_send() == close_frame(1000)


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2000, 5000])
def test_we_do_not_send_what_a_client_may_not(code):
    connection = opened()
    with pytest.raises(ValueError, match="must not be sent"):
        connection.close(code)
    assert (connection.state, connection.data_to_send()) == (State.OPEN, b"")


@pytest.mark.parametrize("before", [[], [REQUEST]])
def test_there_is_nothing_to_close_before_it_is_open(before):
    connection = Connection(max_message_bytes=10)
    for data in before:
        connection.receive_data(data)
        connection.next_event()
    state = connection.state
    connection.close(1000)
    assert (connection.state, connection.data_to_send()) == (state, b"")


def test_after_our_close_nothing_is_said_and_no_ping_is_answered():
    """What was under way is read: behind it is the client's close frame."""
    connection = opened()
    connection.close(1000)
    connection.data_to_send()
    connection.receive_data(
        frame(TEXT, b"a") + frame(PING, b"?") + frame(PONG) + frame(BINARY, b"b", fin=False)
    )
    assert connection.next_event() is None
    assert connection.unread_bytes == 0
    connection.receive_data(frame(CONTINUATION, b"c") + frame(CLOSE, close_payload(1000)))
    assert events_of(connection) == [Closed(1000, "")]
    assert connection.data_to_send() == b""


def test_what_is_broken_after_our_close_needs_no_second_one():
    connection = opened()
    connection.close(1000)
    connection.receive_data(frame(TEXT, b"\xff"))
    assert connection.next_event() == told(1007, "text that is not UTF-8")
    assert connection.data_to_send() == close_frame(1000)
    assert connection.state is State.CLOSED


@pytest.mark.parametrize("length", [0, 1024, 1025, 65_536])
def test_after_our_close_a_client_does_not_go_on_for_ever(length):
    """A small frame is counted as a kilobyte."""
    frames = MAX_AFTER_CLOSE_BYTES // max(length, 1024)
    connection = opened()
    connection.close(1000)
    for _ in range(frames):
        connection.receive_data(frame(BINARY, b"x" * length))
        assert connection.next_event() is None
    assert connection.state is State.CLOSING
    connection.receive_data(frame(BINARY, b"x" * length))
    assert connection.next_event() == told(1008, "it goes on after the close")
    assert connection.state is State.CLOSED
    assert connection.data_to_send() == close_frame(1000)


# -- the stream ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"GET", REQUEST[:-1]])
def test_the_stream_ends_in_the_request(data):
    connection = Connection(max_message_bytes=10)
    connection.receive_data(data)
    connection.receive_eof()
    assert events_of(connection) == [Closed(1006, "")]
    assert (connection.state, connection.data_to_send()) == (State.CLOSED, b"")


def test_the_stream_ends_before_the_answer():
    connection = Connection(max_message_bytes=10)
    connection.receive_data(REQUEST)
    connection.receive_eof()
    assert connection.next_event() is not None
    assert connection.next_event() == Closed(1006, "")
    with pytest.raises(RuntimeError, match="no request"):
        connection.accept()
    assert connection.data_to_send() == b""


@pytest.mark.parametrize("part", [b"", frame(TEXT, b"part")[:-1], frame(TEXT, b"part", fin=False)])
def test_the_stream_ends_without_a_close(part):
    """7.1.5: the code is considered to be 1006. What came before that is told first."""
    connection = opened()
    connection.receive_data(frame(TEXT, b"last words") + part)
    connection.receive_eof()
    assert events_of(connection) == [Text("last words"), Closed(1006, "")]
    assert (connection.state, connection.data_to_send()) == (State.CLOSED, b"")


def test_the_stream_ends_after_our_close():
    connection = opened()
    connection.close(1000)
    connection.receive_eof()
    assert events_of(connection) == [Closed(1006, "")]
    assert connection.state is State.CLOSED


def test_the_stream_ends_after_the_clients_close():
    connection = opened()
    connection.receive_data(frame(BINARY, b"x") + frame(CLOSE))
    connection.receive_eof()
    assert events_of(connection) == [Binary(b"x"), Closed(1005, "")]


def test_the_end_is_told_once():
    connection = opened()
    connection.receive_eof()
    connection.receive_eof()
    assert connection.next_event() == Closed(1006, "")
    assert connection.next_event() is None


# -- states ------------------------------------------------------------------------------------


def test_the_states_of_a_connection():
    connection = Connection(max_message_bytes=10)
    states = [connection.state]
    connection.receive_data(REQUEST)
    states.append(connection.state)
    connection.next_event()
    states.append(connection.state)
    connection.accept()
    states.append(connection.state)
    connection.close(1000)
    states.append(connection.state)
    connection.receive_data(frame(CLOSE))
    connection.next_event()
    states.append(connection.state)
    assert [state.name for state in states] == [
        "HANDSHAKE",
        "HANDSHAKE",
        "ANSWERING",
        "OPEN",
        "CLOSING",
        "CLOSED",
    ]


@settings(deadline=None, max_examples=100)
@given(broken, randoms, st.booleans())
def test_a_state_only_moves_on_and_closed_is_the_last_event(stream, random, with_eof):
    connection = Connection(max_message_bytes=200)
    steps = [
        lambda: connection.receive_data(REQUEST),
        lambda: connection.close(1000),
        *[
            lambda part=stream[at : at + 20]: connection.receive_data(part)
            for at in range(0, len(stream), 20)
        ],
        lambda: connection.receive_eof() if with_eof else None,
    ]
    if random.random() < 0.7:
        del steps[1]
    state, events = connection.state, []
    for step in steps:
        step()
        for event in events_of(connection):
            events.append(event)
            if connection.state is State.ANSWERING:
                connection.accept() if random.random() < 0.9 else connection.refuse(403)
        assert connection.state >= state
        state = connection.state
    ends = [event for event in events if isinstance(event, Closed)]
    assert ends in ([], events[-1:])
    assert state is State.CLOSED or not (with_eof or ends)

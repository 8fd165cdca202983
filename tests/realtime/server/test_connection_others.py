"""The same streams read by us, by `wsproto` and by `websockets`: all events, and who breaks what off and how.

Where we differ for a reason, the table of `differences` says which; anything else fails.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.protocol import OPEN, SERVER, Protocol

from realtime.frames import BINARY, CLOSE, PING, PONG, TEXT, close_frame
from realtime.server.events import Binary, Closed, Event, Ping, Pong, Text
from tests.realtime.server.differences import (
    DIFFERENCES,
    control_is_too_long_for_the_message,
    explained,
    without_our_reason,
)
from tests.realtime.server.others import (
    MAX_BYTES,
    heard_by_websockets,
    heard_by_wsproto,
    read_by_us,
    read_by_websockets,
    read_by_wsproto,
)
from tests.realtime.server.streams import (
    CONTINUATION,
    MASK,
    broken,
    close_payload,
    cuts,
    events_of,
    frame,
    opened,
    randoms,
    spoken,
)

OTHERS = {"websockets": read_by_websockets, "wsproto": read_by_wsproto}


def assert_agreed(stream: bytes, pieces: list[bytes]) -> None:
    ours, _ = read_by_us(pieces)
    for library, read in OTHERS.items():
        theirs = read(pieces)
        if theirs != without_our_reason(ours):
            assert explained(library, ours, theirs), (library, stream.hex(), ours, theirs)


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: f"{row.library} {row.section.split(':')[0]}")
def test_every_difference_is_there(row):
    ours, _ = read_by_us([row.example])
    theirs = OTHERS[row.library]([row.example])
    assert theirs != without_our_reason(ours)
    assert row.explains(ours, theirs), (ours, theirs)


@settings(max_examples=200, deadline=None)
@given(spoken, st.integers(0, 2), randoms)
def test_a_conversation_by_the_rules_is_read_by_everyone(conversation, way, random):
    stream = b"".join(conversation.frames)
    pieces = list(cuts(stream, random))[way]
    ours, _ = read_by_us(pieces)
    assert ours == conversation.events
    assert read_by_wsproto(pieces) == ours
    theirs = read_by_websockets(pieces)
    assert theirs == ours or control_is_too_long_for_the_message(ours, theirs)


@settings(max_examples=600, deadline=None)
@given(broken, st.integers(0, 2), randoms)
def test_a_broken_conversation_is_broken_off_by_everyone(stream, way, random):
    assert_agreed(stream, list(cuts(stream, random))[way])


# What there is in a conversation, once.
STREAMS = [
    frame(TEXT, "à".encode(), fin=False) + frame(PING, b"?") + frame(CONTINUATION, "é".encode()),
    frame(BINARY, b"12", mask=b"abcd") + frame(PONG) + frame(BINARY, fin=False) + frame(CONTINUATION, b"x"),
    frame(BINARY, b"x" * 126) + frame(CLOSE, close_payload(4000, b"why")) + frame(TEXT, b"after"),
    frame(TEXT, b"hello", fin=False) + frame(TEXT, b"hello"),
    frame(PING, b"hello", fin=False),
    frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"\xc3"),
    frame(CLOSE, close_payload(1006, b"\xff")),
    frame(BINARY, b"x" * 201),
    frame(BINARY, length=2**63),
    frame(BINARY, b"x" * 100, length_bytes=8),
]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_may_end_anywhere(stream):
    for end in range(len(stream) + 1):
        assert_agreed(stream[:end], [stream[:end]])


@pytest.mark.parametrize("stream", STREAMS)
def test_any_bit_may_be_wrong(stream):
    for at in range(min(len(stream), 40) * 8):
        wrong = bytearray(stream)
        wrong[at // 8] ^= 1 << at % 8
        assert_agreed(bytes(wrong), [bytes(wrong)])


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536])
@pytest.mark.parametrize("mask", [MASK, bytes(4), b"\xff" * 4])
def test_messages_of_every_form_of_length_are_read_by_everyone(length, mask):
    data = Random(length).randbytes(length)
    stream = frame(BINARY, data, mask=mask)
    assert read_by_us([stream], opened()) == ([Binary(data), Closed(1006, "")], b"")
    assert read_by_wsproto([stream]) == [Binary(data), Closed(1006, "")]


@settings(max_examples=200, deadline=None)
@given(broken, randoms)
def test_how_a_stream_is_cut_changes_nothing(stream, random):
    whole, *others = (read_by_us(pieces) for pieces in cuts(stream, random))
    assert others == [whole, whole]


@settings(max_examples=100, deadline=None)
@given(broken, randoms)
def test_when_events_are_asked_for_changes_nothing(stream, random):
    connection = opened(max_message_bytes=MAX_BYTES)
    for piece in list(cuts(stream, random))[2]:
        connection.receive_data(piece)
        if random.random() < 0.3:
            connection.receive_data(b"")
    connection.receive_eof()
    assert (events_of(connection), connection.data_to_send()) == read_by_us([stream])


@settings(max_examples=200, deadline=None)
@given(broken)
def test_our_answers_are_understood_by_the_clients_of_both(stream):
    events, answers = read_by_us([stream])
    expected: list[Event] = [Pong(event.data) for event in events if isinstance(event, Ping)]
    match events[-1]:
        case Closed(code, reason, broken=True):
            expected.append(Closed(code, reason))
        case Closed(1006):
            pass
        case Closed(code):
            expected.append(Closed(code, ""))
    assert heard_by_websockets(answers) == expected
    if not isinstance(events[-1], Closed) or events[-1].code == 1006:
        expected.append(Closed(1006, ""))
    assert heard_by_wsproto(answers) == expected


@settings(max_examples=100, deadline=None)
@given(broken)
def test_after_our_close_only_how_the_client_ends_is_left(stream):
    connection = opened(max_message_bytes=MAX_BYTES)
    connection.close(1001, "bye")
    assert heard_by_wsproto(connection.data_to_send()) == [Closed(1001, "bye")]
    events, _ = read_by_us([stream])
    assert read_by_us([stream], connection) == (events[-1:], b"")


def test_after_our_close_no_ping_is_answered():
    """5.5.2 asks for a pong until a close frame was received, and `websockets` sends one.

    Whoever is sent a close frame by us has nothing to learn from a pong behind it.
    """
    connection, theirs = opened(), Protocol(SERVER, state=OPEN)
    connection.close(1000)
    theirs.send_close(1000)
    for receiver in (connection, theirs):
        receiver.receive_data(frame(PING, b"?"))
    assert events_of(connection) == []
    assert connection.data_to_send() == close_frame(1000)
    assert b"".join(theirs.data_to_send()) == close_frame(1000) + b"\x8a\x01?"


def test_text_of_all_characters_is_read_by_everyone():
    for first in range(0, 0x110000, 0x4000):
        text = "".join(map(chr, range(max(first, 1), first + 0x4000, 251))).encode("utf-8", "ignore").decode()
        stream = b"".join(frame(TEXT, character.encode()) for character in text)
        events, _ = read_by_us([stream])
        assert events == read_by_wsproto([stream]) == read_by_websockets([stream])
        assert events[:-1] == [Text(character) for character in text]

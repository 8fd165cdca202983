"""Messages and control frames, example by example (RFC 6455, sections 5 to 8)."""

import pytest

from realtime.frames import BINARY, CLOSE, PING, PONG, TEXT, close_frame
from realtime.server.connection import Connection
from realtime.server.events import Binary, Closed, Ping, Pong, State, Text
from realtime.server.messages import MAX_FRAGMENTS
from tests.realtime.server.streams import CONTINUATION, close_payload, events_of, frame, opened, read, told


def assert_refused(stream: bytes, code: int, reason: str, *before: object) -> None:
    """It is read as `before` and then broken off; the client is told, and that is the last of it."""
    events, answers = read(stream)
    assert events == [*before, told(code, reason)]
    assert answers.endswith(close_frame(code, reason))
    after = frame(TEXT, b"after")
    assert read(stream + after) == (events, answers), "7.1.7: nothing is looked at any more"


# -- 5.2, 5.6, 5.7: frames ---------------------------------------------------------------------


def test_the_rfcs_own_examples():
    """5.7."""
    assert read(bytes.fromhex("8185 37fa213d 7f9f4d5158")) == ([Text("Hello")], b"")
    # There it is the server's, and without a mask.
    assert read(bytes.fromhex("0183 37fa213d 7f9f4d 8082 00000000 6c6f")) == ([Text("Hello")], b"")
    pong = bytes.fromhex("8a85 37fa213d 7f9f4d5158")
    assert read(bytes.fromhex("8985 37fa213d 7f9f4d5158")) == ([Ping(b"Hello")], b"\x8a\x05Hello")
    assert read(pong) == ([Pong(b"Hello")], b"")


def test_text_and_binary():
    assert read(frame(TEXT, "à😀".encode()) + frame(BINARY, b"\x00\xff")) == (
        [Text("à😀"), Binary(b"\x00\xff")],
        b"",
    )


@pytest.mark.parametrize("fin", [True, False])
def test_a_message_may_be_empty(fin):
    end = b"" if fin else frame(CONTINUATION)
    assert read(frame(TEXT, fin=fin) + end)[0] == [Text("")]
    assert read(frame(BINARY, fin=fin) + end)[0] == [Binary(b"")]


def test_binary_is_bytes_however_it_came():
    """An application may keep it, as the key of a dictionary for example."""
    connection = opened()
    for at in range(len(stream := frame(BINARY, b"abc"))):
        connection.receive_data(stream[at : at + 1])
    [message] = events_of(connection)
    assert isinstance(message, Binary)
    assert type(message.data) is bytes


@pytest.mark.parametrize(
    ("length", "header_bytes"), [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14), (100_000, 14)]
)
def test_the_three_forms_of_length(length, header_bytes):
    stream = frame(BINARY, b"x" * length)
    assert len(stream) == header_bytes + length
    assert read(stream) == ([Binary(b"x" * length)], b"")
    assert read(stream[:-1]) == ([], b"")


@pytest.mark.parametrize(("length", "length_bytes"), [(0, 2), (125, 2), (0, 8), (126, 8), (65_535, 8)])
def test_a_length_is_in_its_shortest_form(length, length_bytes):
    stream = frame(BINARY, b"x" * length, length_bytes=length_bytes)
    assert_refused(stream, 1002, "a length is not in its shortest form")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1])
def test_the_highest_bit_of_a_length_is_zero(length):
    assert_refused(frame(BINARY, length=length), 1002, "a length is not in its shortest form")


@pytest.mark.parametrize("opcode", [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG])
def test_a_frame_is_masked(opcode):
    """5.1: the server MUST close the connection upon receiving a frame that is not."""
    before = frame(TEXT, fin=False) if opcode == CONTINUATION else b""
    assert_refused(before + frame(opcode, mask=None), 1002, "a frame is not masked")


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
def test_reserved_bits_are_zero(opcode, reserved):
    """No extension was agreed on that would give them a meaning."""
    assert_refused(frame(opcode, reserved=reserved), 1002, "a reserved bit is set")


@pytest.mark.parametrize("opcode", [*range(0x3, 0x8), *range(0xB, 0x10)])
def test_reserved_opcodes_are_not_used(opcode):
    assert_refused(frame(TEXT, b"a") + frame(opcode), 1002, "unknown opcode", Text("a"))


# -- 5.4: fragments ----------------------------------------------------------------------------


def test_control_frames_stand_between_fragments():
    stream = (
        frame(TEXT, b"a", fin=False)
        + frame(PING, b"1")
        + frame(CONTINUATION, b"b", fin=False)
        + frame(PONG, b"2")
        + frame(CONTINUATION, b"c")
    )
    assert read(stream) == ([Ping(b"1"), Pong(b"2"), Text("abc")], b"\x8a\x011")


def test_a_close_frame_may_come_instead_of_the_rest():
    stream = frame(TEXT, b"a", fin=False) + frame(CLOSE, close_payload(1001))
    assert read(stream) == ([Closed(1001, "")], close_frame(1001))


def test_the_next_message_has_nothing_of_the_last():
    stream = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b") + frame(BINARY, b"c", fin=False)
    assert read(stream + frame(CONTINUATION, b"\xff"))[0] == [Text("ab"), Binary(b"c\xff")]


@pytest.mark.parametrize(
    "before", [b"", frame(TEXT, b"a"), frame(TEXT, fin=False) + frame(CONTINUATION, b"a")]
)
@pytest.mark.parametrize("fin", [True, False])
def test_a_message_does_not_go_on_that_has_not_begun(before, fin):
    messages = [Text("a")] if before else []
    assert_refused(before + frame(CONTINUATION, fin=fin), 1002, "a fragment is out of order", *messages)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_a_message_does_not_begin_inside_another(opcode, fin):
    stream = frame(TEXT, b"a", fin=False) + frame(opcode, b"b", fin=fin)
    assert_refused(stream, 1002, "a fragment is out of order")


def test_a_message_has_so_many_fragments_and_no_more():
    most = frame(TEXT, b"a", fin=False) + (MAX_FRAGMENTS - 2) * frame(CONTINUATION, b"b", fin=False)
    assert read(most + frame(CONTINUATION, b"c"))[0] == [Text("a" + "b" * (MAX_FRAGMENTS - 2) + "c")]
    too_many = most + 2 * frame(CONTINUATION, fin=False)
    assert_refused(too_many, 1009, "the message is in too many fragments")


# -- 5.5: control frames -----------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_control_frames_are_short_and_whole(opcode):
    reason = "a control frame is fragmented or too long"
    assert_refused(frame(opcode, b"x" * 126), 1002, reason)
    assert_refused(frame(opcode, fin=False), 1002, reason)
    assert_refused(frame(opcode, b"x", length_bytes=8), 1002, reason)


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"x" * 125])
def test_a_ping_is_answered_with_its_data(data):
    """5.5.3."""
    assert read(frame(PING, data)) == ([Ping(data)], bytes([0x8A, len(data)]) + data)


def test_pings_are_answered_in_their_order():
    assert read(frame(PING, b"1") + frame(PING, b"2"))[1] == b"\x8a\x011\x8a\x012"


# -- 8.1: text is UTF-8 ------------------------------------------------------------------------

NOT_UTF8 = {
    "a byte of the middle": b"\x80",
    "a byte that never occurs": b"\xff",
    "overlong in two bytes": b"\xc0\xaf",
    "overlong in three": b"\xe0\x80\xaf",
    "overlong in four": b"\xf0\x80\x80\xaf",
    "overlong zero": b"\xc0\x80",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "above the last character": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "broken off by another": b"\xe2\x82a",
}


@pytest.mark.parametrize("text", NOT_UTF8.values(), ids=NOT_UTF8.keys())
def test_text_is_utf8(text):
    reason = "text that is not UTF-8"
    assert_refused(frame(TEXT, b"a" + text), 1007, reason)
    assert_refused(frame(TEXT, text, fin=False), 1007, reason)
    assert_refused(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, text, fin=False), 1007, reason)
    assert_refused(frame(TEXT, text[:1], fin=False) + frame(CONTINUATION, text[1:] + b"a"), 1007, reason)
    assert read(frame(BINARY, text))[0] == [Binary(text)]


@pytest.mark.parametrize("start", [b"\xed\xa0\x80", b"\xf4\x90", b"\xe0\x80", b"\xf0\x80", b"\xc1"])
def test_a_character_that_cannot_become_one_is_not_waited_for(start):
    """Python sees only by its third byte that a surrogate is none."""
    assert_refused(frame(TEXT, start, fin=False), 1007, "text that is not UTF-8")


@pytest.mark.parametrize("text", [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"])
def test_text_does_not_end_inside_a_character(text):
    assert_refused(frame(TEXT, text), 1007, "text that is not UTF-8")
    assert_refused(frame(TEXT, text, fin=False) + frame(CONTINUATION), 1007, "text that is not UTF-8")


@pytest.mark.parametrize("character", ["é", "€", "\ud7ff", "\ue000", "\uffff", "😀", "\U0010ffff"])
def test_a_character_may_be_cut_by_fragments(character):
    first, *rest = (bytes([byte]) for byte in character.encode())
    stream = frame(TEXT, first, fin=False) + b"".join(frame(CONTINUATION, byte, fin=False) for byte in rest)
    assert read(stream + frame(PING) + frame(CONTINUATION))[0] == [Ping(b""), Text(character)]


# -- 10.4: limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [10, 125, 126, 1000, 65_535, 65_536, 100_000])
def test_a_message_that_is_too_long_is_refused_by_its_header(limit):
    fits, too_long = frame(BINARY, b"x" * limit), frame(BINARY, b"x" * (limit + 1))
    assert read(fits, max_message_bytes=limit)[0] == [Binary(b"x" * limit)]
    header = too_long[: -(limit + 1) - 4]
    assert read(header, max_message_bytes=limit) == (
        [told(1009, "the message is too long")],
        close_frame(1009, "the message is too long"),
    )


@pytest.mark.parametrize("last", [1, 200])
def test_fragments_are_too_long_together(last):
    begun = frame(TEXT, b"x" * 400, fin=False) + frame(CONTINUATION, b"x" * (600 - last), fin=False)
    fits, too_long = (frame(CONTINUATION, b"x" * length) for length in (last, last + 1))
    header = too_long[: -(last + 1) - 4]
    events, _ = read(2 * (begun + frame(PING, b"x" * 125) + fits), max_message_bytes=1000)
    assert events == 2 * [Ping(b"x" * 125), Text("x" * 1000)]
    assert read(begun + header, max_message_bytes=1000)[0] == [told(1009, "the message is too long")]


def test_control_frames_have_a_limit_of_their_own():
    assert read(frame(PING, b"x" * 125), max_message_bytes=1)[0] == [Ping(b"x" * 125)]


# -- what is asked for -------------------------------------------------------------------------


def test_events_are_made_when_they_are_asked_for():
    connection = opened()
    one, two, part = frame(TEXT, b"one"), frame(PING, b"two"), frame(TEXT, b"three")[:-1]
    connection.receive_data(one + two + part)
    assert connection.unread_bytes == len(one + two + part)
    assert connection.next_event() == Text("one")
    assert connection.unread_bytes == len(two + part)
    assert connection.data_to_send() == b"", "the ping has not been asked for"
    assert connection.next_event() == Ping(b"two")
    assert connection.data_to_send() == b"\x8a\x03two"
    assert connection.next_event() is None
    assert connection.unread_bytes == len(part)
    connection.receive_data(frame(TEXT, b"three")[-1:])
    assert connection.next_event() == Text("three")
    assert connection.unread_bytes == 0


def test_a_message_may_come_while_the_last_is_not_asked_for():
    connection = opened()
    for number in range(3):
        connection.receive_data(frame(TEXT, b"%d" % number) + frame(TEXT, b"!")[:3])
        connection.receive_data(frame(TEXT, b"!")[3:])
    assert "".join(event.text for event in events_of(connection) if isinstance(event, Text)) == "0!1!2!"


def test_a_protocol_is_broken_when_its_frame_is_asked_for():
    connection = opened()
    connection.receive_data(frame(TEXT, b"good") + frame(TEXT, b"bad", mask=None))
    assert connection.next_event() == Text("good")
    assert (connection.state, connection.data_to_send()) == (State.OPEN, b"")
    assert connection.next_event() == told(1002, "a frame is not masked")
    assert connection.state is State.CLOSED
    assert connection.unread_bytes == 0


def test_there_is_nothing_in_nothing():
    connection = Connection(max_message_bytes=10)
    connection.receive_data(b"")
    assert connection.next_event() is None
    assert connection.data_to_send() == b""

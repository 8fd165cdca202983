"""Frames, read back by two parsers of other people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from realtime.close_codes import CloseCode, bounded_reason
from realtime.frames import PING, TEXT, close_frame, frame_header, ping_frame, text_frame

# Around each change of the header's form (RFC 6455, 5.2).
LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]


def read_by_websockets(data: bytes) -> list[Frame]:
    """The frames a client of the `websockets` library gets; it fails on any that are not well formed."""
    client = ClientProtocol(parse_uri("ws://test/"), state=OPEN, max_size=None)
    client.receive_data(data)
    if client.parser_exc is not None and not isinstance(client.parser_exc, ConnectionClosed):
        raise client.parser_exc
    return [event for event in client.events_received() if isinstance(event, Frame)]


def read_by_wsproto(data: bytes) -> list[Event]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


def texts_by_wsproto(data: bytes) -> list[str]:
    events = read_by_wsproto(data)
    assert all(isinstance(event, TextMessage) for event in events)
    return [event.data for event in events if isinstance(event, TextMessage)]


@pytest.mark.parametrize(
    ("length", "opcode", "header"),
    [
        (0, TEXT, "8100"),
        (125, TEXT, "817d"),
        (126, TEXT, "817e007e"),
        (65_535, TEXT, "817effff"),
        (65_536, TEXT, "817f0000000000010000"),
        (2**63 - 1, TEXT, "817f7fffffffffffffff"),
        (4, PING, "8904"),
    ],
)
def test_header_bytes(length, opcode, header):
    assert frame_header(length, opcode).hex() == header


@pytest.mark.parametrize("length", [-1, 2**63])
def test_no_header_for_an_impossible_length(length):
    with pytest.raises(ValueError, match="no frame can hold"):
        frame_header(length)


def test_a_control_frame_is_short():
    assert frame_header(125, PING) == b"\x89\x7d"
    with pytest.raises(ValueError, match="at most 125 bytes"):
        ping_frame(b"x" * 126)


@pytest.mark.parametrize("length", LENGTHS)
def test_text_of_any_length_is_read_back(length):
    payload = b"x" * length
    assert read_by_websockets(text_frame(payload)) == [Frame(Opcode.TEXT, payload)]
    assert "".join(texts_by_wsproto(text_frame(payload))) == payload.decode()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=8))
def test_frames_in_one_write_stay_apart(texts):
    data = b"".join(text_frame(text.encode()) for text in texts)
    assert [bytes(frame.data).decode() for frame in read_by_websockets(data)] == texts
    assert texts_by_wsproto(data) == texts


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_header_joins_parts_written_one_after_the_other(head, tail):
    data = frame_header(len(head) + len(tail)) + head + tail
    assert [frame.data for frame in read_by_websockets(data)] == [head + tail]


@given(st.binary(max_size=125))
def test_ping_is_read_back(data):
    assert read_by_websockets(ping_frame(data)) == [Frame(Opcode.PING, data)]
    assert read_by_wsproto(ping_frame(data)) == [Ping(payload=data)]


@given(st.sampled_from([code for code in CloseCode if code not in {1005, 1006}]), st.text(max_size=200))
def test_close_is_read_back(code, reason):
    [event] = read_by_wsproto(close_frame(code, reason))
    assert isinstance(event, CloseConnection)
    assert (event.code, event.reason or "") == (code, bounded_reason(reason))
    [frame] = read_by_websockets(close_frame(code, reason))
    assert frame.opcode is Opcode.CLOSE
    assert frame.data == int(code).to_bytes(2, "big") + bounded_reason(reason).encode()


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4408, 4999])
def test_codes_that_may_be_sent(code):
    assert close_frame(code) == b"\x88\x02" + code.to_bytes(2, "big")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 70_000])
def test_codes_that_may_not_be_sent(code):
    with pytest.raises(ValueError, match="must not be sent"):
        close_frame(code)

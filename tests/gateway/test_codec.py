"""The wire form: every frame of the document to the byte, and what is no frame."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import events
from gateway.protocol import messages
from gateway.protocol.codec import decode, encode
from gateway.protocol.messages import MAX_FRAME_BYTES, Heartbeat, HeartbeatAck, Identify
from gateway.rules import Posted
from realtime.errors import ProtocolViolation


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (messages.Hello(45_000), '{"op":0,"heartbeat_interval":45000}'),
        (messages.Ready("5"), '{"op":2,"user":"5"}'),
        (messages.Gap(gap=True), '{"op":4,"gap":true}'),
        (messages.Heartbeat(1579276740336), '{"op":10,"time":1579276740336}'),
        (messages.HeartbeatAck(1579276740336), '{"op":11,"time":1579276740336}'),
    ],
)
def test_every_frame_as_the_document_has_it(frame: Any, text: str) -> None:
    assert encode(frame) == text.encode()


def test_a_message_has_its_ids_as_texts() -> None:
    posted = Posted(2**62 + 1, 2**53 + 1, 7, 1, "hello", 1579276740336)
    assert json.loads(events.message(posted)) == {
        "op": 3,
        "message": {
            "id": "4611686018427387905",
            "channel_id": "9007199254740993",
            "author": "7",
            "type": 1,
            "content": "hello",
            "timestamp": 1579276740336,
        },
    }


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"op":1,"token":"t"}', Identify("t")),
        ('{"op":1,"token":"t","after":null}', Identify("t")),
        ('{"op":1,"token":"t","after":"9223372036854775807"}', Identify("t", 2**63 - 1)),
        ('{"op":1,"token":"t","after":"0","of tomorrow":1}', Identify("t", 0)),
        ('{"op":10,"time":1579276740336}', Heartbeat(1579276740336)),
        ('{"op":11,"time":-1}', HeartbeatAck(-1)),
    ],
)
def test_what_clients_send(text: str, frame: Any) -> None:
    assert decode(text) == frame


def test_a_token_is_not_in_what_a_log_would_show() -> None:
    assert "secret" not in repr(Identify("secret"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nope",
        "[]",
        "1",
        "{}",
        '{"op":"1"}',
        '{"op":true}',
        '{"op":1.0,"token":"t"}',
        '{"op":null}',
        '{"op":0}',
        '{"op":2}',
        '{"op":3}',
        '{"op":-1}',
        '{"op":1}',
        '{"op":1,"token":5}',
        '{"op":1,"token":"t","after":5}',
        '{"op":1,"token":"t","after":"x"}',
        '{"op":1,"token":"t","after":"01"}',
        '{"op":1,"token":"t","after":"-1"}',
        '{"op":1,"token":"t","after":"9223372036854775808"}',
        '{"op":10}',
        '{"op":10,"time":"5"}',
        '{"op":10,"time":1.5}',
        '{"op":10,"time":true}',
        '{"op":10,"time":9007199254740993}',
        '{"op":11,"time":null}',
        '{"op":1,"op":1,"token":"t"}',
        '{"op":1,"token":"' + "t" * MAX_FRAME_BYTES + '"}',
    ],
)
def test_what_is_no_frame_is_a_violation(text: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
FRAMES = st.fixed_dictionaries(
    {"op": st.sampled_from([1, 10, 11]) | JSON},
    optional=dict.fromkeys(("token", "after", "time"), JSON | st.integers(0, 10**13)),
)


@given(st.text() | FRAMES.map(json.dumps))
def test_anything_is_a_frame_or_a_violation(text: str) -> None:
    try:
        frame = decode(text)
    except ProtocolViolation:
        return
    assert isinstance(frame, Identify | Heartbeat | HeartbeatAck)

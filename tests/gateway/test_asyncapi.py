"""The AsyncAPI document against what the server sends and what it takes."""

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from gateway import events
from gateway.asyncapi import channels
from gateway.protocol import codec, messages
from gateway.rules import Posted
from realtime.errors import ProtocolViolation
from tests.asyncapi import assert_fits_only_whole, validators_of

(CHANNEL,) = channels.channels


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    """For each message what the document says of it."""
    return validators_of("gateway")


def test_every_message_of_the_protocol_is_there(validators: dict[str, Any]) -> None:
    assert set(CHANNEL.server_messages) == set(get_args(messages.ServerFrame))
    assert set(CHANNEL.client_messages) == set(get_args(messages.ClientFrame))
    assert set(validators) == set(CHANNEL.examples)


@pytest.mark.parametrize("name", sorted(CHANNEL.examples))
def test_examples_fit(validators: dict[str, Any], name: str) -> None:
    for example in CHANNEL.examples[name]:
        validators[name].validate(example)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Hello", codec.encode(messages.Hello(45_000))),
        ("Ready", events.ready(2**62)),
        ("Message", events.message(Posted(2**62, 2**62 - 1, 2**61, 1, "hello", 1_795_290_000_000))),
        ("Gap", events.gap()),
        ("Heartbeat", codec.encode(messages.Heartbeat(5))),
        ("HeartbeatAck", codec.encode(messages.HeartbeatAck(5))),
    ],
)
def test_what_is_sent_fits(validators: dict[str, Any], name: str, sent: bytes) -> None:
    assert_fits_only_whole(validators[name], json.loads(sent))


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("Identify", {"op": 1}),
        ("Identify", {"op": 1, "token": 5}),
        ("Identify", {"op": 1, "token": "t", "after": 5}),
        ("Identify", {"op": 1, "token": "t", "after": "05"}),
        ("Heartbeat", {"op": 10}),
        ("HeartbeatAck", {"op": 11, "time": "5"}),
    ],
)
def test_what_the_document_forbids_the_codec_refuses(
    validators: dict[str, Any], name: str, frame: Any
) -> None:
    with pytest.raises(ValidationError):
        validators[name].validate(frame)
    with pytest.raises(ProtocolViolation):
        codec.decode(json.dumps(frame))

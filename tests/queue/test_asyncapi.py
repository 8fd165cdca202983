"""The AsyncAPI document against what the server sends and what it takes."""

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from queue import events, rules
from queue.asyncapi import channels
from queue.protocol import codec, messages
from realtime.asyncapi import wire_name
from realtime.errors import ProtocolViolation
from tests.asyncapi import assert_fits_only_whole, validators_of

(CHANNEL,) = channels.channels


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    """For each message what the document says of it."""
    return validators_of("queue")


def test_every_message_of_the_protocol_is_there(validators: dict[str, Any]) -> None:
    assert set(CHANNEL.server_messages) == set(get_args(messages.ServerMessage))
    assert CHANNEL.client_messages == (messages.Login,)
    assert set(validators) == set(CHANNEL.examples)


@pytest.mark.parametrize("name", sorted(CHANNEL.examples))
def test_examples_fit(validators: dict[str, Any], name: str) -> None:
    for example in CHANNEL.examples[name]:
        validators[name].validate(example)


PACE = rules.Pace(1.5, 0.25, 40.0)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ShouldQueue", events.should_queue(may_go=True, meaning="go")),
        ("Ticket", events.ticket("id", 3)),
        ("QueueStats", events.stats(head=1, tail=0, avg_wait_ms=5)),
        (
            "QueueStats",
            events.extended_stats(
                head=1, tail=0, avg_wait_ms=5, pace=PACE, message="x", paused=True, interval_s=5, keep_s=300
            ),
        ),
        ("LoginAnswer", events.let_in("jwt")),
        ("LoginAnswer", events.turned_away(503, "no")),
        ("Error", events.removed()),
        ("Error", events.error(ProtocolViolation("MALFORMED", "no"))),
    ],
)
def test_what_is_sent_fits(validators: dict[str, Any], name: str, sent: bytes) -> None:
    assert_fits_only_whole(validators[name], json.loads(sent))


@pytest.mark.parametrize(
    "data", [{}, {"type": 4}, {"type": 5, "token": "t"}, {"type": "4", "token": "t"}, {"type": 4, "token": 5}]
)
def test_what_the_document_forbids_the_codec_refuses(validators: dict[str, Any], data: Any) -> None:
    frame = {"eventCode": 1001, "eventData": data}
    with pytest.raises(ValidationError):
        validators[wire_name(messages.Login)].validate(frame)
    with pytest.raises(ProtocolViolation):
        codec.decode(json.dumps(frame))

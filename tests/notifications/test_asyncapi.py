"""The AsyncAPI document against what the server sends and what it takes."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec import Raw, Struct

from notifications import events
from notifications.asyncapi import _COMMANDS, channels
from notifications.protocol import codec, messages
from notifications.rules import OWN_COMMANDS, Content, Item
from notifications.services.sockets import _COMMANDS as ANSWERED
from tests.asyncapi import assert_fits_only_whole, validators_of

(CHANNEL,) = channels.channels
CONTENT = Content("news", "Hello", "", b'{"order":5}', 1_795_290_000_250)
ITEM = Item(2**62, "7", 0, CONTENT)


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    """For each message what the document says of it."""
    return validators_of("notifications")


def test_every_command_is_there_and_has_an_example(validators: dict[str, Any]) -> None:
    assert set(_COMMANDS.values()) == set(OWN_COMMANDS) == set(ANSWERED)
    assert set(CHANNEL.client_messages) == {*_COMMANDS, messages.Request}
    assert set(validators) == set(CHANNEL.examples)


@pytest.mark.parametrize("name", sorted(CHANNEL.examples))
def test_examples_fit(validators: dict[str, Any], name: str) -> None:
    for example in CHANNEL.examples[name]:
        validators[name].validate(example)
        if name not in ("Response", "Notification"):
            request = codec.decode(json.dumps(example))
            kind: type[Struct] = getattr(messages, name)
            if kind is not messages.Request:
                assert _COMMANDS[kind] == request.command
                codec.read(kind, request.options, "options")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Response", codec.encode(messages.Response(1, "a", "ok", Raw(events.item_list([ITEM]))))),
        ("Response", codec.problem(1, "a", "forbidden", messages.Problem("forbidden", "No."))),
        ("Response", codec.encode_push("a", "reload", b"[]")),
        ("Notification", events.changed("a", ITEM)),
        ("Notification", events.Newcomer(CONTENT).to("a", 2**62)),
    ],
)
def test_what_is_sent_fits(validators: dict[str, Any], name: str, sent: bytes) -> None:
    assert_fits_only_whole(validators[name], json.loads(sent))


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        (messages.ListQuery, {"rid": 0, "command": "getMyNotifications", "options": {}}),
        (messages.ListQuery, {"rid": 1, "command": "getMyNotifications"}),
        (
            messages.ListQuery,
            {"rid": 1, "command": "getMyNotifications", "options": {"params": {"limit": 101}}},
        ),
        (messages.CountQuery, {"rid": 1, "command": "getMyNotificationsCount", "options": {}}),
        (messages.Update, {"rid": 1, "command": "updateNotifications", "options": {"status": "read"}}),
        (messages.Subscription, {"rid": 1, "command": "subscription", "options": {"ids": ["a"]}}),
        (messages.Authentication, {"rid": 1, "command": "authentication", "options": {"authToken": 5}}),
    ],
)
def test_what_the_document_forbids_the_codec_refuses(
    validators: dict[str, Any], kind: type[Struct], frame: Any
) -> None:
    with pytest.raises(ValidationError):
        validators[kind.__name__].validate(frame)
    with pytest.raises(codec.BadRequest):
        codec.read(kind, codec.decode(json.dumps(frame)).options, "options")

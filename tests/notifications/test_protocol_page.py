"""The published page of the protocol says what the code does."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from notifications.backends.http import MAX_ANSWER_BYTES
from notifications.consumers import NotificationsConsumer
from notifications.protocol import codec, messages
from notifications.protocol.feed import MAX_DATA_BYTES, MAX_USERS, decode_feed
from notifications.rules import OWN_COMMANDS
from notifications.services.commands import MAX_TOLD

PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "notifications.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[str]:
    found = re.findall(rf"^```json {kind}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


class Sent(msgspec.Struct):
    """A response whose payload is still JSON text."""

    rid: int
    event: str
    status: messages.ResponseStatus
    payload: msgspec.Raw


@pytest.mark.parametrize("text", examples("server"))
def test_examples_from_the_server_are_what_it_sends(text: str) -> None:
    sent = msgspec.json.decode(text, type=Sent)
    kinds = {
        "error": messages.Problems,
        "update": messages.Notification,
        "reload": list[messages.Notification],
    }
    is_list = bytes(sent.payload).startswith(b"[")
    kind = list[messages.Notification] if is_list else kinds.get(sent.status, dict)
    payload = msgspec.json.decode(sent.payload, type=kind)
    assert codec.encode(messages.Response(sent.rid, sent.event, sent.status, payload)).decode() == text


@pytest.mark.parametrize("text", examples("client"))
def test_examples_from_the_client_are_understood(text: str) -> None:
    request = codec.decode(text)
    kind = {"authentication": messages.Authentication, "getMyNotifications": messages.ListQuery}
    assert msgspec.to_builtins(codec.read(kind[request.command], request.options, "options"))


@pytest.mark.parametrize("text", examples("feed"))
def test_examples_that_are_sent_are_understood(text: str) -> None:
    assert decode_feed(text.encode()).__class__.__name__ in ("NewNotification", "SubscriptionUpdate")


def test_every_command_has_a_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(OWN_COMMANDS)


def test_numbers_are_those_of_the_code() -> None:
    params = messages.Params()
    for said in (
        f"at most {messages.MAX_FRAME_BYTES} bytes",
        f"at most {messages.MAX_IN_FLIGHT} may be without one",
        f"{NotificationsConsumer.frame_burst} messages at once, or",
        f"or {NotificationsConsumer.frame_rate_per_s:g} a second for long",
        f"ids, at most {messages.MAX_MARKED};",
        f"`limit` ({params.limit}, at most {messages.MAX_LIMIT})",
        f"more than {MAX_TOLD} marked at once",
        f"longer than {MAX_ANSWER_BYTES} bytes",
        f"at most {MAX_USERS} ids",
        f"at most {MAX_DATA_BYTES} bytes",
    ):
        assert said in " ".join(PAGE.split()), said
    assert json.loads(examples("server")[0])["payload"]["sessionId"]

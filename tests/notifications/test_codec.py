"""Requests as clients write them, well and badly; and what other services send."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.protocol import messages
from notifications.protocol.codec import BadRequest, decode, read
from notifications.protocol.feed import NewNotification, SubscriptionUpdate, decode_feed

GOOD = {"rid": 7, "command": "x", "options": {}}


def refused(function: Any, *arguments: Any) -> tuple[str, str]:
    """What is wrong and where."""
    with pytest.raises(BadRequest) as error:
        function(*arguments)
    return error.value.slug, error.value.path


def test_a_request() -> None:
    assert decode(json.dumps(GOOD | {"more": 1})) == messages.Request(7, "x", {})


@pytest.mark.parametrize(
    ("text", "slug", "path"),
    [
        ("{", "malformed", ""),
        ("[]", "malformed", ""),
        ("7", "malformed", ""),
        (" " * 70_000, "too-large", ""),
        ('{"rid":7,"rid":7,"command":"x","options":{}}', "malformed", ""),
        (json.dumps({"command": "x", "options": {}}), "required", "rid"),
        (json.dumps({"rid": 7, "options": {}}), "required", "command"),
        (json.dumps({"rid": 7, "command": "x"}), "required", "options"),
        *[(json.dumps(GOOD | {"rid": rid}), "invalid", "rid") for rid in (0, -1, 1.5, "7", True, 2**60)],
        *[
            (json.dumps(GOOD | {"command": command}), "invalid", "command")
            for command in ("", 5, "x" * 65, "\0")
        ],
        *[(json.dumps(GOOD | {"options": options}), "invalid", "options") for options in ([], None, "{}")],
    ],
)
def test_what_is_no_request(text: str, slug: str, path: str) -> None:
    assert refused(decode, text) == (slug, path)


@given(st.text() | st.builds(json.dumps, st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_whatever_comes_only_a_bad_request_is_raised(text: str) -> None:
    with suppress(BadRequest):
        decode(text)


@pytest.mark.parametrize(
    ("kind", "options", "slug", "path"),
    [
        (messages.ListQuery, {"where": {"types": [5]}}, "invalid", "options.where.types[0]"),
        (messages.ListQuery, {"where": {"types": ["\0"]}}, "invalid", "options.where.types[0]"),
        (messages.ListQuery, {"where": {"type": []}}, "invalid", "options.where"),
        (messages.ListQuery, {"params": {"limit": 0}}, "invalid", "options.params.limit"),
        (messages.ListQuery, {"params": {"limit": 101}}, "invalid", "options.params.limit"),
        (messages.ListQuery, {"params": {"skip": -1}}, "invalid", "options.params.skip"),
        (messages.ListQuery, {"params": {"sort": "title"}}, "invalid", "options.params.sort"),
        (messages.ListQuery, {"params": {"since": 5}}, "invalid", "options.params.since"),
        (messages.ListQuery, {"params": {"since": "9" * 19}}, "invalid", "options.params"),
        (messages.CountQuery, {}, "required", "options.status"),
        (messages.CountQuery, {"status": "new"}, "invalid", "options.status"),
        (messages.Update, {"where": {}, "status": "read"}, "invalid", "options.where"),
        (
            messages.Update,
            {"where": {"notifications": [], "types": []}, "status": "read"},
            "invalid",
            "options.where",
        ),
        (
            messages.Update,
            {"where": {"notifications": ["1"] * 1_001}, "status": "read"},
            "invalid",
            "options.where.notifications",
        ),
        (messages.Subscription, {"ids": ["a"], "action": "subscribe"}, "invalid", "options.action"),
        (messages.Authentication, {"authToken": 5}, "invalid", "options.authToken"),
    ],
)
def test_bad_options_are_named(kind: Any, options: dict[str, Any], slug: str, path: str) -> None:
    assert refused(read, kind, options, "options") == (slug, path)


def test_nothing_that_was_sent_is_said_back() -> None:
    for options in (
        {"params": {"sort": "secret"}},
        {"where": {"secret": 1}},
        {"where": {"types": ["secret" * 20]}},
    ):
        with pytest.raises(BadRequest) as error:
            read(messages.ListQuery, options, "options")
        assert "secret" not in str(error.value)


def notification(**document: Any) -> bytes:
    return json.dumps({"type": "notification", "document": document}).encode()


def test_what_other_services_send() -> None:
    told = decode_feed(notification(users=["b", 5, "b", "5"], type="news", data={"a": [None]}))
    assert isinstance(told, NewNotification)
    assert told.user_ids == ["b", "5"]
    sent = {"subscriptions": ["s"], "data": 5, "options": {"reload": True}}
    update = decode_feed(json.dumps({"type": "update_subscription", "document": sent}).encode())
    assert isinstance(update, SubscriptionUpdate)
    assert (update.data, update.options.reload) == (5, True)


@pytest.mark.parametrize(
    ("value", "slug", "path"),
    [
        (b"", "malformed", ""),
        (b"\xff", "malformed", ""),
        (b"[]", "invalid", ""),
        (b'{"type": "notification"}', "required", "document"),
        (b'{"type": "other", "document": {}}', "unknown-type", "type"),
        (
            b'{"type": "update_subscription", "document": {"subscriptions": []}}',
            "invalid",
            "document.subscriptions",
        ),
        (notification(type="news"), "invalid", "document"),
        (notification(users=["a"]), "invalid", "document"),
        (notification(users=["a"], type="news", template="x"), "invalid", "document"),
        (notification(users=["a"], type="news", data="x" * 40_000), "invalid", "document"),
        (notification(users=["a"], type="news", title="x" * 201), "invalid", "document.title"),
        (notification(users=["a"], type="news", body="a\0b"), "invalid", "document.body"),
        (notification(users=[""], type="news"), "invalid", "document.users[0]"),
        (notification(users=[1.5], type="news"), "invalid", "document.users[0]"),
        (notification(users=["a"] * 10_001, type="news"), "invalid", "document.users"),
    ],
)
def test_what_other_services_should_not_send(value: bytes, slug: str, path: str) -> None:
    assert refused(decode_feed, value) == (slug, path)

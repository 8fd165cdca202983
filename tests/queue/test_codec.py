"""The wire form: every message of the document to the byte, and what is no message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue.protocol import messages
from queue.protocol.codec import decode, decode_hello, encode, encode_should_queue
from queue.protocol.messages import MAX_FRAME_BYTES, Login, LoginType
from realtime.errors import ProtocolViolation

HEADERS = [(b"platform", b"web"), (b"id", b"6f1c2e50-guid")]


def frame(code: object = 1001, data: Any = None, key: str = "eventCode") -> str:
    return json.dumps({key: code, "eventData": {"type": 4, "token": "t"} if data is None else data})


# --- what the server sends ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (messages.LoginAnswer("iamjwt"), '{"eventCode":1001,"eventData":{"jwt":"iamjwt"}}'),
        (
            messages.LoginAnswer("", 403, "no such user"),
            '{"eventCode":1001,"eventData":{"jwt":"","statusCode":403,"message":"no such user"}}',
        ),
        (
            messages.QueueStats(1, 5, 17_000),
            '{"eventCode":1002,"eventData":{"headPosition":1,"tailPosition":5,"avgWaitMsec":17000}}',
        ),
        (
            messages.Ticket("12adccasxax", 87),
            '{"eventCode":1003,"eventData":{"ticketId":"12adccasxax","position":87}}',
        ),
        (
            messages.Error("MALFORMED", "No."),
            '{"eventCode":1004,"eventData":{"code":"MALFORMED","message":"No."}}',
        ),
    ],
)
def test_every_message_as_the_document_has_it(message: Any, text: str) -> None:
    assert encode(message) == text.encode()


@pytest.mark.parametrize(
    ("meaning", "may_go", "flag"),
    [("go", True, "true"), ("go", False, "false"), ("wait", True, "false"), ("wait", False, "true")],
)
def test_should_queue_in_both_readings(meaning: Any, may_go: bool, flag: str) -> None:
    text = f'{{"eventCode":1000,"eventData":{{"shouldQueue":{flag}}}}}'
    assert encode_should_queue(may_go=may_go, meaning=meaning) == text.encode()


def test_secrets_are_not_in_what_a_log_would_show() -> None:
    assert "secret" not in repr(Login(LoginType.DEVICE, "secret"))
    assert "secret" not in repr(messages.LoginAnswer("secret"))


# --- what clients send --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(LoginType))
def test_a_login_of_every_type(kind: LoginType) -> None:
    assert decode(frame(data={"type": int(kind), "token": "asdz23asda-123sac"})) == Login(
        kind, "asdz23asda-123sac"
    )


def test_the_documents_example_is_understood_with_its_slip() -> None:
    assert decode(frame(key="- eventCode")) == Login(LoginType.DEVICE, "t")


def test_what_is_passed_on_may_be_left_out_or_null() -> None:
    data = {"type": 4, "token": "t", "deviceId": "d", "sessionId": None, "of tomorrow": [1]}
    assert decode(frame(data=data)) == Login(LoginType.DEVICE, "t", "d", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED"),
        ("hello", "MALFORMED"),
        ("[]", "MALFORMED"),
        ("1001", "MALFORMED"),
        ("{}", "MALFORMED"),
        ('{"eventCode":1001,"eventCode":1001,"eventData":{}}', "MALFORMED"),
        ('{"eventCode":NaN,"eventData":{}}', "MALFORMED"),
        ("[" * 10_000, "MALFORMED"),
        (frame("1001"), "MALFORMED"),
        (frame(code=True), "MALFORMED"),
        (frame(1001.5), "MALFORMED"),
        (frame(None), "MALFORMED"),
        (frame(data=[]), "MALFORMED"),
        (frame(data="x"), "MALFORMED"),
        ('{"eventCode":1001}', "MALFORMED"),
        (frame(1000), "UNKNOWN_EVENT"),
        (frame(-1), "UNKNOWN_EVENT"),
        (frame(data={}), "INVALID_LOGIN"),
        (frame(data={"type": 4}), "INVALID_LOGIN"),
        (frame(data={"type": 5, "token": "t"}), "INVALID_LOGIN"),
        (frame(data={"type": -1, "token": "t"}), "INVALID_LOGIN"),
        (frame(data={"type": True, "token": "t"}), "INVALID_LOGIN"),
        (frame(data={"type": 4.0, "token": "t"}), "INVALID_LOGIN"),
        (frame(data={"type": "4", "token": "t"}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": ""}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": " \t"}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": 5}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": "t", "deviceId": 5}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": "t", "sessionId": {}}), "INVALID_LOGIN"),
        (frame(data={"type": 4, "token": "t" * MAX_FRAME_BYTES}), "TOO_LARGE"),
        (frame(data={"type": 4, "token": "é" * (MAX_FRAME_BYTES // 2)}).encode().decode(), "TOO_LARGE"),
    ],
)
def test_what_is_no_message_says_why(text: str, code: str) -> None:
    with pytest.raises(ProtocolViolation) as violation:
        decode(text)
    assert violation.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "eventCode": JSON | st.just(1001),
        "- eventCode": JSON,
        "eventData": JSON
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("type", "token", "deviceId", "sessionId"), JSON | st.integers(0, 4))
        ),
    },
)


@given(st.text() | FRAMES.map(json.dumps) | JSON.map(json.dumps))
def test_anything_is_a_login_or_a_violation(text: str) -> None:
    try:
        login = decode(text)
    except ProtocolViolation:
        return
    assert type(login.type) is LoginType
    assert login.token.strip()


# --- the handshake --------------------------------------------------------------------------------


def test_a_handshake_by_headers() -> None:
    hello = decode_hello([*HEADERS, (b"jwt", b"a.b.c"), (b"host", b"x")], b"")
    assert (hello.platform, hello.client_id, hello.jwt, hello.extended) == (
        "web",
        "6f1c2e50-guid",
        "a.b.c",
        False,
    )


def test_a_browser_says_it_in_the_query() -> None:
    hello = decode_hello([], b"platform=web&id=a%20b&extended=1")
    assert (hello.platform, hello.client_id, hello.extended) == ("web", "a b", True)


def test_a_header_wins_and_a_credential_is_never_taken_from_an_address() -> None:
    hello = decode_hello(HEADERS, b"platform=other&id=other&jwt=a.b.c")
    assert (hello.platform, hello.client_id, hello.jwt) == ("web", "6f1c2e50-guid", "")


@pytest.mark.parametrize(
    ("headers", "query", "named"),
    [
        ([], b"", "id"),
        ([(b"id", b"a")], b"", "platform"),
        ([(b"platform", b"web")], b"", "id"),
        ([(b"platform", b"web"), (b"id", b"")], b"", "id"),
        ([(b"platform", b"web"), (b"id", b"a" * 129)], b"", "id"),
        ([(b"platform", b"web"), (b"id", "é".encode())], b"", "id"),
        ([(b"platform", b"web"), (b"id", b"a\x7f")], b"", "id"),
        ([(b"platform", b"we b"), (b"id", b"a")], b"", "platform"),
        ([(b"platform", b"w" * 33), (b"id", b"a")], b"", "platform"),
        ([(b"id", b"a")], b"platform=web%0A", "platform"),
        ([], b"platform=web&id=%C3%A9", "id"),
        ([], b"id=a&" * 50, "query"),
    ],
)
def test_a_bad_handshake_is_told_what_is_wrong(
    headers: list[tuple[bytes, bytes]], query: bytes, named: str
) -> None:
    with pytest.raises(ProtocolViolation, match=named):
        decode_hello(headers, query)


@pytest.mark.parametrize("length", [1, 128])
def test_ids_as_long_as_allowed(length: int) -> None:
    assert decode_hello([(b"platform", b"w"), (b"id", b"~" * length)], b"").client_id == "~" * length


@given(st.lists(st.tuples(st.sampled_from([b"id", b"platform", b"jwt"]), st.binary())), st.binary())
def test_any_handshake_is_a_hello_or_a_violation(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    try:
        hello = decode_hello(headers, query)
    except ProtocolViolation:
        return
    assert hello.client_id.isascii()
    assert hello.client_id.isprintable()

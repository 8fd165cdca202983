"""The wire form of the login queue's protocol, the server's side: decode what clients send, encode the rest.

A message is ``{"eventCode": <int>, "eventData": <object>}``. The protocol's document shows the first name as
``"- eventCode"`` in its example, a bullet that slipped into the code: clients that took it from there are
understood as well.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

import re
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from msgspec import Struct

from queue.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_ID_LENGTH,
    MAX_PLATFORM_LENGTH,
    ClientMessage,
    ErrorCode,
    EventCode,
    Login,
    LoginType,
    ServerMessage,
    ShouldQueue,
)
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

__all__ = ["Hello", "Meaning", "decode", "decode_hello", "encode", "encode_should_queue"]

Meaning = Literal["go", "wait"]
"""What ``shouldQueue: true`` says: "go", as the document has it, or "wait", as its clients' code reads it."""

_is_id: Final = re.compile(rf"[\x20-\x7e]{{1,{MAX_ID_LENGTH}}}").fullmatch
_is_platform: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_PLATFORM_LENGTH}}}").fullmatch
_MISSING: Final = object()


class Hello(Struct, frozen=True):
    """What a client says in its handshake. `jwt` is "" where it has none; `extended` marks pages of ours."""

    client_id: str
    platform: str
    jwt: str = ""
    extended: bool = False


def decode_hello(headers: list[tuple[bytes, bytes]], query_string: bytes) -> Hello:
    """What the handshake says: by its headers, or else, but for the credential, by its query.

    Raises:
        ProtocolViolation: MALFORMED, with a sentence that says which is missing or wrong.
    """
    try:
        query = parse_qs(query_string.decode("ascii", "replace"), max_num_fields=20, errors="replace")
    except ValueError:
        raise ProtocolViolation(ErrorCode.MALFORMED, "too many query parameters") from None
    said = {name: values[0] for name, values in query.items() if name in ("id", "platform", "extended")}
    said |= {
        name.decode(): value.decode("latin-1")
        for name, value in headers
        if name in (b"id", b"platform", b"jwt")
    }
    client_id, platform = said.get("id", ""), said.get("platform", "")
    if not _is_id(client_id):
        raise ProtocolViolation(
            ErrorCode.MALFORMED,
            f"id must have 1 to {MAX_ID_LENGTH} printable ASCII characters (header, or query parameter)",
        )
    if not _is_platform(platform):
        raise ProtocolViolation(
            ErrorCode.MALFORMED,
            f"platform must have 1 to {MAX_PLATFORM_LENGTH} of A-Za-z0-9._- (header, or query parameter)",
        )
    return Hello(client_id, platform, said.get("jwt", ""), said.get("extended") == "1")


def decode(text: str) -> ClientMessage:
    """The message in one text frame.

    Raises:
        ProtocolViolation: MALFORMED, UNKNOWN_EVENT, INVALID_LOGIN or TOO_LARGE. Nothing else is ever raised.
    """
    frame = decode_json(text, max_bytes=MAX_FRAME_BYTES)
    if not isinstance(frame, dict):
        raise ProtocolViolation(ErrorCode.MALFORMED, "A message is a JSON object.")
    code = frame.get("eventCode", frame.get("- eventCode", _MISSING))
    if type(code) is not int:
        raise ProtocolViolation(ErrorCode.MALFORMED, "eventCode must be an integer.")
    if code != EventCode.LOGIN:
        raise ProtocolViolation(ErrorCode.UNKNOWN_EVENT, "Clients send eventCode 1001 (Login) only.")
    data = frame.get("eventData")
    if not isinstance(data, dict):
        raise ProtocolViolation(ErrorCode.MALFORMED, "eventData must be an object.")
    return _login(data)


def encode(message: ServerMessage) -> bytes:
    """The text of a message, in UTF-8."""
    return encode_json({"eventCode": message.code, "eventData": message})


def encode_should_queue(*, may_go: bool, meaning: Meaning) -> bytes:
    """`ShouldQueue` in the installation's reading. The one place that knows there are two."""
    return encode(ShouldQueue(may_go if meaning == "go" else not may_go))


def _login(data: dict[str, Any]) -> Login:
    kind, token = data.get("type"), data.get("token")
    if type(kind) is not int or not 0 <= kind <= max(LoginType):
        raise ProtocolViolation(ErrorCode.INVALID_LOGIN, "type must be an integer from 0 to 4.")
    if not isinstance(token, str) or not token.strip():
        raise ProtocolViolation(ErrorCode.INVALID_LOGIN, "token must be a text that is not empty.")
    passed_on = []
    for name in ("deviceId", "sessionId"):
        value = data.get(name)
        if value is not None and not isinstance(value, str):
            raise ProtocolViolation(ErrorCode.INVALID_LOGIN, f"{name} must be a text.")
        passed_on.append(value or "")
    return Login(LoginType(kind), token, *passed_on)

"""The opening handshake of a WebSocket connection, the server's side (RFC 6455, section 4.2).

This module is pure: no I/O.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha1
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

__all__ = ["HandshakeError", "Headers", "Request", "acceptance", "read_request", "refusal"]

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# RFC 9110, 5.6.2: what methods, names of headers and subprotocols are made of.
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_is_token: Final = re.compile(_TOKEN).fullmatch
# RFC 9110, 5.5: any byte but control characters; the tab is none. The space around it is taken away later.
_VALUE: Final = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
_is_value: Final = re.compile(_VALUE).fullmatch
_request_line: Final = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.1(?=\r\n|\Z)").match
_are_headers: Final = re.compile(rb"(?:\r\n" + _TOKEN + rb":" + _VALUE + rb")*+").fullmatch
_headers: Final = re.compile(rb"\r\n(" + _TOKEN + rb"):(" + _VALUE + rb")").findall
# What the answer says about itself is not for the application to say.
_OF_THE_CONNECTION: Final = frozenset(
    (
        b"connection",
        b"content-length",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"transfer-encoding",
        b"upgrade",
    )
)


class Request(NamedTuple):
    """A client wants to open a connection. Names of headers are in lower case."""

    target: bytes
    headers: list[tuple[bytes, bytes]]
    subprotocols: list[str]
    key: bytes


class HandshakeError(Exception):
    """What came does not ask for a WebSocket connection as it should. `headers` belong into the answer."""

    def __init__(self, status: int, reason: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = headers


def read_request(head: bytes) -> Request:
    """The request whose line and headers these are, without the empty line after them.

    Raises:
        HandshakeError: 400, 405 or 426, with a sentence.
    """
    line = _request_line(head)
    if line is None:
        raise HandshakeError(400, "This is not an HTTP/1.1 request.")
    method, target = line.groups()
    if not _are_headers(head, line.end()):
        raise HandshakeError(400, "A header is malformed.")
    if method != b"GET":
        raise HandshakeError(405, "A WebSocket connection is opened with GET.", [(b"allow", b"GET")])
    headers = [(name.lower(), value.strip(b" \t")) for name, value in _headers(head, line.end())]
    return Request(target, headers, *_opening(headers))


def _opening(headers: list[tuple[bytes, bytes]]) -> tuple[list[str], bytes]:
    """The subprotocols and the key, if the headers are those of section 4.2.1."""
    fields: dict[bytes, bytes] = {}
    hosts = 0
    for name, value in headers:
        hosts += name == b"host"
        # Several lines of one name are one list (RFC 9110, 5.3); what is no list is not valid then.
        fields[name] = fields[name] + b"," + value if name in fields else value
    if hosts != 1:
        raise HandshakeError(400, "There must be one Host header.")
    if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
        # Its bytes would be taken for frames.
        raise HandshakeError(400, "The request must not have a body.")
    if not (_lists(fields, b"upgrade", b"websocket") and _lists(fields, b"connection", b"upgrade")):
        raise HandshakeError(426, "This address is for WebSocket connections.")
    if fields.get(b"sec-websocket-version") != b"13":
        version = [(b"sec-websocket-version", b"13")]
        raise HandshakeError(426, "The version of the protocol must be 13.", version)
    key = fields.get(b"sec-websocket-key", b"")
    if not _is_key(key):
        raise HandshakeError(400, "Sec-WebSocket-Key must be 16 bytes in Base64.")
    offered = _parts(fields.get(b"sec-websocket-protocol", b""))
    if not all(map(_is_token, offered)):
        raise HandshakeError(400, "Sec-WebSocket-Protocol is malformed.")
    return [name.decode() for name in offered], key


def acceptance(request: Request, subprotocol: str | None, headers: Headers) -> bytes:
    """The answer that opens the connection.

    Raises:
        ValueError: the client did not offer this subprotocol, or a header is malformed.
    """
    token = b64encode(sha1(request.key + _GUID, usedforsecurity=False).digest())
    own = [(b"upgrade", b"websocket"), (b"connection", b"Upgrade"), (b"sec-websocket-accept", token)]
    if subprotocol is not None:
        if subprotocol not in request.subprotocols:
            raise ValueError(f"the client did not offer the subprotocol {subprotocol!r}")
        own.append((b"sec-websocket-protocol", subprotocol.encode()))
    return _head(101, own, headers)


def refusal(status: int, headers: Headers, body: bytes) -> bytes:
    """An answer that does not open it; the connection ends after this.

    Raises:
        ValueError: a header is malformed, or the status is none of a final answer.
    """
    if not 200 <= status <= 999:
        raise ValueError(f"{status} does not refuse a connection")
    own = [(b"content-length", str(len(body)).encode())]
    if status == HTTPStatus.UPGRADE_REQUIRED:
        # It must say what to upgrade to (RFC 9110, 15.5.22).
        own += [(b"connection", b"close, Upgrade"), (b"upgrade", b"websocket")]
    else:
        own.append((b"connection", b"close"))
    return _head(status, own, headers) + body


def _head(status: int, own: Headers, headers: Headers) -> bytes:
    lines = [_status_line(status), *(name + b": " + value for name, value in own)]
    for name, value in headers:
        if not (_is_token(name) and _is_value(value)):
            raise ValueError(f"the header {name!r} is malformed")
        if name.lower() not in _OF_THE_CONNECTION:
            lines.append(name + b": " + value)
    return b"\r\n".join(lines) + b"\r\n\r\n"


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}".encode()


def _lists(fields: dict[bytes, bytes], name: bytes, token: bytes) -> bool:
    """Is this token in the list of that header?"""
    value = fields.get(name, b"").lower()
    return value == token or token in _parts(value)


def _parts(value: bytes) -> list[bytes]:
    """What a header lists."""
    return [part for part in (part.strip(b" \t") for part in value.split(b",")) if part]


def _is_key(key: bytes) -> bool:
    try:
        return len(b64decode(key, validate=True)) == 16
    except Base64Error:
        return False

"""The opening handshake of a WebSocket connection, the server's side (RFC 6455, section 4.2).

This module is pure: no I/O.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from hashlib import sha1
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

__all__ = ["HandshakeError", "Headers", "Request", "acceptance", "check_request", "read_request", "refusal"]

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# RFC 9110, 5.6.2: what methods, names of headers and subprotocols are made of.
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_is_token: Final = re.compile(_TOKEN).fullmatch
_request_line: Final = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.1").fullmatch
# RFC 9110, 5.5: any byte but control characters; the tab is none.
_VALUE: Final = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
# The space around a value is taken away later: a pattern for it that overlaps with that of the value would
# try every way to share out a long one.
_header_line: Final = re.compile(rb"(" + _TOKEN + rb"):(" + _VALUE + rb")").fullmatch
_is_value: Final = re.compile(_VALUE).fullmatch
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
    line, *lines = head.split(b"\r\n")
    request = _request_line(line)
    if request is None:
        raise HandshakeError(400, "This is not an HTTP/1.1 request.")
    method, target = request.groups()
    headers = []
    for header_line in lines:
        header = _header_line(header_line)
        if header is None:
            raise HandshakeError(400, "A header is malformed.")
        headers.append((header[1].lower(), header[2]))
    return check_request(method, target, headers)


def check_request(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> Request:
    """The request, if it asks for what is spoken here; names of headers are in lower case.

    The space around a value is no part of it (RFC 9110, 5.5). Not every parser takes it away.

    Raises:
        HandshakeError: 400, 405 or 426, with a sentence.
    """
    if method != b"GET":
        raise HandshakeError(405, "A WebSocket connection is opened with GET.", [(b"allow", b"GET")])
    headers = [(name, value.strip(b" \t")) for name, value in headers]
    return Request(target, headers, *_opening(headers))


def _opening(headers: Headers) -> tuple[list[str], bytes]:
    """The subprotocols and the key, if the headers are those of section 4.2.1."""
    fields: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        fields.setdefault(name, []).append(value)
    if len(fields.get(b"host", ())) != 1:
        raise HandshakeError(400, "There must be one Host header.")
    if b"transfer-encoding" in fields or fields.get(b"content-length", [b"0"]) != [b"0"]:
        # Its bytes would be taken for frames.
        raise HandshakeError(400, "The request must not have a body.")
    if b"websocket" not in _tokens(fields, b"upgrade") or b"upgrade" not in _tokens(fields, b"connection"):
        raise HandshakeError(426, "This address is for WebSocket connections.")
    if fields.get(b"sec-websocket-version") != [b"13"]:
        version = [(b"sec-websocket-version", b"13")]
        raise HandshakeError(426, "The version of the protocol must be 13.", version)
    keys = fields.get(b"sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0]):
        raise HandshakeError(400, "Sec-WebSocket-Key must be 16 bytes in Base64.")
    offered = _parts(fields, b"sec-websocket-protocol")
    if not all(map(_is_token, offered)):
        raise HandshakeError(400, "Sec-WebSocket-Protocol is malformed.")
    return [name.decode() for name in offered], keys[0]


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


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}".encode()


def _parts(fields: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    """What a header lists, over all its lines."""
    parts = b",".join(fields.get(name, ())).split(b",")
    return [part for part in (part.strip(b" \t") for part in parts) if part]


def _tokens(fields: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    return [part.lower() for part in _parts(fields, name)]


def _is_key(key: bytes) -> bool:
    try:
        return len(b64decode(key, validate=True)) == 16
    except Base64Error:
        return False

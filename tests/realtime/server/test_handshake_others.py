"""The same requests judged by us, by `wsproto` and by `websockets`: which of them open a connection.

Each part of a request may be said in ways that are in order and in ways that are not. `PARTS` has them, with
what each of us makes of it; where we differ, with the section that decides. A request is good if all of them
are.
"""

from __future__ import annotations

import logging
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.http11 import Request as TheirRequest
from websockets.server import ServerProtocol
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request as WsprotoRequest
from wsproto.utilities import RemoteProtocolError

from realtime.server.connection import Connection
from realtime.server.events import Request, State
from tests.realtime.server.streams import REQUEST, randoms

_NO_LOGGER = logging.getLogger("tests.nobody")
_NO_LOGGER.setLevel(logging.CRITICAL)


def opened_by_us(data: bytes) -> bool:
    connection = Connection(max_message_bytes=1000)
    connection.receive_data(data)
    if not isinstance(connection.next_event(), Request):
        return False
    connection.accept()
    return connection.data_to_send().startswith(b"HTTP/1.1 101 ") and connection.state is State.OPEN


def opened_by_websockets(data: bytes) -> bool:
    server = ServerProtocol(logger=_NO_LOGGER)
    server.receive_data(data)
    return any(
        isinstance(event, TheirRequest) and server.accept(event).status_code == 101
        for event in server.events_received()
    )


def opened_by_wsproto(data: bytes) -> bool:
    server = WSConnection(ConnectionType.SERVER)
    try:
        server.receive_data(data)
        return any(isinstance(event, WsprotoRequest) for event in server.events())
    except (RemoteProtocolError, UnicodeError):
        return False


class Way(NamedTuple):
    """A way to say one part of a request, and for whom it is good."""

    lines: bytes
    we: bool
    websockets: bool
    wsproto: bool
    section: str = ""


def good(lines: bytes) -> Way:
    return Way(lines, we=True, websockets=True, wsproto=True)


def bad(lines: bytes) -> Way:
    return Way(lines, we=False, websockets=False, wsproto=False)


def only(*whose: str, lines: bytes, section: str) -> Way:
    """Good for these alone."""
    return Way(lines, "we" in whose, "websockets" in whose, "wsproto" in whose, section)


_ONE_HOST = "RFC 9112 3.2: 400 to any HTTP/1.1 request that has none, or more than one"
_LISTS = "4.2.1: a header that contains the token; RFC 9110 5.3: lines of a list are one list"
_KEY = "4.2.1: a key that, when decoded, is 16 bytes in length"
_BODY = "RFC 9112 6.3: the bytes of a body are none of the frames after it"
_LINES = "RFC 9112 2.2, 5.2: lines end with CRLF; one that is folded is refused or unfolded"

PARTS: dict[str, list[Way]] = {
    "line": [
        good(b"GET /chat HTTP/1.1"),
        good(b"GET /chat?a=%20 HTTP/1.1"),
        bad(b"POST /chat HTTP/1.1"),
        bad(b"GET /a b HTTP/1.1"),
        bad(b"GET /\xe9 HTTP/1.1"),
        bad(b"GET HTTP/1.1"),
        only("wsproto", lines=b"GET / HTTP/1.0", section="4.2.1: HTTP/1.1 or higher"),
        only("wsproto", lines=b"GET / HTTP/1.2", section="RFC 9112 2.3: there is no such version"),
        only(
            "websockets", lines=b"GET /\x7f HTTP/1.1", section="RFC 3986 2: a control character is in no URI"
        ),
        bad(b"G@T / HTTP/1.1"),
    ],
    "host": [
        good(b"Host: a"),
        good(b"host:a:80"),
        only("websockets", lines=b"X-Host: a", section=_ONE_HOST),
        only("websockets", lines=b"Host: a\r\nHost: a", section=_ONE_HOST),
    ],
    "upgrade": [
        good(b"Upgrade: websocket"),
        good(b"UPGRADE: \tWebSocket "),
        bad(b"Upgrade: h2c"),
        bad(b"X-Upgrade: websocket"),
        only("we", lines=b"Upgrade: h2c, websocket", section=_LISTS),
        only("we", lines=b"Upgrade: websocket\r\nUpgrade: h2c", section=_LISTS),
        only("we", "wsproto", lines=b"Upgrade: h2c\r\nUpgrade: websocket", section=_LISTS),
    ],
    "connection": [
        good(b"Connection: Upgrade"),
        good(b"connection: keep-alive,, UPGRADE"),
        good(b"Connection: keep-alive\r\nConnection: upgrade"),
        bad(b"Connection: close"),
        bad(b"X: y"),
        only("we", "websockets", lines=b"Connection: upgrade\r\nConnection: x", section=_LISTS),
    ],
    "version": [
        good(b"Sec-WebSocket-Version: 13"),
        bad(b"Sec-WebSocket-Version: 8"),
        bad(b"Sec-WebSocket-Version: 13, 8"),
        bad(b"Sec-WebSocket-Version: 013"),
        bad(b"X: 13"),
        only(
            "wsproto",
            lines=b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13",
            section="11.3.5: it MUST NOT appear more than once in an HTTP request",
        ),
    ],
    "key": [
        good(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        good(b"sec-websocket-key:AAAAAAAAAAAAAAAAAAAAAB=="),
        bad(b"X: dGhlIHNhbXBsZSBub25jZQ=="),
        only("wsproto", lines=b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", section=_KEY),
        only("wsproto", lines=b"Sec-WebSocket-Key: AAAA", section=_KEY),
        only("wsproto", lines=b"Sec-WebSocket-Key:", section=_KEY),
        only(
            "wsproto",
            lines=b"\r\n".join(2 * [b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
            section="11.3.1: it MUST NOT appear more than once in an HTTP request",
        ),
    ],
    "more": [
        good(b"Origin: http://a"),
        good(b"Cookie: caf\xe9\ta"),
        good(b"X:"),
        good(b"Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c"),
        good(b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10"),
        good(b"Content-Length: 0"),
        bad(b"no colon"),
        bad(b"a b: c"),
        bad(b"a : b"),
        bad(b": b"),
        bad(b"a: \x00"),
        only("wsproto", lines=b"Content-Length: 5", section=_BODY),
        only("wsproto", lines=b"Transfer-Encoding: chunked", section=_BODY),
        only("wsproto", lines=b"a: b\r\n c", section=_LINES),
        only("wsproto", lines=b"a: b\nc: d", section=_LINES),
        only("wsproto", lines=b"Sec-WebSocket-Protocol: a b", section="4.1: a subprotocol is a token"),
    ],
}
WAYS = [(part, way) for part, ways in PARTS.items() for way in ways]


USUAL = {part: ways[0] for part, ways in PARTS.items()}


def request(said: dict[str, Way]) -> bytes:
    return b"".join(way.lines + b"\r\n" for way in said.values()) + b"\r\n"


def judged(data: bytes) -> tuple[bool, bool, bool]:
    return opened_by_us(data), opened_by_websockets(data), opened_by_wsproto(data)


@pytest.mark.parametrize(("part", "way"), WAYS, ids=[f"{part} {way.lines!r}" for part, way in WAYS])
def test_one_part_is_said_differently(part, way):
    data = request(USUAL | {part: way})
    assert judged(data) == (way.we, way.websockets, way.wsproto)
    assert bool(way.section) is (len(set(judged(data))) == 2), "who differs says why"


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(WAYS), min_size=2, max_size=4), randoms)
def test_a_request_is_good_if_all_its_parts_are(unusual, random):
    said = USUAL | dict(unusual)
    line = said.pop("line")
    in_any_order = {"line": line} | dict(random.sample(list(said.items()), len(said)))
    ways = in_any_order.values()
    assert judged(request(in_any_order)) == (
        all(way.we for way in ways),
        all(way.websockets for way in ways),
        all(way.wsproto for way in ways),
    )


def damaged(random: Random) -> bytes:
    """The RFC's own request, with a few bytes that are wrong."""
    data = bytearray(REQUEST)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(data))
        match random.randrange(4):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data.insert(at, random.choice(b"\x00\t\r\n ,:;\x7f\xff"))
            case 2:
                del data[at]
            case _:
                other = random.randrange(len(data))
                data[at], data[other] = data[other], data[at]
    return bytes(data)


@settings(deadline=None, max_examples=400)
@given(randoms.map(damaged))
def test_of_a_damaged_request_we_make_what_both_make(data):
    we, websockets, wsproto = judged(data)
    assert we in (websockets, wsproto), data

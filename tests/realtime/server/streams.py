"""What clients send, as bytes: requests and frames, well-formed and not."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from operator import xor
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

from realtime.frames import BINARY, CLOSE, PING, PONG, TEXT
from realtime.server.connection import Connection
from realtime.server.events import Binary, Closed, Event, Ping, Pong, Text

CONTINUATION = 0x0
# The request of RFC 6455, section 1.2, and what its key is answered with.
REQUEST = (
    b"GET /chat HTTP/1.1\r\n"
    b"Host: server.example.com\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Origin: http://example.com\r\n"
    b"Sec-WebSocket-Protocol: chat, superchat\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"\r\n"
)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
# That of the examples in section 5.7.
MASK = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    mask: bytes | None = MASK,
    reserved: int = 0,
    length: int | None = None,
    length_bytes: int | None = None,
) -> bytes:
    """A frame of a client (section 5.2).

    Args:
        mask: None for a frame without one.
        reserved: the three reserved bits, 0 to 7.
        length: what it says of its length, if that is not true.
        length_bytes: how that is written if not in the shortest form: in 2 or 8 more bytes.
    """
    length = len(payload) if length is None else length
    if length_bytes is None:
        length_bytes = 0 if length <= 125 else 2 if length <= 0xFFFF else 8
    short = {0: length, 2: 126, 8: 127}[length_bytes]
    header = bytes([fin << 7 | reserved << 4 | opcode, (mask is not None) << 7 | short])
    header += length.to_bytes(length_bytes, "big") if length_bytes else b""
    if mask is None:
        return header + payload
    return header + mask + bytes(map(xor, payload, cycle(mask)))


def close_payload(code: int, reason: bytes = b"") -> bytes:
    """What stands in a close frame (section 5.5.1)."""
    return code.to_bytes(2, "big") + reason


def opened(*, max_message_bytes: int = 1024 * 1024) -> Connection:
    """A connection after its handshake, which has been sent."""
    connection = Connection(max_message_bytes=max_message_bytes)
    connection.receive_data(REQUEST)
    connection.next_event()
    connection.accept()
    connection.data_to_send()
    return connection


def read(stream: bytes, *, max_message_bytes: int = 1024 * 1024) -> tuple[list[Event], bytes]:
    """The events of a stream that goes on, and what they are answered with."""
    connection = opened(max_message_bytes=max_message_bytes)
    connection.receive_data(stream)
    return events_of(connection), connection.data_to_send()


def told(code: int, reason: str = "") -> Closed:
    """The end of a connection whose client broke the protocol, and was told so."""
    return Closed(code, reason, broken=True)


def events_of(connection: Connection) -> list[Event]:
    """All there are now."""
    events = []
    while event := connection.next_event():
        events.append(event)
    return events


class Spoken(NamedTuple):
    """A conversation, frame by frame, and what is to be read from it."""

    frames: list[bytes]
    events: list[Event]


def _bytes(random: Random) -> bytes:
    return random.randbytes(random.choice((0, 1, 3, 4, 5, 20, 125, 126, 127, 200)))


def _text(random: Random) -> str:
    characters = "a\x00\x7f\x80éߟ\u0800\ud7ff\ue000中\uffff😀\U0010ffff"
    return "".join(random.choices(characters, k=random.choice((0, 1, 2, 3, 8, 40))))


def _close(random: Random) -> tuple[bytes, Closed]:
    if random.random() < 0.2:
        return b"", Closed(1005, "")
    code = random.choice((1000, 1001, 1002, 1003, *range(1007, 1014), 3000, 3999, 4000, 4999))
    reason = random.choice(("", "bye", "“à bientôt”"))
    return close_payload(code, reason.encode()), Closed(code, reason)


def _pieces(random: Random, data: bytes) -> list[bytes]:
    """Cut at up to three places, which may be one and the same."""
    places = sorted(random.choices(range(len(data) + 1), k=random.choice((0, 0, 1, 2, 3))))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _spoken(random: Random) -> Spoken:
    """Messages in fragments, control frames anywhere between these, and usually a close frame."""
    parts: list[tuple[bytes, Event | None]] = []

    def add(
        opcode: int, payload: bytes, event: Event | None, *, fin: bool = True
    ) -> tuple[bytes, Event | None]:
        return frame(opcode, payload, fin=fin, mask=random.randbytes(4)), event

    for _ in range(random.randrange(4)):
        text = _text(random) if random.random() < 0.6 else None
        data = text.encode() if text is not None else _bytes(random)
        *first, last = _pieces(random, data)
        opcode = BINARY if text is None else TEXT
        for piece in first:
            parts.append(add(opcode, piece, None, fin=False))
            opcode = CONTINUATION
        parts.append(add(opcode, last, Binary(data) if text is None else Text(text)))
    for _ in range(random.randrange(4)):
        data = _bytes(random)[:125]
        control = add(PING, data, Ping(data)) if random.random() < 0.5 else add(PONG, data, Pong(data))
        parts.insert(random.randint(0, len(parts)), control)
    if random.random() < 0.8:
        parts.append(add(CLOSE, *_close(random)))
    else:
        parts.append((b"", Closed(1006, "")))
    return Spoken([data for data, _ in parts], [event for _, event in parts if event is not None])


def _mutated(random: Random) -> bytes:
    """What is spoken well, with a few mistakes: every other one where a frame begins."""
    frames = _spoken(random).frames
    data = bytearray(b"".join(frames))
    for _ in range(random.randint(1, 3)):
        if not data:
            break
        at = random.randrange(len(data))
        if random.random() < 0.5:
            at = min(at, sum(map(len, frames[: random.randrange(len(frames))])) + random.randrange(2))
        match random.randrange(5):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data.insert(at, random.randrange(256))
            case 2:
                del data[at]
            case 3:
                other = random.randrange(len(data))
                data[at], data[other] = data[other], data[at]
            case _:
                del data[at:]
    return bytes(data)


def _odd_frame(random: Random) -> bytes:
    """Any of its parts may be wrong."""
    payload = random.choice(
        (_bytes, lambda random: _text(random).encode(), lambda random: _close(random)[0])
    )(random)

    def seldom() -> bool:
        return random.random() < 0.08

    opcode = random.randrange(16) if seldom() else random.choice((0, 0, 1, 1, 2, 8, 9, 10))
    longest = seldom() and seldom()
    return frame(
        opcode,
        payload if opcode < CLOSE or seldom() else payload[:125],
        fin=random.random() < 0.6 or (opcode >= CLOSE and not seldom()),
        mask=None if seldom() else random.randbytes(4),
        reserved=random.randrange(8) if seldom() else 0,
        length=random.choice((2**63, 2**64 - 1, 2**63 - 1, len(payload) + 1)) if longest else None,
        length_bytes=8 if longest else random.choice((2, 8)) if seldom() else None,
    )


def _odd(random: Random) -> bytes:
    return b"".join(_odd_frame(random) for _ in range(random.randint(1, 6)))


randoms = st.integers(0, 2**64).map(Random)
"""Quick to draw from; the seed is what is generated."""
spoken = randoms.map(_spoken)
"""Conversations by the rules. The codes of close frames are those that every library knows."""
broken = randoms.map(_mutated) | randoms.map(_odd)
"""Bytes that were meant for a conversation."""


def cuts(stream: bytes, random: Random) -> Iterable[list[bytes]]:
    """The ways a stream may arrive: whole, in single bytes, cut anywhere."""
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    places = sorted(random.choices(range(len(stream) + 1), k=5))
    yield [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]

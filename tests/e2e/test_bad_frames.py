"""Frames and bytes that no proper client sends, to ``serve``. The `exposed` server must log no error."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from tests.e2e.channels import Channels
from tests.e2e.listener import Listener, emit, eventually, listening, member_ids
from tests.e2e.rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, RawSocket, frame, handshake
from tests.e2e.servers import Server

UPDATE = b'{"type":"PRESENCE","payload":{"n":1}}'
SEED = 20_240_229


async def opened(server: Server, channel: str) -> RawSocket:
    raw = await RawSocket.open(server, channel)
    assert (await raw.message())["type"] == "CONNECTED"
    return raw


async def error_code(raw: RawSocket) -> str:
    message = await raw.message()
    assert message["type"] == "ERROR", message
    code: str = message["payload"]["code"]
    return code


async def assert_goes_on(raw: RawSocket) -> None:
    """The connection still takes and sends messages."""
    await raw.send(frame(UPDATE))
    assert (await raw.message())["type"] == "PRESENCE:UPDATED"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"\xff\xfe"), 1007),
        (frame(b'{"type":"\xc3'), 1007),
        (frame(b"\xc3", fin=False) + frame(b"\x28", CONTINUATION), 1007),
        (frame(b"\xed\xa0\x80"), 1007),  # a surrogate
        (frame(b"x" * 300_000), 1009),
        (frame(b"", length=1 << 40), 1009),
        (frame(b"", length=(1 << 63) - 1), 1009),
        (frame(b"x" * 200_000, fin=False) + frame(b"x" * 200_000, CONTINUATION), 1009),
        (frame(UPDATE, masked=False), 1002),
        *[(frame(UPDATE, reserved=bits), 1002) for bits in (1, 2, 4, 7)],
        *[(frame(b"", opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
        (frame(b"x", CONTINUATION), 1002),
        (frame(UPDATE, fin=False) + frame(UPDATE), 1002),
        (frame(b"x" * 126, PING), 1002),
        (frame(b"x", PING, fin=False), 1002),
        (frame(b"\x03", CLOSE), 1002),
        (frame(b"\x03\xed", CLOSE), 1002),  # 1005 is never sent
        (frame(b"\x03\xe8\xff", CLOSE), 1007),
    ],
    # Masks are random, and with them the bytes.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
async def test_broken_frames_end_the_connection(
    exposed: Server, channels: Channels, data: bytes, code: int
) -> None:
    channel = channels()
    async with listening(exposed, channel) as other:
        async with await opened(exposed, channel) as raw:
            await other.next("PRESENCE:JOINED")
            await raw.send(data)
            assert await raw.close_code() == code
        await other.next("PRESENCE:LEFT")


async def test_what_is_too_large_for_the_protocol_is_answered(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        for size in (64 * 1024 + 1, 100_000, 255_000):
            await raw.send(frame(b"x" * size))
            assert await error_code(raw) == "TOO_LARGE"
        # Fewer characters than bytes: measured in bytes.
        await raw.send(frame(b'{"type":"PONG","x":"' + "ü".encode() * 40_000 + b'"}'))
        assert await error_code(raw) == "TOO_LARGE"
        await raw.send(frame(b'{"type":"PONG","x":"' + b"x" * 60_000 + b'"}'))
        await assert_goes_on(raw)


async def test_binary_and_empty_frames_are_answered(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        for data in (frame(UPDATE, BINARY), frame(b"", BINARY), frame(b"")):
            await raw.send(data)
            assert await error_code(raw) == "MALFORMED"
        await assert_goes_on(raw)


async def test_a_fragmented_message_is_one_message(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        text = '{"type":"PRESENCE","payload":{"name":"Zoë →"}}'.encode()
        # Cut everywhere, inside characters too, with a ping between the fragments.
        await raw.send(frame(text[:1], fin=False) + frame(b"are you there", PING))
        assert await raw.receive() == (PONG, b"are you there")
        for byte in text[1:-1]:
            await raw.send(frame(bytes([byte]), CONTINUATION, fin=False))
        await raw.send(frame(text[-1:], CONTINUATION))
        updated = await raw.message()
        assert updated["payload"]["presence"] == {"name": "Zoë →"}
        # And one byte at a time, as a slow line delivers it.
        for byte in frame(UPDATE):
            await raw.send(bytes([byte]))
        assert (await raw.message())["payload"]["presence"] == {"n": 1}


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_leaving_in_the_middle_of_a_frame(exposed: Server, channels: Channels, how: str) -> None:
    channel = channels()
    async with listening(exposed, channel) as other:
        raw = await opened(exposed, channel)
        await other.next("PRESENCE:JOINED")
        await raw.send(frame(UPDATE)[:9])
        if how == "reset":
            raw.reset()
        await raw.close()
        await other.next("PRESENCE:LEFT")


async def test_flooding_is_refused_and_then_ended(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        await raw.send(frame(b'{"type":"ACK","payload":{"eventID":"evt_x"}}') * 150)
        assert await error_code(raw) == "RATE_LIMITED"
        assert await raw.close_code() == 1008


async def test_a_flood_of_pings_is_ended(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        await raw.send(frame(b"", PING) * 150)
        assert await raw.close_code() == 1008


async def test_a_flood_of_broken_messages_is_no_way_around(exposed: Server, channels: Channels) -> None:
    async with await opened(exposed, channels()) as raw:
        await raw.send(frame(b"{") * 150)
        codes = [await error_code(raw) for _ in range(101)]
        assert codes == ["MALFORMED"] * 100 + ["RATE_LIMITED"]
        assert await raw.close_code() == 1008


def random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice([1, 2, 3, 8, 40, 300]))


VALID = [
    b'{"type":"ACK","payload":{"eventID":"evt_gPVZZQC5"}}',
    b'{"type":"PONG"}',
    b'{"type":"PONG",}',
    b'{"type":"PRESENCE","payload":{"username":"Cerulean","n":[1,2.5,null,true]}}',
    '{"type":"presence","payload":{"ü":"→\\u00e9","deep":[[[{"a":{}}]]]}}'.encode(),
]


def mutated(rng: random.Random) -> bytes:
    """A valid message with a few bytes changed, dropped, doubled or put elsewhere."""
    data = bytearray(rng.choice(VALID))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at:at] = rng.choice(
                    [b'"', b"{", b"}", b"[", b"\\", b"\x00", b"1e999", b"NaN", b"\\ud800"]
                )
            case 1:
                del data[at : at + rng.randint(1, 5)]
            case 2 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 3:
                data[at:at] = data[: rng.randrange(len(data) + 1)]
            case _:
                data = data[at:] + data[:at]
        data = data[:60_000] or bytearray(b" ")
    return bytes(data)


async def storm(server: Server, channel: str, rng: random.Random, count: int) -> None:
    """`count` strings of random bytes, half of them as frames, and as many mutated messages."""
    for number in range(count):
        async with await RawSocket.open(server, channel) as raw:
            data = random_bytes(rng)
            await raw.send(frame(data) if number % 2 else data)
            if number % 10 == 0:
                # Wait for what becomes of it: a close frame, or nothing while the server wants more.
                await raw.send(frame(b"\x03\xe8", CLOSE))
                raw.end()
                await raw.close_code()
            elif number % 3:
                raw.reset()
    sent = 0
    while sent < count:
        async with await RawSocket.open(server, channel) as raw:
            for _ in range(min(90, count - sent)):
                await raw.send(frame(mutated(rng)))
                sent += 1
            await raw.send(frame(b"\x03\xe8", CLOSE))
            assert await raw.close_code() in (1000, 1007)


async def test_a_storm_of_nonsense_leaves_nothing_behind(exposed: Server, channels: Channels) -> None:
    rng = random.Random(SEED)
    channel = channels()
    async with listening(exposed, channels()) as bystander:
        await storm(exposed, channel, rng, 200)
        warm_bytes = exposed.rss_bytes()
        await storm(exposed, channel, rng, 1000)
        await eventually(lambda: nobody(exposed, channel), what="everyone's leaving")
        grown_bytes = exposed.rss_bytes() - warm_bytes
        assert abs(grown_bytes) < 10_000_000, grown_bytes
        await assert_hears(exposed, bystander)
    assert exposed.problems() == []


async def nobody(server: Server, channel: str) -> bool:
    return await member_ids(server, channel) == set()


async def assert_hears(server: Server, listener: Listener) -> None:
    await listener.send("PRESENCE", {"still": "here"})
    assert (await listener.next("PRESENCE:UPDATED"))["payload"]["presence"] == {"still": "here"}


async def test_nonsense_at_the_http_door(exposed: Server) -> None:
    rng = random.Random(SEED)
    for number in range(200):
        async with await RawSocket.dial(exposed) as raw:
            start = rng.choice([b"", b"GET / HTTP/1.1\r\n", b"POST /c/emit HTTP/1.1\r\nHost: x\r\n"])
            await raw.send(start + random_bytes(rng) + rng.choice([b"", b"\r\n\r\n"]))
            if number % 2:
                raw.reset()
    upgrade = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    for request in (
        "POST /c/emit HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /c/emit HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"GET /c/listen HTTP/1.1\r\n{upgrade}\r\n",
        f"GET /c/listen HTTP/1.1\r\n{upgrade}Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n",
        f"GET /c/listen HTTP/1.1\r\n{upgrade}{key}Sec-WebSocket-Version: 99\r\n\r\n",
        f"POST /c/listen HTTP/1.1\r\n{upgrade}{key}Sec-WebSocket-Version: 13\r\n\r\n",
    ):
        async with await RawSocket.dial(exposed) as raw:
            await raw.send(request.encode())
            assert await raw.head() in (400, 405, 426, 0)
    # A body that never comes to its end is the client's own affair.
    async with await RawSocket.dial(exposed) as raw:
        await raw.send(b"POST /c/emit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    answer = await emit(exposed, "c", json.loads('{"still": "here"}'))
    assert answer["success"] is True
    assert exposed.problems() == []


async def test_many_leave_at_the_same_moment(exposed: Server, channels: Channels) -> None:
    channel = channels()
    before = exposed.metric("foyer_connections", app="broadcast")
    crowd = [await RawSocket.open(exposed, channel) for _ in range(200)]
    await asyncio.gather(*(raw.message() for raw in crowd))
    await eventually(
        lambda: exposed.metric("foyer_connections", app="broadcast") == before + 200, what="200 more"
    )
    for raw in crowd:
        raw.reset()
    await eventually(lambda: nobody(exposed, channel), what="everyone's leaving")
    await eventually(
        lambda: exposed.metric("foyer_connections", app="broadcast") == before, what="as many as before"
    )
    for raw in crowd:
        await raw.close()


async def test_vanishing_before_the_answer(exposed: Server, channels: Channels) -> None:
    channel = channels()
    for _ in range(100):
        async with await RawSocket.dial(exposed) as raw:
            await raw.send(handshake(exposed, channel))
            raw.reset()
    await eventually(lambda: nobody(exposed, channel), what="everyone's leaving")
    assert exposed.problems() == []

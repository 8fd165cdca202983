"""Messages on their way to an application that is in no hurry."""

import asyncio
import os

import pytest

from realtime.server.websocket import WebSocketProtocol
from tests.e2e.rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame
from tests.realtime.server.play import Event, Part, Stage, listen, soon

TEXTS = [f"message {number}" for number in range(50)]
PACKET = b"".join(frame(text.encode()) for text in TEXTS)
LEAVING = (4001).to_bytes(2, "big") + b"bye"


async def slow(part: Part, event: Event) -> None:
    """Let others go first, a different number of times for each."""
    for _ in range(len(part.heard) % 4):
        await asyncio.sleep(0)


async def test_messages_of_one_packet_come_in_order_and_one_at_a_time(stage: Stage) -> None:
    stage.play.acting = slow
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET)
        await soon(lambda: len(part.heard) == len(TEXTS), what="every message")
    assert part.texts == TEXTS
    assert part.most_at_once == 1


async def test_messages_of_many_packets_come_in_order_and_one_at_a_time(stage: Stage) -> None:
    stage.play.acting = slow
    raw, part = await stage.open()
    async with raw:
        for at in range(0, len(PACKET), 7):
            await raw.send(PACKET[at : at + 7])
            await asyncio.sleep(0)
        await soon(lambda: len(part.heard) == len(TEXTS), what="every message")
    assert part.texts == TEXTS
    assert part.most_at_once == 1


@pytest.mark.parametrize("how", ["close frame", "end", "reset"])
async def test_what_was_said_before_leaving_is_handled_before_the_end(stage: Stage, how: str) -> None:
    gate = asyncio.Event()

    async def behind(part: Part, event: Event) -> None:
        await gate.wait()

    stage.play.acting = behind
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET + (frame(LEAVING, CLOSE) if how == "close frame" else b""))
        await soon(lambda: part.heard, what="the first message")
        if how == "end":
            raw.end()
        elif how == "reset":
            # What it had sent must be there first: a reset has the kernel forget that.
            await soon(lambda: part.frames._connection.unread_bytes, what="the rest")
            raw.reset()
            await raw.close()
        gate.set()
        await stage.quiet()
    assert part.texts == TEXTS
    assert part.endings == [4001 if how == "close frame" else 1006]
    assert part.ended
    assert part.most_at_once == 1


async def test_what_comes_after_our_close_is_not_handled(stage: Stage) -> None:
    async def close(part: Part, event: Event) -> None:
        if not part.ended:
            await part.close(4003, "enough")

    stage.play.acting = close
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET)
        assert await raw.close_code() == 4003
        await stage.quiet()
    assert part.texts == TEXTS[:1]
    assert part.endings == [4003]


async def test_text_and_bytes_whole_and_in_fragments_come_whole(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    text, data = "Zoë → 漢字 😀 " * 2_000, os.urandom(100_000)
    async with raw:
        await raw.send(frame(text.encode()) + frame(data, BINARY))
        await raw.send(frame(text.encode()[:5], TEXT, fin=False) + frame(b"there?", PING))
        await raw.send(frame(text.encode()[5:], CONTINUATION) + frame(b"") + frame(b"", BINARY))
        assert await raw.receive() == (PONG, b"there?")
        await soon(lambda: len(part.heard) == 5, what="every message")
    received = [{"text": text}, {"bytes": data}, {"text": text}, {"text": ""}, {"bytes": b""}]
    assert part.heard[:5] == [{"type": "websocket.receive", **message} for message in received]


MESSAGES = 320
LENGTH = 65_000  # 20 MB in all


async def test_reading_stops_while_the_application_is_behind(stage: Stage) -> None:
    gate = asyncio.Event()

    async def behind(part: Part, event: Event) -> None:
        await gate.wait()

    stage.play.acting = behind
    raw, part = await stage.open()
    async with raw:
        data = b"".join(frame(b"%d " % number + bytes(LENGTH)) for number in range(MESSAGES))
        sent = await as_much_as_is_taken(raw, data)
        # The kernel's buffers hold it all.
        assert sent < len(data)
        protocol = part.frames
        assert isinstance(protocol, WebSocketProtocol)
        assert protocol._connection.unread_bytes < 1_000_000
        assert len(part.heard) == 1
        gate.set()
        await raw.send(data[sent:])
        await soon(lambda: len(part.heard) == MESSAGES, what="every message")
    assert [int(text.split(" ")[0]) for text in part.texts] == list(range(MESSAGES))


async def as_much_as_is_taken(raw: RawSocket, data: bytes) -> int:
    """Write until the server takes no more, however often it is given the chance; gives how much it took."""
    socket = raw.writer.get_extra_info("socket").fileno()
    sent = refused = 0
    while sent < len(data) and refused < 200:
        try:
            sent += os.write(socket, data[sent : sent + 1_000_000])
            refused = 0
        except BlockingIOError:
            refused += 1
            await asyncio.sleep(0)
    return sent

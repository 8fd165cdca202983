"""However a connection ends, its application hears of it once, last of all."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.e2e.rawsocket import CLOSE, PING, RawSocket, frame, handshake
from tests.realtime.server.play import Event, Part, Stage, accept, complaints, listen, soon

Way = Callable[[Stage, Part, RawSocket], Awaitable[None]]


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(code.to_bytes(2, "big") + reason.encode(), CLOSE)


async def client_closes(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(close_frame(4001, "bye"))
    assert await raw.receive() == (CLOSE, (4001).to_bytes(2, "big"))
    assert await raw.receive() is None


async def client_closes_without_a_code(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(frame(b"", CLOSE))
    assert await raw.receive() == (CLOSE, b"")


async def client_closes_twice_and_goes_on(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(close_frame(4001) + close_frame(4002) + frame(b"one more thing") + frame(b"", PING))
    assert await raw.receive() == (CLOSE, (4001).to_bytes(2, "big"))


async def client_is_lost(stage: Stage, part: Part, raw: RawSocket) -> None:
    raw.reset()
    await raw.close()


async def client_says_no_more(stage: Stage, part: Part, raw: RawSocket) -> None:
    raw.end()
    assert await raw.receive() is None


async def client_is_lost_within_a_frame(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(frame(b"not all of it")[:9])
    await soon(lambda: part.frames._connection.unread_bytes, what="half a frame")
    await client_is_lost(stage, part, raw)


async def client_breaks_the_protocol(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(frame(b"no mask", masked=False))
    assert await raw.close_code() == 1002


async def client_closes_and_is_lost(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(close_frame(4001))
    await client_is_lost(stage, part, raw)


async def we_close(stage: Stage, part: Part, raw: RawSocket) -> None:
    await part.close(4003, "why")
    assert await raw.close_code() == 4003


async def we_close_and_are_not_answered(stage: Stage, part: Part, raw: RawSocket) -> None:
    await part.close(4003)
    assert await raw.receive() == (CLOSE, (4003).to_bytes(2, "big"))
    assert await raw.receive() is None


async def we_close_and_the_client_is_lost(stage: Stage, part: Part, raw: RawSocket) -> None:
    await part.close(4003)
    await client_is_lost(stage, part, raw)


async def both_close_at_once(stage: Stage, part: Part, raw: RawSocket) -> None:
    await raw.send(close_frame(4001))
    await part.close(4003)
    assert await raw.receive() == (CLOSE, (4003).to_bytes(2, "big"))
    assert await raw.receive() is None


async def we_close_and_the_answer_is_broken(stage: Stage, part: Part, raw: RawSocket) -> None:
    await part.close(4003)
    await raw.send(frame(b"\x00", CLOSE))
    assert await raw.receive() == (CLOSE, (4003).to_bytes(2, "big"))
    assert await raw.receive() is None


async def we_close_and_it_goes_on(stage: Stage, part: Part, raw: RawSocket) -> None:
    await part.close(4003)
    await raw.send(frame(bytes(60_000)) * 100)
    assert await raw.receive() == (CLOSE, (4003).to_bytes(2, "big"))
    assert await raw.receive() is None


# Which codes it may be told.
WAYS: dict[Way, set[int]] = {
    client_closes: {4001},
    client_closes_without_a_code: {1005},
    client_closes_twice_and_goes_on: {4001},
    client_is_lost: {1006},
    client_says_no_more: {1006},
    client_is_lost_within_a_frame: {1006},
    client_breaks_the_protocol: {1002},
    # A reset may come before what was sent before it.
    client_closes_and_is_lost: {4001, 1006},
    we_close: {4003},
    we_close_and_are_not_answered: {4003},
    we_close_and_the_client_is_lost: {4003},
    both_close_at_once: {4003},
    we_close_and_the_answer_is_broken: {4003},
    we_close_and_it_goes_on: {4003},
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_the_end_is_told_once(stage: Stage, way: Way, caplog: pytest.LogCaptureFixture) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    async with raw:
        await way(stage, part, raw)
        await stage.quiet()
    assert len(part.heard) == 1
    assert part.endings[0] in WAYS[way]
    assert not complaints(caplog)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_the_end_is_told_once_while_a_message_is_handled(
    stage: Stage, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    """And after it: the application hears one thing at a time."""
    gate = asyncio.Event()

    async def hold(part: Part, event: Event) -> None:
        if not part.ended:
            await gate.wait()

    stage.play.acting = hold
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"a long story"))
        await soon(lambda: part.heard, what="the message")
        await way(stage, part, raw)
        assert part.endings == []
        gate.set()
        await stage.quiet()
    assert part.texts == ["a long story"]
    assert len(part.endings) == 1
    # The first that is known of it is what counts.
    assert part.endings[0] in WAYS[way]
    assert part.most_at_once == 1
    assert not complaints(caplog)


@pytest.mark.parametrize("messages", [0, 1, 3])
async def test_a_client_that_is_lost_while_it_is_let_in(stage: Stage, messages: int) -> None:
    gate = asyncio.Event()

    async def opening(part: Part) -> None:
        await accept(part)
        await gate.wait()

    stage.play.opening, stage.play.acting = opening, listen
    raw, part = await stage.open()
    await raw.send(frame(b"hello") * messages)
    if messages:
        await soon(lambda: part.frames._message, what="a message")
    raw.reset()
    await raw.close()
    if messages < 2:
        await soon(lambda: part.frames.gone, what="the loss")
    gate.set()
    await stage.quiet()
    assert part.texts == ["hello"] * messages
    assert part.endings == [1006]


async def test_a_client_that_is_lost_before_it_is_let_in(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()
    errors: list[OSError] = []

    async def opening(part: Part) -> None:
        await gate.wait()
        try:
            await accept(part)
        except OSError as error:
            errors.append(error)

    stage.play.opening = opening
    raw = await stage.dial()
    await raw.send(handshake(stage, "x"))
    part = await stage.part()
    raw.reset()
    await raw.close()
    await soon(lambda: part.frames.gone, what="the loss")
    gate.set()
    await stage.quiet()
    assert len(errors) == 1
    assert part.endings == [1006]
    assert not complaints(caplog)

"""What an application sends by the standard events, and that it waits for a client that does not read."""

import asyncio
import contextlib

import pytest

from tests.e2e.rawsocket import BINARY, CLOSE, TEXT, RawSocket, frame
from tests.realtime.server.play import PATIENCE_S, STANDARD, Event, Part, Stage, listen, soon

pytestmark = STANDARD

PAYLOAD = bytes(60_000)
COUNT = 100


async def test_text_and_bytes(stage: Stage) -> None:
    raw, part = await stage.open()
    async with raw:
        text = "Zoë → 漢字 😀 " * 5_000
        await part.send({"type": "websocket.send", "text": text})
        await part.send({"type": "websocket.send", "bytes": PAYLOAD, "text": None})
        await part.send({"type": "websocket.send", "text": "", "bytes": None})
        await part.send({"type": "websocket.send", "bytes": b""})
        await part.send({"type": "websocket.close", "code": 4003, "reason": "why"})
        received = [await raw.receive() for _ in range(5)]
    assert received == [
        (TEXT, text.encode()),
        (BINARY, PAYLOAD),
        (TEXT, b""),
        (BINARY, b""),
        (CLOSE, (4003).to_bytes(2, "big") + b"why"),
    ]


@pytest.mark.parametrize("close", [{}, {"code": None, "reason": None}, {"code": 1000}])
async def test_closing_without_a_code_is_1000(stage: Stage, close: Event) -> None:
    raw, part = await stage.open()
    async with raw:
        await part.send({"type": "websocket.close", **close})
        assert await raw.close_code() == 1000


async def sending(part: Part) -> None:
    """Send far more than the kernel takes for a client that does not read."""
    for _ in range(COUNT):
        await part.send({"type": "websocket.send", "bytes": PAYLOAD})


async def stalled(stage: Stage) -> tuple[RawSocket, Part, asyncio.Task[None]]:
    """A client that does not read, and an application that waits for it."""
    raw, part = await stage.open(receive_buffer_bytes=4096)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    task = asyncio.create_task(sending(part))
    await soon(lambda: not part.frames.reading, what="the client's being behind")
    return raw, part, task


async def test_sending_waits_for_a_client_that_does_not_read_and_goes_on_when_it_does(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part, task = await stalled(stage)
    async with raw:
        # One frame above the mark, and no more of them however long it takes.
        for _ in range(100):
            await asyncio.sleep(0)
        assert part.frames.transport.get_write_buffer_size() < 64 * 1024 + 2 * len(PAYLOAD)
        assert not task.done()
        await taken(raw)
        await asyncio.wait_for(task, PATIENCE_S)


async def taken(raw: RawSocket) -> None:
    """Have the client read after all."""
    raw.writer.transport.resume_reading()  # type: ignore[attr-defined]
    for _ in range(COUNT):
        assert await raw.receive() == (BINARY, PAYLOAD)


async def test_an_application_that_waits_to_send_hears_what_the_client_says(stage: Stage) -> None:
    """One task sends, another one receives."""
    stage.play.acting = listen
    raw, part, task = await stalled(stage)
    async with raw:
        await raw.send(frame(b"one"))
        await soon(lambda: part.texts == ["one"], what="the first message")
        await taken(raw)
        await asyncio.wait_for(task, PATIENCE_S)
        await raw.send(frame(b"two"))
        await soon(lambda: part.texts == ["one", "two"], what="the second message")


async def test_two_tasks_that_wait_to_send_both_go_on(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part, task = await stalled(stage)
    async with raw:
        second = asyncio.create_task(sending(part))
        await asyncio.sleep(0)
        await taken(raw)
        await taken(raw)
        await asyncio.wait_for(asyncio.gather(task, second), PATIENCE_S)


@pytest.mark.parametrize("messages", [0, 1, 3])
async def test_losing_the_client_ends_the_wait_to_send(stage: Stage, messages: int) -> None:
    """Also if it had something to say that the application, which waits, has not taken."""

    async def send(part: Part, event: Event) -> None:
        if not part.ended:
            with contextlib.suppress(OSError):
                await sending(part)

    stage.play.acting = send
    raw, part = await stage.open(receive_buffer_bytes=4096)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await raw.send(frame(b"go on") + frame(b"hello") * messages)
    await soon(lambda: not part.frames.reading, what="the client's being behind")
    raw.reset()
    await raw.close()
    await stage.quiet()
    assert part.texts == ["go on"] + ["hello"] * messages
    assert part.endings == [1006]


async def test_sending_to_a_client_that_left_is_an_oserror(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    await raw.close()
    await stage.quiet()
    for event in ({"type": "websocket.send", "text": "late"}, {"type": "websocket.close"}):
        with pytest.raises(OSError):  # noqa: PT011 (it has no message)
            await part.send(event)


async def test_sending_after_closing_is_an_oserror(stage: Stage) -> None:
    raw, part = await stage.open()
    async with raw:
        await part.close(1000)
        with pytest.raises(OSError):  # noqa: PT011 (it has no message)
            await part.send({"type": "websocket.send", "text": "late"})
        assert await raw.close_code() == 1000


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.http.response.start", "http.response.body"])
async def test_what_cannot_be_said_to_an_open_connection_changes_nothing(stage: Stage, kind: str) -> None:
    raw, part = await stage.open()
    async with raw:
        with pytest.raises(RuntimeError, match=kind):
            await part.send({"type": kind})
        await raw.send(frame(b"still here"))
        assert await raw.receive() == (TEXT, b"still here")

"""The server stops: whoever is connected is told, wherever the connection is, and nobody holds it up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.rawsocket import CLOSE, frame, handshake
from tests.realtime.server.play import PATIENCE_S, Event, Part, Stage, accept, complaints, listen, soon


@asynccontextmanager
async def stopping(stage: Stage) -> AsyncIterator[None]:
    """The server is told to stop. When this is left it has stopped, with every connection ended."""
    stopped = asyncio.create_task(stage.server.shutdown())
    try:
        yield
        await asyncio.wait_for(stopped, PATIENCE_S)
    finally:
        stopped.cancel()


async def test_a_client_is_told_to_come_back(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    async with raw, stopping(stage):
        assert await raw.close_code() == 1012
    assert part.endings == [1012]


async def test_a_client_that_does_not_answer_is_cut(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    async with raw, stopping(stage):
        assert await raw.receive() == (CLOSE, (1012).to_bytes(2, "big"))
        assert await raw.receive() is None
    assert part.endings == [1012]


async def test_a_message_that_is_handled_is_handled_to_its_end(stage: Stage) -> None:
    gate = asyncio.Event()

    async def hold(part: Part, event: Event) -> None:
        if not part.ended:
            await gate.wait()

    stage.play.acting = hold
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"two"))
        await soon(lambda: part.heard, what="the message")
        async with stopping(stage):
            assert await raw.close_code() == 1012
            assert part.at_once == 1
            gate.set()
    assert part.texts == ["one"]
    assert part.endings == [1012]


async def test_a_handshake_that_is_not_answered_is_a_503(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()
    late: list[OSError] = []

    async def opening(part: Part) -> None:
        await gate.wait()
        try:
            await accept(part)
        except OSError as error:
            late.append(error)

    stage.play.opening, stage.play.acting = opening, listen
    async with await stage.dial() as raw:
        await raw.send(handshake(stage, "x"))  # type: ignore[arg-type]
        part = await stage.part()
        async with stopping(stage):
            assert await raw.head() == 503
            gate.set()
    assert len(late) == 1
    assert part.endings == [1006]
    assert not complaints(caplog)


@pytest.mark.parametrize("sent", [0, 20])
async def test_a_handshake_that_has_not_come_is_not_waited_for(stage: Stage, sent: int) -> None:
    async with await stage.dial() as raw:
        await raw.send(handshake(stage, "x")[:sent])  # type: ignore[arg-type]
        await soon(lambda: stage.server.server_state.connections, what="the connection")
        async with stopping(stage):
            assert await raw.ended() == b""


async def test_a_client_that_we_have_closed_is_told_nothing_else(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    async with raw:
        await part.close(4003)
        async with stopping(stage):
            assert await raw.receive() == (CLOSE, (4003).to_bytes(2, "big"))
            assert await raw.receive() is None
    assert part.endings == [4003]


async def test_a_client_that_broke_the_protocol_is_told_nothing_else(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"", masked=False))
        await soon(lambda: part.ended, what="the end")
        async with stopping(stage):
            # It does not hang up by itself.
            assert await raw.receive() == (CLOSE, (1002).to_bytes(2, "big") + b"a frame is not masked")
            assert await raw.receive() is None
    assert part.endings == [1002]


async def test_a_client_that_reads_nothing_is_cut(stage: Stage) -> None:
    stage.play.acting = listen
    raw, part = await stage.open(receive_buffer_bytes=4096)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    async with raw:
        async with asyncio.timeout(PATIENCE_S):
            while part.frames.reading:
                part.frames.write(bytes(60_000))
                await asyncio.sleep(0)
        async with stopping(stage):
            pass
    assert part.endings == [1012]


async def test_an_application_that_does_not_end_is_cancelled(stage: Stage) -> None:
    """And one that is driven hears of the end all the same."""
    stage.server.config.timeout_graceful_shutdown = 0  # s

    async def hold(part: Part, event: Event) -> None:
        if not part.ended:
            await asyncio.Event().wait()

    stage.play.acting = hold
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one"))
        await soon(lambda: part.heard, what="the message")
        async with stopping(stage):
            assert await raw.close_code() == 1012
        await stage.quiet()
    assert part.endings == ([1012] if stage.play.driven else [])

"""Clients that hold a connection in a state which no proper client leaves it in."""

import asyncio

from realtime.server import websocket
from tests.e2e.rawsocket import CLOSE, PING, RawSocket, frame
from tests.realtime.server.play import PATIENCE_S, Part, Stage, listen, soon


async def fill(part: Part) -> None:
    """Write until the client is behind."""
    async with asyncio.timeout(PATIENCE_S):
        while part.frames.reading:
            part.frames.write(bytes(60_000))
            await asyncio.sleep(0)


async def deaf(stage: Stage) -> tuple[RawSocket, Part]:
    """A client that reads nothing, and has been sent more than its kernel takes."""
    stage.play.acting = listen
    raw, part = await stage.open(receive_buffer_bytes=4096)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await fill(part)
    return raw, part


async def test_a_client_that_says_no_more_and_reads_nothing_is_cut(stage: Stage) -> None:
    """What it has yet to take would keep the socket, and the application, for ever."""
    raw, part = await deaf(stage)
    raw.end()
    await stage.quiet()
    assert part.endings == [1006]
    await raw.close()


async def test_a_client_that_closes_and_reads_nothing_is_cut(stage: Stage) -> None:
    raw, part = await deaf(stage)
    await raw.send(frame((1000).to_bytes(2, "big"), CLOSE))
    await stage.quiet()
    assert part.endings == [1000]
    await raw.close()


async def test_a_client_that_breaks_the_protocol_and_reads_nothing_is_cut(stage: Stage) -> None:
    raw, part = await deaf(stage)
    await raw.send(frame(b"", masked=False))
    await stage.quiet()
    assert part.endings == [1002]
    await raw.close()


async def test_a_client_that_is_closed_and_reads_nothing_is_cut(stage: Stage) -> None:
    raw, part = await deaf(stage)
    part.frames.close(4410, "too slow")
    await stage.quiet()
    assert part.endings == [4410]
    await raw.close()


async def test_answers_to_pings_do_not_pile_up_for_a_client_that_reads_nothing(stage: Stage) -> None:
    raw, part = await deaf(stage)
    held = part.frames.transport.get_write_buffer_size()
    await raw.send(frame(bytes(125), PING) * (websocket.CONTROL_BURST - 1) + frame(b"hello"))
    await soon(lambda: part.heard, what="what came after the pings")
    assert part.frames.transport.get_write_buffer_size() <= held
    raw.reset()
    await raw.close()

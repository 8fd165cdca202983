"""Applications that fail: the client and the log are told, and a driven one hears of the end."""

import asyncio

import pytest

from tests.e2e.rawsocket import CLOSE, frame
from tests.realtime.server.play import STANDARD, Event, Part, Stage, complaints, soon


async def test_an_application_that_fails_closes_with_1011(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(part: Part, event: Event) -> None:
        if not part.ended:
            raise LookupError("a bug")

    stage.play.acting = fail
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"two"))
        assert await raw.close_code() == 1011
        await stage.quiet()
    assert part.texts == ["one"]
    # One that was called has left; one that is driven hears of it like of any other end.
    assert part.endings == ([1011] if stage.play.driven else [])
    assert caplog.text.count("LookupError: a bug") == 1


async def test_an_application_that_fails_when_the_client_is_lost_hears_of_that(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()

    async def fail(part: Part, event: Event) -> None:
        if not part.ended:
            await gate.wait()
            raise LookupError("a bug")

    stage.play.acting = fail
    raw, part = await stage.open()
    await raw.send(frame(b"one"))
    await soon(lambda: part.heard, what="the message")
    raw.reset()
    await raw.close()
    await soon(lambda: part.frames.gone, what="the loss")
    gate.set()
    await stage.quiet()
    assert part.endings == ([1006] if stage.play.driven else [])
    assert caplog.text.count("LookupError: a bug") == 1


async def test_an_application_that_fails_at_the_end_is_not_told_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(part: Part, event: Event) -> None:
        raise LookupError("a bug")

    stage.play.acting = fail
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame((4001).to_bytes(2, "big"), CLOSE))
        await stage.quiet()
    assert part.endings == [4001]
    assert caplog.text.count("LookupError: a bug") == 1


async def hold(part: Part, event: Event) -> None:
    if not part.ended:
        await asyncio.Event().wait()


async def test_an_application_that_is_cancelled_closes_with_1011(stage: Stage) -> None:
    stage.play.acting = hold
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"two"))
        await soon(lambda: part.heard, what="the message")
        cancel_all(stage)
        assert await raw.close_code() == 1011
        await stage.quiet()
    assert part.texts == ["one"]
    assert part.endings == ([1011] if stage.play.driven else [])


async def test_an_application_that_is_cancelled_when_the_client_is_lost_hears_of_that(stage: Stage) -> None:
    stage.play.acting = hold
    raw, part = await stage.open()
    await raw.send(frame(b"one"))
    await soon(lambda: part.heard, what="the message")
    raw.reset()
    await raw.close()
    await soon(lambda: part.frames.gone, what="the loss")
    cancel_all(stage)
    await stage.quiet()
    assert part.endings == ([1006] if stage.play.driven else [])


def cancel_all(stage: Stage) -> None:
    """As the server does when its patience ends."""
    for task in stage.server.server_state.tasks:
        task.cancel()


@STANDARD
async def test_an_application_that_returns_closes_with_1011(stage: Stage) -> None:
    async def leave(part: Part, event: Event) -> None:
        part.left = True

    stage.play.acting = leave
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"two"))
        assert await raw.close_code() == 1011
    assert part.texts == ["one"]


@STANDARD
async def test_a_client_that_left_is_no_error_of_the_application(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Most applications let the exception that says so pass."""
    gate = asyncio.Event()

    async def answer_late(part: Part, event: Event) -> None:
        await gate.wait()
        await part.say("late")

    stage.play.acting = answer_late
    raw, part = await stage.open()
    await raw.send(frame(b"one"))
    await soon(lambda: part.heard, what="the message")
    raw.reset()
    await raw.close()
    await soon(lambda: part.frames.gone, what="the loss")
    gate.set()
    await stage.quiet()
    assert not complaints(caplog)

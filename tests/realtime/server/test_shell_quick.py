"""Messages that a driven application deals with at once, among others that take their time."""

import asyncio

import pytest

from realtime.frames import text_frame
from tests.e2e.rawsocket import CLOSE, PING, PONG, TEXT, frame
from tests.realtime.server.play import Event, Part, Stage, complaints, soon

TEXTS = [f"message {number}" for number in range(1_000)]
PACKET = b"".join(frame(text.encode()) for text in TEXTS)

pytestmark = pytest.mark.parametrize("stage", [True], indirect=True, ids=["driven"])


def answer(part: Part, event: Event) -> bool:
    if event["type"] == "websocket.receive":
        part.frames.write(text_frame(event["text"].encode()))
        return True
    return False


async def test_no_task_is_made_for_them(stage: Stage) -> None:
    tasks = stage.server.server_state.tasks
    busy: list[int] = []

    def quick(part: Part, event: Event) -> bool:
        busy.append(len(tasks))
        return answer(part, event)

    stage.play.quick = quick
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET)
        assert [await raw.receive() for _ in TEXTS] == [(TEXT, text.encode()) for text in TEXTS]
    assert part.texts[: len(TEXTS)] == TEXTS
    assert set(busy) == {0}


async def test_those_that_take_time_keep_the_others_waiting(stage: Stage) -> None:
    done: list[str] = []

    def quick(part: Part, event: Event) -> bool:
        if event["type"] == "websocket.disconnect" or event["text"].endswith("0"):
            return False
        done.append(event["text"])
        return True

    async def slow(part: Part, event: Event) -> None:
        if not part.ended:
            for _ in range(len(part.heard) % 4):
                await asyncio.sleep(0)
            done.append(event["text"])

    stage.play.quick, stage.play.acting = quick, slow
    raw, _ = await stage.open()
    async with raw:
        for at in range(0, len(PACKET), 1_000):
            await raw.send(PACKET[at : at + 1_000])
            await asyncio.sleep(0)
        await soon(lambda: len(done) == len(TEXTS), what="every message")
    assert done == TEXTS


async def test_a_bug_closes_with_1011_and_is_followed_by_the_end_alone(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(part: Part, event: Event) -> bool:
        if not part.ended:
            raise LookupError("a bug")
        return True

    stage.play.quick = fail
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"two"))
        assert await raw.close_code() == 1011
        await stage.quiet()
    assert (part.texts, part.endings) == (["one"], [1011])
    assert len(complaints(caplog)) == 1
    assert caplog.text.count("LookupError: a bug") == 1


async def test_one_that_closes_while_it_is_handed_a_message_hears_the_end_after_it(stage: Stage) -> None:
    order: list[str] = []

    def close(part: Part, event: Event) -> bool:
        if part.ended:
            order.append("the end")
        else:
            order.append("begun")
            part.frames.close(4003, "enough")
            order.append("done")
        return True

    stage.play.quick = close
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET)
        assert await raw.close_code() == 4003
        await stage.quiet()
    assert order == ["begun", "done", "the end"]
    assert part.endings == [4003]


async def test_answers_and_pongs_go_out_together(stage: Stage) -> None:
    stage.play.quick = answer
    raw, _ = await stage.open()
    async with raw:
        await raw.send(frame(b"one") + frame(b"?", PING) + frame(b"two"))
        # A pong may overtake answers, which keep their order.
        answers = [await raw.receive() for _ in range(3)]
    assert sorted(answers) == [(TEXT, b"one"), (TEXT, b"two"), (PONG, b"?")]
    assert answers.index((TEXT, b"one")) < answers.index((TEXT, b"two"))


async def test_what_was_said_before_leaving_is_handled_before_the_end(stage: Stage) -> None:
    stage.play.quick = lambda part, event: True
    raw, part = await stage.open()
    async with raw:
        await raw.send(PACKET + frame((4001).to_bytes(2, "big"), CLOSE))
        await stage.quiet()
    assert (part.texts, part.endings) == (TEXTS, [4001])

"""Asking every process: all that answer are heard, and who does not is named."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from realtime import runtime, survey
from realtime.runtime import EVERY_PROCESS, Runtime
from realtime.survey import Surveys
from tests.components import RedisServer
from tests.realtime.second_process import second_process


@pytest.fixture(autouse=True)
def _core_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service takes part."""
    monkeypatch.setattr(runtime, "_starters", [survey._take_part])


async def test_a_process_that_is_alone_answers_at_once(rt: Runtime):
    surveys = rt.part(Surveys)
    surveys.answer("sum", lambda details: {"sum": sum(details["numbers"])})
    answers = await surveys.ask("sum", {"numbers": [1, 2]})
    assert answers.given == {rt.process_id: {"sum": 3}}
    assert answers.silent == set()
    assert (await surveys.ask("unheard of", {})).given == {}


async def test_every_process_answers_for_itself(rt: Runtime):
    async with second_process(rt) as other:
        for one in (rt, other):
            one.part(Surveys).answer("who", lambda details, one=one: {"who": one.process_id, **details})
        await asyncio.sleep(0)  # both have entered the presence
        asked = [rt.part(Surveys).ask("who", {"n": n}) for n in range(2)] + [
            other.part(Surveys).ask("who", {"n": 2})
        ]
        for n, answers in enumerate(await asyncio.gather(*asked)):
            assert answers.given == {
                one.process_id: {"who": one.process_id, "n": n} for one in (rt, other)
            }, "each question has its own answers"
            assert answers.silent == set()
        assert rt.part(Surveys)._open == {}


async def test_who_does_not_answer_is_named(rt: Runtime, monkeypatch: pytest.MonkeyPatch, caplog):
    def broken(details: dict[str, Any]) -> dict[str, Any]:
        raise LookupError("a bug")

    monkeypatch.setattr(survey, "TIMEOUT_S", 0.02)
    async with second_process(rt) as other:
        rt.part(Surveys).answer("who", lambda details: {})
        await asyncio.sleep(0)
        assert (await rt.part(Surveys).ask("who", {})).silent == {other.process_id}, "of another version"
        other.part(Surveys).answer("who", broken)
        answers = await rt.part(Surveys).ask("who", {})
        assert (set(answers.given), answers.silent) == ({rt.process_id}, {other.process_id})
        late = {"id": 1, "from": other.process_id, "answer": {}}
        rt.part(Surveys)._on_answer("", late)
        assert answers.given.keys() == {rt.process_id}
    assert "runtime.handler_failed" in caplog.text


@pytest.mark.redis
def test_processes_find_each_other_through_redis(settings, redis_server: RedisServer):
    settings.REDIS_URL = redis_server.url
    layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [redis_server.url]},
    }
    settings.CHANNEL_LAYERS = {"default": layer}
    ready, over = threading.Event(), threading.Event()
    found: list[set[str]] = []

    async def take_part() -> Runtime:
        rt = runtime.current()
        rt.part(Surveys).answer("who", lambda details: {"who": rt.process_id})
        await asyncio.wait_for(rt.bus.subscribed(EVERY_PROCESS), 5)
        async with asyncio.timeout(5):
            while rt.process_id not in {member.id for member in await rt.presence.members(survey.ROOM)}:
                await asyncio.sleep(0)
        return rt

    async def other() -> None:
        rt = await take_part()
        found.append({rt.process_id})
        ready.set()
        await asyncio.to_thread(over.wait, 10)
        await rt.stop()

    async def asker() -> None:
        rt = await take_part()
        answers = await rt.part(Surveys).ask("who", {})
        assert answers.given == {one: {"who": one} for one in {rt.process_id} | found[0]}
        await rt.stop()

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    try:
        assert ready.wait(10)
        asyncio.run(asker())
    finally:
        over.set()
        thread.join(10)

"""The runtime: parts, messages from anywhere, timers, and an end that leaves nothing."""

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from realtime import redis_presence, runtime
from realtime.bus import LayerBus, LocalBus
from realtime.redis_presence import RedisPresence
from realtime.runtime import EVERY_PROCESS, Runtime, on_start, send_from_thread
from tests.components import RedisServer, free_port


class Part:
    def __init__(self, rt: Runtime) -> None:
        self.runtime = rt


async def test_one_runtime_for_each_loop_with_one_part_of_each_kind(rt: Runtime):
    assert runtime.current() is rt
    assert rt.part(Part) is rt.part(Part)
    assert rt.part(Part).runtime is rt
    assert isinstance(rt.bus, LocalBus)

    async def other() -> bool:
        different = runtime.current() is not rt
        await runtime.current().stop()
        return different

    assert await asyncio.to_thread(lambda: asyncio.run(other()))


async def test_starters_run_with_each_new_runtime(monkeypatch):
    monkeypatch.setattr(runtime, "_starters", [])
    started: list[Runtime] = []
    on_start(started.append)
    rt = runtime.current()
    assert started == [rt]
    await rt.stop()


async def test_a_bare_runtime_has_nothing_of_the_services(monkeypatch):
    monkeypatch.setattr(runtime, "_starters", [lambda rt: pytest.fail("it serves nobody")])
    rt = runtime.start_bare()
    assert runtime.current() is rt
    await rt.stop()


async def test_work_is_done_before_anything_stops():
    rt = runtime.current()
    working = rt.spawn(asyncio.sleep(60))
    found: list[bool] = []

    async def finish() -> None:
        found.append(rt.draining.is_set() and not working.done())

    rt.on_stop(finish)
    await rt.stop()
    assert found == [True]
    assert working.cancelled()


async def test_without_a_loop_there_is_no_runtime():
    def ask() -> None:
        with pytest.raises(RuntimeError):
            runtime.current()

    await asyncio.to_thread(ask)


async def test_a_message_reaches_every_handler_of_its_kind_and_the_bus(rt: Runtime, monkeypatch, caplog):
    heard: list[Any] = []
    sent: list[Any] = []
    monkeypatch.setattr(rt.bus, "send", lambda *what: sent.append(what))

    def broken(group: str, message: dict[str, Any]) -> None:
        raise LookupError("a bug")

    rt.on("kind", broken)
    rt.on("kind", lambda group, message: heard.append((group, message)))
    rt.on("other", lambda group, message: heard.append("never"))
    rt.handle("g", "kind", {"n": 1})
    rt.handle("g", "unknown", {})
    assert heard == [("g", {"n": 1})]
    assert sent == [("g", "kind", {"n": 1}), ("g", "unknown", {})]
    assert caplog.text.count("runtime.handler_failed") == 1


async def test_code_in_threads_reaches_the_running_loops(rt: Runtime):
    heard = asyncio.Event()
    rt.on("kind", lambda group, message: heard.set())
    await asyncio.to_thread(send_from_thread, EVERY_PROCESS, "kind", {})
    await asyncio.wait_for(heard.wait(), 5)


def test_where_nobody_is_served_nobody_is_told():
    send_from_thread(EVERY_PROCESS, "kind", {})


@pytest.mark.redis
def test_a_command_reaches_the_servers_through_redis(settings, redis_server: RedisServer, monkeypatch):
    """What a management command does: no loop, no runtime, but a Redis."""
    use_redis(settings, redis_server.url)
    heard: list[Any] = []

    async def server() -> None:
        rt = runtime.current()
        assert isinstance(rt.bus, LayerBus)
        assert isinstance(rt.presence, RedisPresence)
        arrived = asyncio.Event()

        def hear(group: str, message: dict[str, Any]) -> None:
            heard.append((group, message))
            arrived.set()

        rt.on("kind", hear)
        try:
            await asyncio.wait_for(rt.bus.subscribed(EVERY_PROCESS), 5)
            monkeypatch.setattr(runtime, "_runtimes", {})  # as in a process that serves nobody
            await asyncio.to_thread(send_from_thread, EVERY_PROCESS, "kind", {"n": 1})
            await asyncio.wait_for(arrived.wait(), 5)
        finally:
            await rt.stop()

    asyncio.run(server())
    assert heard == [(EVERY_PROCESS, {"n": 1})]


def test_a_command_does_not_fail_for_want_of_redis(settings, caplog):
    use_redis(settings, f"redis://127.0.0.1:{free_port()}/0")
    send_from_thread(EVERY_PROCESS, "kind", {})
    assert "runtime.not_sent" in caplog.text


def use_redis(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [url]}}
    }


async def test_periodic_work_goes_on_after_a_failure(rt: Runtime, caplog):
    runs = asyncio.Queue[int]()

    async def work() -> None:
        runs.put_nowait(1)
        raise LookupError("a bug")

    rt.every(0.001, work)
    for _ in range(3):
        await asyncio.wait_for(runs.get(), 5)
    assert "runtime.periodic_work_failed" in caplog.text


async def test_a_spawned_task_that_fails_is_logged(rt: Runtime, caplog):
    async def fail() -> None:
        raise LookupError("a bug")

    task = rt.spawn(fail())
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "runtime.task_failed" in caplog.text
    assert task not in rt._tasks


async def test_timers_run_and_one_that_fails_does_not_stop_the_clock(monkeypatch, caplog):
    monkeypatch.setattr(runtime, "TICK_S", 0.005)
    rt = runtime.current()
    rang = asyncio.Event()

    def fail() -> None:
        raise LookupError("a bug")

    rt.wheel.schedule(0.01, fail)
    rt.wheel.schedule(0.02, rang.set)
    await asyncio.wait_for(rang.wait(), 5)
    assert "runtime.timer_failed" in caplog.text
    await rt.stop()


async def test_drain_delivers_what_waits_and_lets_long_answers_end(rt: Runtime, monkeypatch):
    flushed: list[int] = []
    monkeypatch.setattr(rt.hub, "flush", lambda: flushed.append(1))
    assert not rt.draining.is_set()
    rt.drain()
    assert rt.draining.is_set()
    assert flushed == [1]


async def test_stop_leaves_no_task():
    before = asyncio.all_tasks()
    rt = runtime.current()
    stubborn = asyncio.Event()

    async def forgets_to_be_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stubborn.set()
        await asyncio.Event().wait()

    rt.spawn(forgets_to_be_cancelled())
    await asyncio.sleep(0)
    await asyncio.wait_for(rt.stop(), 5)
    assert stubborn.is_set()
    assert asyncio.all_tasks() == before
    assert asyncio.get_running_loop() not in runtime._runtimes


@pytest.mark.redis
async def test_stop_leaves_no_task_with_redis(settings, redis_server, monkeypatch):
    monkeypatch.setattr(redis_presence, "RENEW_S", 0.05)
    use_redis(settings, redis_server.url)
    before = asyncio.all_tasks()
    rt = runtime.current()
    await asyncio.wait_for(rt.bus.subscribed(EVERY_PROCESS), 5)
    await asyncio.wait_for(rt.stop(), 10)
    await get_channel_layer().flush()
    assert asyncio.all_tasks() == before

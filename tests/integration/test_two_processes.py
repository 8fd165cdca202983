"""Two processes on one Redis and one PostgreSQL are one installation."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
import redis

from realtime.survey import ROOM as PROCESSES
from tests.e2e.channels import Channels
from tests.e2e.listener import (
    Listener,
    crowd,
    emit,
    eventually,
    http,
    listening,
    member_ids,
    streaming,
)
from tests.e2e.servers import Server
from tests.integration.conftest import Cluster

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
Pair = tuple[Server, Server]


async def emit_many(server: Server, channel: str, name: str, count: int) -> None:
    """Emit ``[name, 0]``, ``[name, 1]``, … one after the other."""
    async with http(server) as client:
        for number in range(count):
            response = await client.post(f"/{channel}/emit", json=[name, number])
            assert response.status_code == 200, response.text


async def test_events_reach_listeners_of_both_exactly_once(pair: Pair, channel: str) -> None:
    first, second = pair
    async with crowd(first, channel, 3) as here, crowd(second, channel, 3) as there:
        await asyncio.gather(emit_many(first, channel, "a", 150), emit_many(second, channel, "b", 150))
        for listener in [*here, *there]:
            got = await listener.data(300)
            # What one process emits arrives in order; between the two there is none.
            assert [number for name, number in got if name == "a"] == list(range(150))
            assert [number for name, number in got if name == "b"] == list(range(150))
        await emit(first, channel, "last")
        for listener in [*here, *there]:
            assert await listener.data(1) == ["last"], "something arrived twice"


async def test_with_history_both_see_the_order_of_the_database(
    pair: Pair, cluster: Cluster, channels: Channels
) -> None:
    first, second = pair
    channel = channels("kept")
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(listening(server, channel)) for server in pair * 2]
        stream = await stack.enter_async_context(streaming(second, channel))
        await stream.message("CONNECTED")
        emitters = [emit_many(server, channel, f"{n}", 25) for n, server in enumerate(pair * 12)]
        await asyncio.gather(*emitters)
        rows = cluster.query(
            "SELECT payload::json, event_id FROM broadcast_event WHERE channel = %s ORDER BY seq", channel
        )
        expected = [payload for payload, _ in rows]
        assert len(expected) == 600
        for listener in listeners:
            assert await listener.data(600, within_s=30) == expected
        received = [event for _ in range(600) if (event := await stream.next())]
        assert [event["id"] for event in received] == [event_id for _, event_id in rows]
        await emit(first, channel, "last")
        for listener in listeners:
            assert await listener.data(1) == ["last"]


@asynccontextmanager
async def far_away(port: int, delay_s: float) -> AsyncIterator[int]:
    """A port that leads to `port`; what comes back through it comes `delay_s` late."""
    loop = asyncio.get_running_loop()
    writers: list[asyncio.StreamWriter] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late_s: float) -> None:
        while data := await reader.read(65_536):
            loop.call_later(late_s, writer.write, data)
        loop.call_later(late_s, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, far_writer))
        await asyncio.gather(pipe(reader, far_writer, 0), pipe(far_reader, writer, delay_s))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_hints_that_overtake_one_another_do_not_change_the_order(
    extra: Callable[..., Server], pair: Pair, cluster: Cluster, channels: Channels
) -> None:
    channel = channels("kept")
    async with far_away(cluster.redis.port, 0.1) as port:
        redis_url = f"redis://127.0.0.1:{port}/0"
        far = await asyncio.to_thread(extra, env={"REDIS_URL": redis_url})
        async with listening(far, channel) as late, listening(pair[0], channel) as early:
            for number in range(0, 20, 2):
                # The second is known where it is emitted before the word of the first gets there.
                await emit(pair[0], channel, number)
                await emit(far, channel, number + 1)
            assert await late.data(20) == list(range(20))
            assert await early.data(20) == list(range(20))
        await asyncio.to_thread(far.stop)


async def test_recovery_at_the_other_process(pair: Pair, channels: Channels) -> None:
    first, second = pair
    channel = channels("kept")
    last_id = (await emit(first, channel, ["a", -1]))["eventID"]
    emitting = asyncio.gather(emit_many(first, channel, "a", 100), emit_many(second, channel, "b", 100))
    got: list[tuple[str, int]] = []
    turn = 0
    while len(got) < 200:
        async with listening(pair[turn % 2], channel, since=last_id) as listener:
            for _ in range(min(17, 200 - len(got))):
                message = await listener.next_of("DATA")
                got.append(tuple(message["payload"]))
                last_id = message["eventID"]
        turn += 1
    await emitting
    assert sorted(got) == sorted([("a", n) for n in range(100)] + [("b", n) for n in range(100)])
    assert [n for name, n in got if name == "a"] == list(range(100))


async def test_acknowledgements_of_both(pair: Pair, channel: str) -> None:
    first, second = pair
    require = {"require-ack": "true"}
    async with listening(first, channel, ack=True) as here, listening(second, channel, ack=True) as there:
        answer = await emit(first, channel, 1, **require)
        assert set(answer["acked"]) == {here.client_id, there.client_id}
        answer = await emit(second, channel, 2, clients=here.client_id, **require)
        assert answer["acked"] == [here.client_id]
        async with listening(second, channel) as silent, http(first) as client:
            response = await client.post(f"/{channel}/emit?require-ack=true", json=3)
            assert response.status_code == 408
            assert response.json()["missing"] == [silent.client_id]
            assert set(response.json()["acked"]) == {here.client_id, there.client_id}
            # Who leaves is missing at once, also at the other process.
            started = time.monotonic()
            emitting = asyncio.create_task(client.post(f"/{channel}/emit?require-ack=true", json=4))
            assert (await silent.data(2)) == [3, 4]
            await silent.close()
            assert (await emitting).json()["missing"] == [silent.client_id]
            assert time.monotonic() - started < 1.5, "it waited for the timeout"


async def test_presence_is_one(pair: Pair, channel: str) -> None:
    first, second = pair
    async with listening(first, channel, presence={"at": "first"}) as here:
        async with listening(second, channel, presence={"at": "second"}) as there:
            assert there.members == {here.client_id: {"at": "first"}}
            joined = await here.next("PRESENCE:JOINED")
            assert joined["payload"] == {"clientID": there.client_id, "presence": {"at": "second"}}
            await there.send("PRESENCE", {"at": "the end"})
            for listener in (here, there):
                updated = await listener.next("PRESENCE:UPDATED")
                assert updated["payload"] == {"clientID": there.client_id, "presence": {"at": "the end"}}
            for server in pair:
                assert await member_ids(server, channel) == {here.client_id, there.client_id}
            answer = await emit(first, channel, "to you", clients=there.client_id)
            assert answer["clients"] == 1
            assert (await there.next("DATA"))["payload"] == "to you"
            answer = await emit(first, channel, "to two", clients="2")
            assert (await here.next("DATA"))["payload"] == "to two"
            assert (await there.next("DATA"))["payload"] == "to two"
        left = await here.next("PRESENCE:LEFT")
        assert left["payload"] == {"clientID": there.client_id}


async def test_state_told_and_changes_after_it_are_the_state(pair: Pair, channel: str) -> None:
    """CONNECTED and every change after it give the members as they are, whoever comes and goes."""

    async def visit(server: Server, times: int) -> None:
        for number in range(times):
            async with listening(server, channel) as visitor:
                await visitor.send("PRESENCE", {"n": number})
                await visitor.next_of("PRESENCE:UPDATED")

    async with listening(pair[0], channel) as keeper, AsyncExitStack() as stack:
        visits = asyncio.gather(*(visit(server, 10) for server in pair * 2))
        observers = [
            await stack.enter_async_context(listening(pair[number % 2], channel)) for number in range(10)
        ]
        await visits
        expected = {keeper.client_id, *(observer.client_id for observer in observers)}
        await eventually(lambda: are_members(pair[1], channel, expected), what="the visitors' leaving")
        for observer in observers:
            known = set(observer.members) | {observer.client_id}
            await eventually(partial(is_up_to_date, observer, known, expected), what="the same members")


def is_up_to_date(listener: Listener, known: set[str], expected: set[str]) -> bool:
    """Whether the `known` members are those expected, brought up to date by what has arrived."""
    for message in listener.waiting():
        if message["type"] == "PRESENCE:JOINED":
            known.add(message["payload"]["clientID"])
        elif message["type"] == "PRESENCE:LEFT":
            known.discard(message["payload"]["clientID"])
    return known == expected


async def test_nothing_is_left_in_redis(pair: Pair, cluster: Cluster, channels: Channels) -> None:
    with redis.Redis.from_url(cluster.redis.url) as client:

        def traces() -> tuple[int, set[bytes]]:
            rooms = set(client.scan_iter("foyer:presence:room:*"))
            # Every process is in a room of its own kind for as long as it runs.
            return len(client.pubsub_channels()), rooms - {f"foyer:presence:room:{PROCESSES}".encode()}

        await eventually(lambda: not traces()[1], what="an empty presence")
        before = traces()
        async with AsyncExitStack() as stack:
            for number in range(60):
                await stack.enter_async_context(listening(pair[number % 2], channels()))
            assert traces()[0] >= before[0] + 60
        await eventually(lambda: traces() == before, what="as few subscriptions as before")


async def sign_in(client: httpx.AsyncClient, password: str) -> None:
    page = await client.get("/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    fields = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
    response = await client.post("/admin/login/?next=/admin/", data=fields)
    assert response.status_code == 302, response.text


async def test_a_policy_changed_in_the_admin_holds_in_both_at_once(
    pair: Pair, cluster: Cluster, channel: str
) -> None:
    first, second = pair
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(listening(server, channel)) for server in pair]
        await emit(second, channel, "before")
        async with http(first) as admin:
            await sign_in(admin, cluster.admin_password)
            response = await admin.post(
                "/admin/broadcast/channelpolicy/add/",
                data={
                    "csrfmiddlewaretoken": admin.cookies["csrftoken"],
                    "channel": channel,
                    "emit": "closed",
                    "listen": "closed",
                    "history_size": "0",
                    "history_age_s": "60",
                },
            )
            assert response.status_code == 302, re.findall("errornote|errorlist.{300}", response.text)
        for server in pair:
            await eventually(
                partial(emit_status, server, channel, 403), within_s=2, what="the policy's effect"
            )
        for listener in listeners:
            assert await listener.closed(within_s=3) == 4403


async def emit_status(server: Server, channel: str, status: int) -> bool:
    async with http(server) as client:
        return (await client.post(f"/{channel}/emit", json=1)).status_code == status


async def test_workers_of_one_server(
    extra: Callable[..., Server], pair: Pair, cluster: Cluster, channel: str
) -> None:
    server = extra(workers=2)
    workers = await eventually(lambda: worker_pids(server), what="two workers")
    async with AsyncExitStack() as stack:
        listeners: list[Listener] = []

        async def both_serve() -> bool:
            listeners.append(await stack.enter_async_context(listening(server, channel)))
            return len(listeners) >= 24 and len(holders(cluster, channel)) == 2

        await eventually(both_serve, what="clients on both workers")
        outside = await stack.enter_async_context(listening(pair[0], channel))
        assert len(outside.members) == len(listeners)
        assert server.metric("foyer_connections", app="broadcast") == len(listeners)
        await emit_many(server, channel, "x", 30)
        for listener in listeners:
            assert await listener.data(30) == [["x", number] for number in range(30)]
        # A worker that dies takes its own clients with it; another takes its place.
        os.kill(workers[0], signal.SIGKILL)
        await eventually(
            lambda: workers[0] not in server.pids() and worker_pids(server), what="another worker"
        )

        def survivors() -> list[Listener]:
            return [listener for listener in listeners if listener.ws.close_code is None]

        await eventually(lambda: len(survivors()) < len(listeners), what="the loss of some")
        assert survivors(), "all clients were on one worker"
        expected = {outside.client_id, *(listener.client_id for listener in survivors())}
        await eventually(lambda: are_members(pair[0], channel, expected), what="the others' leaving")
        await eventually(
            lambda: server.metric("foyer_connections", app="broadcast") == len(survivors()), what="the gauge"
        )
        await eventually(lambda: emit_status(server, channel, 200), what="an answer")


def holders(cluster: Cluster, channel: str) -> set[str]:
    """The processes that hold members of the channel, as presence has them in Redis."""
    with redis.Redis.from_url(cluster.redis.url) as client:
        records = client.hvals(f"foyer:presence:room:broadcast:{channel}")
    return {json.loads(record)["p"] for record in records}


def worker_pids(server: Server) -> list[int]:
    """The worker processes, or nothing while there are not two. multiprocessing starts a tracker too."""
    pids = [pid for pid in server.pids()[1:] if b"spawn_main" in command_line(pid)]
    return pids if len(pids) == 2 else []


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


async def are_members(server: Server, channel: str, expected: set[str]) -> bool:
    return await member_ids(server, channel) == expected

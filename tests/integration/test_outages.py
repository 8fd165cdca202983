"""What is killed, stopped and started again: a process, Redis, PostgreSQL."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import pytest

from tests.e2e.channels import Channels
from tests.e2e.listener import emit, eventually, http, listen, listening, member_ids
from tests.e2e.servers import Server
from tests.integration.conftest import Cluster

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
Pair = tuple[Server, Server]

# What the design promises for the members of a killed process.
LEAVE_WITHIN_S = 10.0
# Django's own line for an answer of 503.
REPORTS = {"Service Unavailable: /readyz"}


async def test_a_killed_process_takes_its_clients_and_nothing_else(
    extra: Callable[..., Server], pair: Pair, channel: str
) -> None:
    doomed = extra()
    async with listening(pair[0], channel, ack=True) as first, listening(pair[1], channel, ack=True) as other:
        lost = [await listen(doomed, channel) for _ in range(5)]
        for listener in (first, other):
            for _ in lost:
                await listener.next_of("PRESENCE:JOINED")
        killed_at = time.monotonic()
        doomed.kill()
        # Life goes on at once for those who are left.
        assert (await emit(pair[0], channel, "hello"))["success"] is True
        for listener in (first, other):
            assert await listener.data(1) == ["hello"]
            left = [await listener.next("PRESENCE:LEFT", within_s=LEAVE_WITHIN_S) for _ in lost]
            assert {message["payload"]["clientID"] for message in left} == {gone.client_id for gone in lost}
        assert time.monotonic() - killed_at < LEAVE_WITHIN_S
        for server in pair:
            assert await member_ids(server, channel) == {first.client_id, other.client_id}
        # Nobody waits for the dead any more.
        answer = await emit(pair[1], channel, "all here?", **{"require-ack": "true"})
        assert answer["clients"] == 2
        for listener in (first, other):
            assert [message["type"] for message in listener.waiting()] == ["DATA"], "announced twice"
        for gone in lost:
            await gone.close()


def has_bus(server: Server, state: str) -> bool:
    return server.readiness().get("bus") == state


def is_ready(server: Server) -> bool:
    return set(server.readiness().values()) == {"ok"}


async def test_redis_stops_and_starts(pair: Pair, cluster: Cluster, channels: Channels) -> None:
    first, second = pair
    for server in pair:
        server.expected_errors |= REPORTS | {"bus.down", "Unexpected exception in receive task"}
    channel, kept = channels(), channels("kept")
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(listening(first, channel, presence={"at": 1}))
        there = await stack.enter_async_context(listening(second, channel))
        kept_there = await stack.enter_async_context(listening(second, kept))
        leaving = await listen(second, channel)
        await emit(first, kept, 0)
        assert await kept_there.data(1) == [0]

        cluster.redis.stop(signal.SIGKILL)
        for server in pair:
            await eventually(partial(has_bus, server, "down"), what="the bus to be reported down")
        # Each process serves its own.
        for server, listener in ((first, here), (second, there)):
            await emit(server, channel, "local")
            assert await listener.data(1) == ["local"]
        for number in range(1, 6):
            await emit(first, kept, number)
        late = await stack.enter_async_context(listening(first, channel, presence={"came": "meanwhile"}))
        await leaving.close()

        cluster.redis.start()
        for server in pair:
            await eventually(partial(has_bus, server, "ok"), within_s=15, what="the bus to be back")
        # What is kept was not lost, only late.
        assert await kept_there.data(5) == [1, 2, 3, 4, 5]
        # No connection was.
        assert {listener.ws.close_code for listener in (here, there, kept_there, late)} == {None}
        members = {here.client_id, there.client_id, late.client_id}
        for server in pair:
            await eventually(partial(are_members, server, channel, members), what="the members as they are")
        there.waiting()
        await emit(first, channel, "across")
        assert await there.data(1) == ["across"]
        await emit(second, kept, 6)
        assert await kept_there.data(1) == [6]
        async with listening(second, channel) as newcomer:
            assert newcomer.members == {
                here.client_id: {"at": 1},
                there.client_id: {},
                late.client_id: {"came": "meanwhile"},
            }


async def are_members(server: Server, channel: str, expected: set[str]) -> bool:
    return await member_ids(server, channel) == expected


async def test_postgres_stops_and_starts(pair: Pair, cluster: Cluster, channels: Channels) -> None:
    first, second = pair
    for server in pair:
        server.expected_errors |= REPORTS | {"broadcast.database_failed", "runtime.periodic_work_failed"}
    channel, kept = channels("open"), channels("kept")
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(listening(first, channel))
        there = await stack.enter_async_context(listening(second, kept))
        await emit(first, kept, 0)
        # A process goes on for a while with the policies it has read, and this has it read them now.
        await emit(second, channel, "with")

        cluster.postgres.stop(signal.SIGQUIT)
        await eventually(lambda: first.readiness().get("database") == "down", what="the report")
        # What needs no database goes on; what does is refused and not pretended.
        await emit(second, channel, "without")
        assert await here.data(2) == ["with", "without"]
        async with http(first) as client:
            response = await client.post(f"/{kept}/emit", json=1)
        assert response.status_code == 503
        assert first.get("/healthz").status_code == 200

        cluster.postgres.start()
        for server in pair:
            await eventually(partial(is_ready, server), within_s=20, what="readiness")
        await emit(first, kept, 2)
        assert await there.data(2) == [0, 2]
        assert here.ws.close_code is None

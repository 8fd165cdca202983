"""The line while database, Redis or server is away: everybody keeps their place, and nobody holds a ghost."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.listener import eventually
from tests.e2e.servers import Seed, Server, serve
from tests.e2e.waiter import ERROR, SHOULD_QUEUE, TICKET, Waiter
from tests.e2e.waiting_line import WaitingLine
from tests.integration.conftest import Cluster

Pair = tuple[Server, Server]
BACK_WITHIN_S = 20.0


@pytest.fixture
def lines(cluster: Cluster, pair: Pair) -> Iterator[tuple[WaitingLine, WaitingLine]]:
    """The line, seen from each of the two servers; room for one."""
    key = cluster.keys["site"]
    with closing(WaitingLine(pair[0], key)) as here, closing(WaitingLine(pair[1], key)) as there:
        here.clear()
        here.policy(capacity=1)
        yield here, there
        here.clear()


async def joined(line: WaitingLine, client_id: str) -> tuple[Waiter, int]:
    waiter = await line.open(client_id)
    await waiter.next(SHOULD_QUEUE)
    ticket, _ = await waiter.log_in()
    return waiter, ticket["position"]


async def all_back(servers: Pair) -> None:
    for server in servers:
        await eventually(
            lambda server=server: set(server.readiness().values()) == {"ok"},
            within_s=BACK_WITHIN_S,
            what="readiness",
        )


@pytest.mark.redis
@pytest.mark.postgres
async def test_the_database_is_away_while_somebody_leaves(
    pair: Pair, cluster: Cluster, lines: tuple[WaitingLine, WaitingLine]
) -> None:
    for server in pair:
        server.expected_errors |= {
            "Service Unavailable: /readyz",
            "broadcast.database_failed",
            "runtime.periodic_work_failed",
        }
    here, there = lines
    first, _ = await joined(here, "in")
    await first.let_in()
    # Shorter than the outage will be: nobody is to pay for it.
    here.policy(ticket_stale_s=2, session_stale_s=2)
    gone, _ = await joined(here, "gone")
    stays, place = await joined(there, "stays")
    behind, _ = await joined(here, "behind")
    cluster.postgres.stop(signal.SIGQUIT)
    await gone.drop()
    await stays.send({"type": 4, "token": "again"})
    assert (await stays.next(ERROR))["code"] == "UNAVAILABLE"
    cluster.postgres.start()
    await all_back(pair)
    here.policy(ticket_stale_s=300, session_stale_s=300)
    await eventually(lambda: here.inactive() == ["gone"], within_s=BACK_WITHIN_S, what="who left to be away")
    await stays.send({"type": 4, "token": "again"})
    assert (await stays.next(TICKET))["position"] == place
    here.end_session()
    await stays.let_in()
    back, _ = await joined(there, "gone")
    here.end_session()
    await back.let_in()
    here.end_session()
    await behind.let_in()


@pytest.mark.redis
@pytest.mark.postgres
async def test_without_redis_the_line_moves_all_the_same(
    pair: Pair, cluster: Cluster, lines: tuple[WaitingLine, WaitingLine]
) -> None:
    for server in pair:
        server.expected_errors |= {
            "bus.down",
            "Unexpected exception in receive task",
            "Service Unavailable: /readyz",
        }
    here, there = lines
    first, _ = await joined(here, "in")
    await first.let_in()
    waiting, _ = await joined(there, "waiting")
    cluster.redis.stop(signal.SIGKILL)
    here.end_session()
    await waiting.let_in()
    # Who moves to the other server takes the ticket along.
    older, place = await joined(here, "moves")
    newer, same = await joined(there, "moves")
    assert same == place
    cluster.redis.start()
    await all_back(pair)
    assert await older.closed() == 4009
    here.end_session()
    await newer.let_in()


async def test_a_stop_longer_than_anybodys_time_costs_nobody_anything(seed: Seed, tmp_path: Path) -> None:
    seed.copy_to(tmp_path / "data")
    key = seed.keys["site"]

    async def start(name: str) -> Server:
        server = serve({"DATA_DIR": str(tmp_path / "data")}, tmp_path / f"{name}.log")
        await asyncio.to_thread(server.wait_ready)
        return server

    server = await start("before")
    with closing(WaitingLine(server, key)) as line:
        line.policy(capacity=1)
        first, _ = await joined(line, "in")
        await first.let_in()
        waiter, place = await joined(line, "waiting")
        server.send_signal(signal.SIGTERM)
        assert await waiter.closed() == 1012
    await asyncio.to_thread(server.wait)
    # As if it had been away for an hour.
    with sqlite3.connect(tmp_path / "data" / "foyer.sqlite3") as database:
        database.execute("update queue_ticket set inactive_since = datetime('now', '-1 hour')")
        database.execute("update queue_session set seen_at = datetime('now', '-1 hour')")
    server = await start("after")
    try:
        with closing(WaitingLine(server, key)) as line:
            waiter, again = await joined(line, "waiting")
            assert again == place
            (session,) = line.sessions()
            line.manage("POST", f"sessions/{session}/heartbeat")
            line.end_session()
            await waiter.let_in()
    finally:
        server.stop()
    assert server.problems() == []

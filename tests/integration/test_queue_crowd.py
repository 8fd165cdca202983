"""A crowd, four processes that are killed in any order, and a main server that fails one in ten.

The admission log is read from its beginning afterwards: no more places taken than there are, at any moment;
nobody admitted before somebody in front who was there; each ticket with one outcome, and nobody left behind.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.components import PostgresServer, RedisServer
from tests.e2e.servers import POLL_S, run_seed, serve, until, wait_all_ready
from tests.integration.crowd import Crowd
from tests.queue.audit import FIELDS, Audit
from tests.queue.main_server_program import program

pytestmark = [pytest.mark.redis, pytest.mark.postgres]

# Enough for every process to be killed with people in it. More: CROWD=2000.
PEOPLE = int(os.environ.get("CROWD", "500"))
PROCESSES = 4
# How often each of them is killed.
DEATHS = 2
CAPACITY = 80
# What a killed server's clients and the database's end of its connections may be logged as.
EXPECTED = {"queue.main_server_unavailable"}


class Disorder:
    """Kills one server after the other while people come in, and starts each again at another port."""

    def __init__(self, crowd: Crowd, env: dict[str, str], folder: Path) -> None:
        self._crowd, self._env, self._folder = crowd, env, folder
        self._dice = random.Random(4)

    async def reign(self) -> None:
        servers = self._crowd.servers
        everyone = [
            number for _ in range(DEATHS) for number in self._dice.sample(range(PROCESSES), PROCESSES)
        ]
        for killed, number in enumerate(everyone, start=1):
            while len(self._crowd.let_in) < PEOPLE * killed / (len(everyone) + 1):
                await asyncio.sleep(POLL_S)
            servers[number].kill()
            await asyncio.sleep(self._dice.uniform(0.0, 1.0))
            log = self._folder / f"killed-{killed}.log"
            servers[number] = await asyncio.to_thread(serve, self._env, log)


async def test_a_crowd_gets_in_whatever_happens(
    redis_server: RedisServer, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    env = {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": postgres_server.create_database("crowd"),
        "DATABASE_POOL_SIZE": "6",
        "REDIS_URL": redis_server.url,
        "MAIN_SERVER_RETRIES": "2",
        "MAIN_SERVER_RETRY_PAUSE_S": "0.05",
        "MAX_CONNECTIONS_PER_ADDRESS": "10000",
        "LOG_LEVEL": "WARNING",
    }
    key = (await asyncio.to_thread(run_seed, env))["keys"]["site"]
    async with program() as main_server:
        await main_server.post("/control", json={"fail_rate": 0.1})
        env["MAIN_SERVER_URL"] = str(main_server.base_url)
        servers = [serve(env, tmp_path / f"{number}.log") for number in range(PROCESSES)]
        try:
            await asyncio.to_thread(wait_all_ready, servers)
            policy = {
                "capacity": CAPACITY,
                "session_stale_s": 2,
                "ticket_stale_s": 120,
                "stats_interval_s": 1,
            }
            answer = httpx.patch(
                f"{servers[0].url}/api/queue/policy",
                json=policy,
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
            )
            assert answer.status_code == 200, answer.text
            crowd = Crowd(servers)
            await asyncio.gather(crowd.send(PEOPLE), Disorder(crowd, env, tmp_path).reign())
            await asyncio.to_thread(until, lambda: nobody_left(env), within_s=60, what="an empty line")
        finally:
            for server in servers:
                server.kill()
    assert crowd.troubles == []
    assert len(set(crowd.let_in.values())) == PEOPLE
    audit = Audit().follow(rows(env, f"SELECT {', '.join(FIELDS)} FROM queue_logentry ORDER BY seq"))
    assert audit.most_occupied == CAPACITY, "it was full, and never more than that"
    outcomes = Counter(held.state for held in audit.tickets.values())
    assert outcomes["entered"] >= PEOPLE
    assert set(outcomes) <= {"entered", "stale"}
    problems = [line for server in servers for line in server.problems()]
    assert problems == []


def rows(env: dict[str, str], statement: str) -> list[dict[str, object]]:
    with psycopg.connect(env["DATABASE_URL"], row_factory=dict_row) as connection:
        return connection.execute(statement.encode()).fetchall()


def nobody_left(env: dict[str, str]) -> bool:
    """Whether nobody is on the way to the main server any more, nor could be."""
    open_tickets = rows(
        env, "SELECT 1 FROM queue_ticket WHERE state = 'admitted' OR state = 'waiting' AND holder <> ''"
    )
    return not open_tickets

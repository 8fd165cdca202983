"""An installation of several processes: two ``serve`` on a Redis and a PostgreSQL of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.components import PostgresServer, RedisServer
from tests.conftest import require
from tests.e2e.channels import ADMIN_PASSWORD, Channels
from tests.e2e.conftest import channels, embedded, seed, start_embedded
from tests.e2e.servers import Server, run_seed, serve, wait_all_ready
from tests.integration.desk import DeskSeed, seed_desk
from tests.kafka.brokers import kafka, kafka_node
from tests.kafka.reader import Processes

__all__ = ["channels", "embedded", "kafka", "kafka_node", "seed", "start_embedded"]


@dataclass
class Cluster:
    """The parts of one installation. `servers` are the two that are always there."""

    redis: RedisServer
    postgres: PostgresServer
    env: dict[str, str]
    folder: Path
    keys: dict[str, str] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    started: int = 0
    admin_password: str = ADMIN_PASSWORD

    def start(self, *, workers: int = 1, env: dict[str, str] | None = None) -> Server:
        """Start one more server; the caller waits for it and stops it."""
        self.started += 1
        return serve({**self.env, **(env or {})}, self.folder / f"{self.started}.log", workers=workers)

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, past the servers."""
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two processes for the whole session. What a test stops, it starts again before it ends."""
    require("redis")
    require("postgres")
    folder = tmp_path_factory.mktemp("cluster")
    with RedisServer() as redis, PostgresServer() as postgres:
        env = {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": postgres.create_database(),
            "REDIS_URL": redis.url,
            "BROADCAST_ACK_TIMEOUT_S": "2",
            "BROADCAST_PING_INTERVAL_S": "3",
            "BROADCAST_EMIT_RATE": "100000",
            "BROADCAST_EMIT_BURST": "100000",
            "GATEWAY_POST_RATE": "100000",
            "GATEWAY_POST_BURST": "100000",
        }
        cluster = Cluster(redis, postgres, env, folder)
        cluster.keys = run_seed(env)["keys"]
        cluster.servers = [cluster.start(), cluster.start()]
        try:
            wait_all_ready(cluster.servers)
            yield cluster
            for server in cluster.servers:
                assert server.process.poll() is None, f"a server ended:\n{server.log}"
        finally:
            for server in cluster.servers:
                server.stop()
        assert [problem for server in cluster.servers for problem in server.problems()] == []


@pytest.fixture(scope="package")
def desk(cluster: Cluster) -> DeskSeed:
    """A ticket desk in the cluster's database."""
    return seed_desk(cluster.env)


@pytest.fixture
def pair(cluster: Cluster) -> tuple[Server, Server]:
    """The two servers of the cluster."""
    first, second = cluster.servers
    return first, second


@pytest.fixture
def extra(cluster: Cluster) -> Iterator[Callable[..., Server]]:
    """Start another server of the same installation, for one test."""
    running: list[Server] = []

    def start(*, workers: int = 1, env: dict[str, str] | None = None) -> Server:
        server = cluster.start(workers=workers, env=env)
        running.append(server)
        server.wait_ready()
        return server

    yield start
    for server in running:
        server.stop()
    assert [problem for server in running for problem in server.problems()] == []


@pytest.fixture
def channel(channels: Channels) -> str:
    """A channel without a policy."""
    return channels()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts processes that read Kafka, for one test."""
    started = Processes(tmp_path)
    yield started
    started.stop()

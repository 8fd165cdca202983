"""The gateway as it is measured: one channel, its members and their tokens, in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers.foyer import environment
from bench.postgres import new_database
from bench.process import BUILD, ROOT, SERVER_CORE, answers, family, free_port, running


@dataclass(frozen=True)
class Place:
    """A channel in which every member has posted once. `authors` are the members' ids."""

    env: dict[str, str]
    channel: str
    authors: tuple[str, ...]
    tokens: tuple[str, ...]

    @property
    def posts_path(self) -> str:
        return f"/api/v1/channels/{self.channel}/posts"


@dataclass(frozen=True)
class Gateway:
    """A server for a place: where, and which processes it is."""

    port: int
    pids: tuple[int, ...]


@contextmanager
def place(database: str, members: int) -> Iterator[Place]:
    """A new database with that many members of one channel.

    Args:
        database: from `bench.peers.line.address`.
    """
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder:
        env = {**os.environ, **environment(Path(folder))}
        if database:
            env["DATABASE_URL"] = new_database(database, "gateway")
        made = json.loads(run(env, "bench.peers.gateway_seed", members))
        yield Place(env, made["channel"], tuple(made["authors"]), tuple(made["tokens"]))


@contextmanager
def serve(where: Place, *, max_batch: int | None = None, interval_ms: int = 45_000) -> Iterator[Gateway]:
    """A server there.

    Args:
        max_batch: at most so many posts in a transaction.
        interval_ms: between its heartbeats.
    """
    env = where.env | {
        "GATEWAY_HEARTBEAT_INTERVAL_MS": str(interval_ms),
        "GATEWAY_POST_RATE": "1e9",
        "GATEWAY_POST_BURST": "1000000000",
    }
    if max_batch is not None:
        env["BENCH_MAX_BATCH"] = str(max_batch)
    port = free_port()
    command = [sys.executable, "-m", "bench.peers.tuned_server", "serve", "--port", str(port)]
    with running(
        command,
        ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        core=SERVER_CORE,
        env=env,
        log=BUILD / "gateway.log",
    ) as process:
        yield Gateway(port, tuple(family(process.pid)))


def run(env: dict[str, str], module: str, *arguments: object) -> str:
    """What a program says, on the server's core."""
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout

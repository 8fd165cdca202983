"""The login queue as it is measured: an empty line, nobody let in, in one process or several."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers.desk import SQLITE
from bench.peers.foyer import environment
from bench.postgres import new_database, postgres
from bench.process import BUILD, LOAD_CORE, ROOT, SERVER_CORE, accepts, answers, family, free_port, running


@dataclass(frozen=True)
class Hall:
    """Where people wait: the ports of its processes, their ids, and a key that may change the policy."""

    ports: tuple[int, ...]
    pids: tuple[int, ...]
    key: str

    def capacity(self, places: int) -> None:
        """From now on there are so many places."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[0]}/api/queue/policy",
            data=json.dumps({"capacity": places}).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            method="PATCH",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()


@contextmanager
def address(engine: str) -> Iterator[str]:
    """Where databases of that engine can be made, for as long as the block runs."""
    if engine == SQLITE:
        yield ""
    else:
        with postgres() as url:
            yield url


@contextmanager
def hall(database: str, *, processes: int = 1, max_batch: int | None = None) -> Iterator[Hall]:
    """An empty line. More than one process needs ``redis-server``.

    Args:
        database: from `address`.
        max_batch: at most so many commands in a transaction.
    """
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder, ExitStack() as stack:
        env = {**os.environ, **environment(Path(folder))}
        if database:
            env["DATABASE_URL"] = new_database(database, "line")
        if max_batch is not None:
            env["BENCH_MAX_BATCH"] = str(max_batch)
        if processes > 1:
            env["REDIS_URL"] = stack.enter_context(_redis(folder))
        key = json.loads(_run(env, "bench.peers.line_seed"))
        ports = tuple(free_port() for _ in range(processes))
        pids: list[int] = []
        for port in ports:
            command = [sys.executable, "-m", "bench.peers.tuned_server", "serve", "--port", str(port)]
            process = stack.enter_context(
                running(
                    command,
                    ready=lambda port=port: answers(f"http://127.0.0.1:{port}/healthz"),  # type: ignore[misc]
                    core=SERVER_CORE,
                    env=env,
                    log=BUILD / f"line-{port}.log",
                )
            )
            pids += family(process.pid)
        yield Hall(ports, tuple(pids), key)


def _run(env: dict[str, str], module: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    ).stdout


@contextmanager
def _redis(folder: str) -> Iterator[str]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
    with running(command, ready=lambda: accepts(port), core=LOAD_CORE, log=BUILD / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"

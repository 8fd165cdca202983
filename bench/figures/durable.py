"""Durable writes: group commit against a transaction for each row, 50 callers at once.

Each caller writes a row, waits until it is committed, writes the next. Two kinds of row: a plain
insert, and an event of a channel with history (which also takes the channel's next number). The writes
run in a process of their own (`bench.figures.durable_worker`) on the server's core; PostgreSQL on the
other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.foyer import environment
from bench.postgres import postgres, postgres_binaries
from bench.process import ROOT, SERVER_CORE
from bench.report import Options, Progress, Table

CALLERS = 50
GROUP = "group commit"
WAYS = {
    GROUP: "group",
    "a transaction each, sync_to_async": "sync_to_async",
    "a transaction each, pool of 8 threads": "pool",
}
KINDS = {"plain row": "row", "event with history": "event"}


@contextmanager
def database(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a migrated, empty database."""
    env = {**os.environ, **environment(folder)}
    if name == "SQLite":
        _migrate(env)
        yield env
    else:
        with postgres() as url:
            env["DATABASE_URL"] = url
            _migrate(env)
            yield env


def _migrate(env: dict[str, str]) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)


def run(options: Options, progress: Progress) -> list[Table]:
    tables: list[Table] = []
    for engine in ("SQLite", "PostgreSQL"):
        made = {
            kind: Table(f"Durable writes, {engine}, {kind}, {CALLERS} at once", "rows/s", GROUP)
            for kind in KINDS
        }
        tables += made.values()
        if engine == "PostgreSQL" and postgres_binaries() is None:
            for table in made.values():
                table.left_out[engine] = "its server is not installed"
            continue
        with (
            tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder,
            database(engine, Path(folder)) as env,
        ):
            for turn in range(options.rounds):
                for kind, table in made.items():
                    for way, argument in WAYS.items():
                        progress(f"durable, round {turn + 1}: {engine}, {kind}, {way}")
                        table.add(way, **_measure(env, KINDS[kind], argument, min(options.seconds, 3.0)))
        for table in made.values():
            if not options.quick:
                for way in list(WAYS)[1:]:
                    table.expect(f"rows/s ÷ {way}", table.ratio(way), at_least=5)
    return tables


def _measure(env: dict[str, str], kind: str, way: str, seconds: float) -> dict[str, float]:
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "bench.figures.durable_worker"]
    done = subprocess.run(
        [*command, kind, way, str(CALLERS), str(seconds)],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result

"""The ticket desk as it is measured: databases with people, a past and a line, and a server on a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.peers.foyer import environment
from bench.postgres import postgres
from bench.process import BUILD, ROOT, SERVER_CORE, answers, family, free_port, running

SQLITE = "SQLite"
POSTGRES = "PostgreSQL"


@dataclass(frozen=True)
class Desk:
    """A desk that is open: where, which processes it is, and a token for each of its tables, from 1."""

    port: int
    pids: tuple[int, ...]
    tokens: Sequence[str]


class Databases:
    """A migrated database for each length of the line; every server gets a copy.

    Use `databases` to make one.
    """

    def __init__(self, engine: str, folder: Path, address: str) -> None:
        self._engine = engine
        self._folder = folder
        self._address = address
        self._tokens: dict[int, list[str]] = {}

    def prepare(self, staff: int, ended: int, lines: Sequence[int]) -> None:
        """Make them: `staff` people with a table each, `ended` tickets of the past, a line of each length."""
        env = self._env("empty")
        if self._engine == POSTGRES:
            self._execute("CREATE DATABASE empty")
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)
        before = "empty"
        for waiting in sorted(lines):
            name = f"line_{waiting}"
            self._copy(before, name)
            self._tokens[waiting] = self._fill(name, staff, ended, waiting)

    def plans(self, waiting: int) -> str:
        """How the database finds what the desk asks it for, as text; changes nothing."""
        return self._run("bench.figures.desk_plans", f"line_{waiting}")

    @contextmanager
    def serve(self, waiting: int, *, max_batch: int | None = None) -> Iterator[Desk]:
        """A server on a copy of its own. `max_batch`: at most so many commands in a transaction."""
        self._copy(f"line_{waiting}", "served")
        env = self._env("served")
        if max_batch is not None:
            env["BENCH_MAX_BATCH"] = str(max_batch)
        port = free_port()
        command = [sys.executable, "-m", "bench.peers.tuned_server", "serve", "--port", str(port)]
        with running(
            command,
            ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
            core=SERVER_CORE,
            env=env,
            log=BUILD / "desk.log",
        ) as process:
            yield Desk(port, tuple(family(process.pid)), self._tokens[waiting])

    def _fill(self, name: str, staff: int, ended: int, waiting: int) -> list[str]:
        tokens: list[str] = json.loads(self._run("bench.figures.desk_people", name, staff, ended, waiting))
        return tokens

    def _run(self, module: str, name: str, *arguments: int) -> str:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(
            command, cwd=ROOT, env=self._env(name), check=True, capture_output=True, text=True
        ).stdout

    def _env(self, name: str) -> dict[str, str]:
        url = f"sqlite:///{self._file(name)}" if self._engine == SQLITE else f"{self._address}/{name}"
        env = environment(self._folder) | {"DATABASE_URL": url, "TICKETING_OPEN_DEVICES": "1"}
        return {**os.environ, **env}

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite3"

    def _copy(self, source: str, target: str) -> None:
        if self._engine == SQLITE:
            # The last to close a database leaves one file; a server that was killed may not have.
            for ending in ("-wal", "-shm"):
                Path(f"{self._file(target)}{ending}").unlink(missing_ok=True)
            shutil.copyfile(self._file(source), self._file(target))
        else:
            self._execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
            self._execute(f"CREATE DATABASE {target} TEMPLATE {source}")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(f"{self._address}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def databases(engine: str) -> Iterator[Databases]:
    """Databases of that engine, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder:
        if engine == SQLITE:
            yield Databases(engine, Path(folder), "")
        else:
            with postgres() as url:
                yield Databases(engine, Path(folder), url.rpartition("/")[0])

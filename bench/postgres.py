"""A PostgreSQL server of our own, for as long as a figure needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.process import BUILD, LOAD_CORE, accepts, free_port, running

# Debian keeps the server's programs out of the PATH.
_DEBIAN_BINARIES = Path("/usr/lib/postgresql")


def postgres_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, if the server is installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max((path.parent for path in _DEBIAN_BINARIES.glob("*/bin/initdb")), default=None)


@contextmanager
def postgres() -> Iterator[str]:
    """An empty server with default durability on a free port, on the load core; gives its URL."""
    binaries = postgres_binaries()
    if binaries is None:
        raise RuntimeError("the PostgreSQL server is not installed")
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    as_user = drop if os.geteuid() == 0 else []  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="foyer-bench-pg-") as folder:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data, port = f"{folder}/data", free_port()
        options = ["-D", data, "-U", "foyer", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*as_user, binaries / "initdb", *options], check=True, capture_output=True, cwd=folder)
        options = ["-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
        with running(
            [*as_user, binaries / "postgres", *options],
            ready=lambda: _answers(binaries, port),
            core=LOAD_CORE,
            log=BUILD / "postgres.log",
            cwd=Path(folder),
        ):
            yield f"postgres://foyer@127.0.0.1:{port}/postgres"


def new_database(url: str, name: str) -> str:
    """An empty database of that name on the server at `url`; gives its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rpartition('/')[0]}/{name}"


def _answers(binaries: Path, port: int) -> bool:
    if not accepts(port):
        return False
    ask: list[str | Path] = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(ask, capture_output=True, check=False).returncode == 0

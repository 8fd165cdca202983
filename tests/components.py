"""What some tests need: a Redis and a PostgreSQL of their own, on free ports, Kafka, Node and Chromium.

Nothing of the machine's own services is used or touched: each server gets a temporary folder and a
free port, listens on 127.0.0.1 only, and is stopped by its process id. What is not installed makes
the tests that need it skip by name (``REQUIRE_ALL=1`` turns that into a failure, see `conftest`).
"""

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

import psycopg

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 30.0
# What Maven fetches.
KAFKA_POM = Path(__file__).parent / "kafka" / "pom.xml"
# What npm fetches, and the programs that use it.
NODE_SOURCES = Path(__file__).parent / "e2e" / "node"


class StartError(Exception):
    """A server ended, or said nothing, before it was ready. The message holds what it printed."""


def redis_binary() -> str | None:
    """Path of ``redis-server``, or None."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def postgres_folder() -> Path | None:
    """Folder with ``initdb`` and ``postgres``, newest version first; Debian keeps it out of PATH."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True
    )
    found = shutil.which("initdb")
    for folder in [*versions, *([Path(found).resolve().parent] if found else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def chromium_binary() -> str | None:
    """Path of Chromium or Chrome, or None."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


def kafka_jars() -> Path:
    """Folder for Apache Kafka, fetched by Maven."""
    return _fetched("kafka", KAFKA_POM)


def kafka_runnable() -> bool:
    """Whether Apache Kafka can be started here: there is a Java, and Kafka or a Maven to fetch it."""
    return shutil.which("java") is not None and (kafka_jars().exists() or shutil.which("mvn") is not None)


def node_packages() -> Path:
    """Folder for the packages of Node, fetched by npm."""
    return _fetched("node", NODE_SOURCES / "package.json")


def node_runnable() -> bool:
    """Whether programs for Node can be run here: there is one, and their packages or an npm to fetch them."""
    return shutil.which("node") is not None and (node_packages().exists() or shutil.which("npm") is not None)


def _fetched(name: str, description: Path) -> Path:
    """A folder for what this file says is needed: outside the project, since it outlives a clone."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = hashlib.sha256(description.read_bytes()).hexdigest()[:12]
    return Path(cache) / "foyer" / f"{name}-{version}"


# Marker of a test -> what finds the component, and what is missing without it.
COMPONENTS: dict[str, tuple[Callable[[], object], str]] = {
    "redis": (redis_binary, "redis-server is not installed"),
    "postgres": (postgres_folder, "PostgreSQL's server is not installed (initdb, postgres)"),
    "chromium": (chromium_binary, "Chromium is not installed"),
    "kafka": (kafka_runnable, "Java, and Maven to fetch Apache Kafka, are not installed"),
    "node": (node_runnable, "Node, and npm to fetch its packages, are not installed"),
}


def free_port() -> int:
    """A TCP port nobody listens on now. Another process may take it first: callers try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Child:
    """A server process whose output is read all the time, and which is ready when it says so."""

    def __init__(self, command: list[str], *, ready: str, cwd: Path, user: str | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            # Ctrl+C is for the tests, which then stop it.
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        self.output: deque[str] = deque(maxlen=200)
        self._ready = threading.Event()
        self._said_so = False
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, ready), daemon=True)
        self._reader.start()
        if not self._ready.wait(START_DEADLINE_S) or not self._said_so:
            self.stop(signal.SIGKILL)
            raise StartError(f"{command[0]} did not become ready:\n{''.join(self.output)}")

    def _read(self, stream: IO[str], ready: str) -> None:
        for line in stream:
            self.output.append(line)
            if ready in line:
                self._said_so = True
                self._ready.set()
        self._ready.set()  # it ended: nobody needs to wait any longer

    def stop(self, signal_number: int) -> None:
        """Send the signal and wait for the end; kill it when it does not come. May be called again."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
            try:
                self.process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class RedisServer:
    """A private Redis without persistence. `stop` and `start` keep the port, not the data."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="foyer-redis-"))
        self._child: _Child | None = None
        self.port = _start_on_free_port(self._start_on)

    @property
    def url(self) -> str:
        """As in REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _start_on(self, port: int) -> None:
        command = [redis_binary() or "redis-server", "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._child = _Child(command, ready="eady to accept connections", cwd=self._folder)

    def start(self) -> None:
        """Start again, empty, on the same port."""
        self._start_on(self.port)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop it (``signal.SIGKILL``: as in a crash); clients lose their connections."""
        if self._child:
            self._child.stop(signal_number)

    def close(self) -> None:
        """Stop it for good and remove its folder."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class PostgresServer:
    """A private PostgreSQL cluster; everyone on 127.0.0.1 is the superuser ``foyer``.

    The server refuses to run as root, so root starts it as the user ``postgres`` or ``nobody``.
    """

    def __init__(self) -> None:
        folder = postgres_folder()
        if folder is None:
            raise StartError("PostgreSQL is not installed")
        self._binaries = folder
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="foyer-postgres-"))
        self._child: _Child | None = None
        self._databases = 0
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._make_cluster()
        self.port = _start_on_free_port(self._start_on)

    def _make_cluster(self) -> None:
        command = [str(self._binaries / "initdb"), "-D", str(self._folder / "data"), "-U", "foyer"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        result = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )
        if result.returncode:
            raise StartError(f"initdb failed:\n{result.stdout}{result.stderr}")

    def _start_on(self, port: int) -> None:
        command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-p", str(port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        # The machine does not lose power in a test, and a killed server loses nothing without fsync.
        command += ["-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]
        self._child = _Child(command, ready="database system is ready", cwd=self._folder, user=self._user)

    def url(self, database: str = "postgres") -> str:
        """As in DATABASE_URL."""
        return f"postgresql://foyer@127.0.0.1:{self.port}/{database}"

    def create_database(self, prefix: str = "foyer") -> str:
        """Make an empty database with a name of its own; gives its URL."""
        self._databases += 1
        name = f"{prefix}_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def start(self) -> None:
        """Start again on the same port; recovers by itself after a crash."""
        self._start_on(self.port)

    def stop(self, signal_number: int = signal.SIGINT) -> None:
        """Stop it: SIGINT drops connections and shuts down cleanly, SIGQUIT is as good as a crash."""
        if self._child:
            self._child.stop(signal_number)

    def close(self) -> None:
        """Stop it for good and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _start_on_free_port(start: Callable[[int], None]) -> int:
    """Start on a free port; another one when somebody was faster."""
    for attempt in range(3):
        port = free_port()
        try:
            start(port)
        except StartError:
            if attempt == 2:
                raise
        else:
            return port
    raise AssertionError("not reached")


def _unprivileged_user() -> str:
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"

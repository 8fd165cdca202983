"""Real server processes for tests: ``serve``, daphne, uvicorn and ``runserver``, each on a free port.

A database is migrated and seeded once for a whole test run (`seed`); every installation starts from a
copy. Output goes to a file of one JSON object a line, which tests read: a server that logged an
error, or anything that is not a log line, has a bug.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from config import BASE_DIR
from tests.components import free_port

START_DEADLINE_S = 40.0
# What the server itself promises for SIGTERM.
STOP_DEADLINE_S = 30.0
POLL_S = 0.05

# The variables a test decides about; nothing of the developer's own environment reaches a server.
_KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR")


def until(condition: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Wait for `condition` to be true and return what it gave; fail after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        time.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Seed:
    """A migrated SQLite database with policies and keys (see `tests.e2e.seed`), to be copied."""

    database: Path
    keys: dict[str, str]
    admin_password: str

    def copy_to(self, folder: Path) -> None:
        """Make `folder` the DATA_DIR of a new installation."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.database, folder / "foyer.sqlite3")


def run_seed(env: dict[str, str]) -> dict[str, Any]:
    """Migrate and seed the database that `env` names; gives the keys made."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.e2e.seed"],
        cwd=BASE_DIR,
        env=clean_environment(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def clean_environment(env: dict[str, str]) -> dict[str, str]:
    """The environment of a server: what `env` says and nothing else that a setting reads."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "default",
        **env,
    }


@dataclass
class Server:
    """One running server. `log_lines` and `problems` tell what it wrote."""

    process: subprocess.Popen[bytes]
    port: int
    log_path: Path
    # Events (their names) that may be logged as errors: a test that stops Redis expects "bus.down".
    expected_errors: set[str] = field(default_factory=set)

    @property
    def is_serve(self) -> bool:
        """Whether this is our own server: it can do more than daphne with a refused handshake."""
        return b"daphne" not in Path(f"/proc/{self.process.pid}/cmdline").read_bytes()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """Every log line so far; one that is no JSON object has the level "raw"."""
        lines = []
        for text in self.log.splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                line = {"level": "raw", "event": text}
            lines.append(line if isinstance(line, dict) else {"level": "raw", "event": text})
        return lines

    def problems(self) -> list[str]:
        """Errors, tracebacks and warnings of Python in the log."""
        return [
            json.dumps(line)
            for line in self.log_lines()
            if line.get("level") in ("error", "critical", "raw")
            and line.get("event") not in self.expected_errors
        ]

    def pids(self) -> list[int]:
        """The process and its children: with ``--workers`` the workers are among them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def rss_bytes(self) -> int:
        """Resident memory of the process itself."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the process is gone")

    def metric(self, name: str, **labels: str) -> float:
        """The value of one Prometheus series, 0 if it does not exist."""
        text = self.get("/metrics").raise_for_status().text
        series = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "")
        return next(
            (float(line.split()[-1]) for line in text.splitlines() if line.startswith(series + " ")), 0.0
        )

    def readiness(self) -> dict[str, str]:
        """What ``/readyz`` says; empty while nobody answers."""
        try:
            answer: dict[str, str] = self.get("/readyz").json()
        except httpx.TransportError:
            return {}
        return answer

    def get(self, path: str) -> httpx.Response:
        """One GET, outside the event loop."""
        # verify: building a TLS context would take longer than the request.
        return httpx.get(self.url + path, trust_env=False, verify=False, timeout=10)

    def wait_ready(self, within_s: float = START_DEADLINE_S) -> None:
        """Return when database and bus are there and requests are answered."""

        def ready() -> bool:
            assert self.process.poll() is None, f"the server ended:\n{self.log}"
            return set(self.readiness().values()) == {"ok"}

        until(ready, within_s=within_s, what=f"readiness of {self.url}")

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, within_s: float = STOP_DEADLINE_S) -> int:
        """Return the exit status when the process has ended."""
        return self.process.wait(within_s)

    def kill(self) -> None:
        """End it as a crash would, with its workers."""
        if self.process.poll() is None:
            for pid in reversed(self.pids()):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it with SIGTERM, or by force if that takes too long (which then is a failure)."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


def _spawn(command: Sequence[str], env: dict[str, str], port: int, log_path: Path) -> Server:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=clean_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl+C is for the tests, which then stop it.
            start_new_session=True,
        )
    return Server(process, port, log_path)


def serve(env: dict[str, str], log_path: Path, *, workers: int = 1, port: int | None = None) -> Server:
    """Start ``manage.py serve``."""
    port = port or free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
    return _spawn(command, env, port, log_path)


def daphne(env: dict[str, str], log_path: Path) -> Server:
    """Start ``daphne config.asgi:application``."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
    # By itself it logs each request with its query string.
    command += ["--access-log", os.devnull, "config.asgi:application"]
    return _spawn(command, env, port, log_path)


def uvicorn(env: dict[str, str], log_path: Path) -> Server:
    """Start ``uvicorn config.asgi:application``, without anything of ours."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--no-access-log"]
    server = _spawn([*command, "config.asgi:application"], env, port, log_path)
    # What it says of a handshake that was refused with an HTTP response, and of what is no text.
    server.expected_errors |= {
        "ASGI callable returned without completing handshake.",
        "Invalid UTF-8 sequence received from client.",
    }
    return server


def runserver(env: dict[str, str], log_path: Path) -> Server:
    """Start ``manage.py runserver``."""
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    return _spawn(command, env, port, log_path)


STARTERS: dict[str, Callable[[dict[str, str], Path], Server]] = {
    "serve": serve,
    "daphne": daphne,
    "uvicorn": uvicorn,
}


def wait_all_ready(servers: Iterable[Server]) -> None:
    """Wait for servers that were started one after the other, so that they start side by side."""
    for server in servers:
        server.wait_ready()

"""A real server for tests: ``manage.py serve`` on a free port, with data of its own.

It runs as an installation does (DEBUG off) and knows nothing of the test's process.
"""

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from tests.components import StartError, free_port

ROOT = Path(__file__).resolve().parent.parent
START_DEADLINE_S = 30.0
# `serve` promises to leave within 30 s.
STOP_DEADLINE_S = 40.0


class FoyerServer:
    """One server process. `stop` and `start` keep its port and its data.

    Args:
        data_dir: where its database is; made and migrated if need be.
        settings: environment variables beside the defaults below.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output: deque[str] = deque(maxlen=500)
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "DATA_DIR": str(data_dir),
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "INSECURE_HTTP": "1",
            "BROADCAST_OPEN": "1",
            "LOG_FORMAT": "console",
            **(settings or {}),
        }
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        if not (data_dir / "foyer.sqlite3").exists():
            self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str) -> str:
        """Run a management command on the server's data; gives what it printed.

        Raises:
            StartError: it failed; the message holds what it printed.
        """
        result = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise StartError(f"manage.py {arguments[0]} failed:\n{result.stdout}{result.stderr}")
        return result.stdout

    def start(self) -> None:
        """Start, and return once it listens.

        Raises:
            StartError: it ended or said nothing.
        """
        ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout, ready), daemon=True)
        self._reader.start()
        if not ready.wait(START_DEADLINE_S) or self._process.poll() is not None:
            self.stop(signal.SIGKILL)
            raise StartError(f"The server did not become ready:\n{''.join(self.output)}")

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Send the signal and wait for the end; kill it when it does not come. May be called again."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
            try:
                self._process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        assert self._reader is not None
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def _read(self, stream: IO[str], ready: threading.Event) -> None:
        for line in stream:
            self.output.append(line)
            if "Uvicorn running" in line:
                ready.set()
        ready.set()  # it ended: nobody needs to wait any longer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop(signal.SIGKILL)

"""Foyer's consumers on uvicorn as it comes, without the server classes of ours."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Server
from bench.peers.foyer import ENVELOPE_BYTES, environment
from bench.process import BUILD, ROOT, SERVER_CORE, answers, family, free_port, running


@dataclass(frozen=True)
class StockUvicorn:
    name: str = "the same on stock uvicorn"

    def missing(self) -> str | None:
        return None

    @contextmanager
    def run(self) -> Iterator[Server]:
        with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder:
            env = environment(Path(folder))
            migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(migrate, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **env}, check=True)
            port = free_port()
            command = [sys.executable, "-m", "uvicorn", "bench.peers.tuned_server:application"]
            command += ["--port", str(port), "--no-access-log", "--backlog", "4096"]
            # Ours has no compression, and heartbeats of its own.
            command += ["--ws-per-message-deflate", "false", "--ws-ping-interval", "600"]
            with running(
                command,
                ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
                core=SERVER_CORE,
                env=env,
                log=BUILD / "stock-uvicorn.log",
            ) as process:
                yield Server(port, "/bench/listen", "/bench/emit", tuple(family(process.pid)), ENVELOPE_BYTES)

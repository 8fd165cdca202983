"""Foyer as an operator runs it: ``manage.py serve``, one worker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import Server
from bench.process import BUILD, ROOT, SERVER_CORE, answers, family, free_port, running

# {"type":"DATA","payload":…,"requires_ack":false,"eventID":"evt_12345678","clientID":"client_12345678",
# "latency":0}: everything around the payload.
ENVELOPE_BYTES = 113


def environment(data_dir: Path) -> dict[str, str]:
    """A production configuration with the limits that are there against load out of the way."""
    return {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite:///{data_dir / 'bench.sqlite3'}",
        "REDIS_URL": "",
        "DEBUG": "0",
        "SECRET_KEY": "only-for-measuring-" + "x" * 50,
        "INSECURE_HTTP": "1",
        "ALLOWED_HOSTS": "*",
        "BROADCAST_OPEN": "1",
        "MAX_CONNECTIONS_PER_ADDRESS": "1000000",
        "BROADCAST_EMIT_RATE": "1e9",
        "BROADCAST_EMIT_BURST": "1000000000",
        # Members are counted, not announced: a crowd of benchmark clients would tell each other.
        "BROADCAST_PRESENCE_LIMIT": "0",
        "LOG_LEVEL": "WARNING",
    }


@dataclass(frozen=True)
class Foyer:
    """`emit_path` is the protocol document's route; another gives the same event another way in."""

    name: str = "Foyer"
    emit_path: str = "/bench/emit"
    wrap: tuple[str, str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    # Without what limits how much one connection may say.
    tuned: bool = False

    def missing(self) -> str | None:
        return None

    @contextmanager
    def run(self) -> Iterator[Server]:
        with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder:
            env = environment(Path(folder)) | dict(self.env)
            manage = [sys.executable, str(ROOT / "manage.py")]
            subprocess.run(
                [*manage, "migrate", "--verbosity", "0"],
                cwd=ROOT,
                env={"PATH": "/usr/bin:/bin", **env},
                check=True,
            )
            port = free_port()
            program = [sys.executable, "-m", "bench.peers.tuned_server"] if self.tuned else manage
            command = [*program, "serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
            with running(
                command,
                ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
                core=SERVER_CORE,
                env=env,
                log=BUILD / "foyer.log",
            ) as process:
                yield Server(
                    port,
                    "/bench/listen",
                    self.emit_path,
                    tuple(family(process.pid)),
                    ENVELOPE_BYTES,
                    self.wrap,
                )


@dataclass(frozen=True)
class FoyerApi(Foyer):
    """The same service behind its other door, the REST API."""

    name: str = "Foyer, its REST API"
    emit_path: str = "/api/broadcast/channels/bench/events"
    wrap: tuple[str, str] | None = ('{"payload":', "}")

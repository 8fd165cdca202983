"""Stock Channels on uvicorn and on daphne, with the in-memory and the Redis pub/sub layer."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from bench.peers import Server
from bench.process import BUILD, LOAD_CORE, SERVER_CORE, accepts, family, free_port, running

APPLICATION = "bench.peers.stock.asgi:application"


@contextmanager
def redis() -> Iterator[str]:
    """A Redis of our own on a free port, on the load core; gives its URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, ready=lambda: accepts(port), core=LOAD_CORE, log=BUILD / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


@dataclass(frozen=True)
class Channels:
    server: Literal["uvicorn", "daphne"] = "uvicorn"
    layer: Literal["memory", "Redis pub/sub"] = "Redis pub/sub"
    emit_path: str = "/bench/emit"
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or f"stock Channels, {self.layer}, {self.server}"

    def missing(self) -> str | None:
        if self.layer != "memory" and not shutil.which("redis-server"):
            return "redis-server is not installed"
        return None

    @contextmanager
    def run(self) -> Iterator[Server]:
        port = free_port()
        if self.server == "uvicorn":
            options = [
                "--port",
                str(port),
                "--no-access-log",
                "--log-level",
                "warning",
                "--ws-ping-interval",
                "600",
            ]
            options += ["--lifespan", "off", "--backlog", "4096"]
        else:
            options = ["-p", str(port), "-v", "0", "--ping-interval", "600"]
        command = [sys.executable, "-m", self.server, *options, APPLICATION]
        with ExitStack() as stack:
            env = {"BENCH_REDIS_URL": stack.enter_context(redis()) if self.layer != "memory" else ""}
            process = stack.enter_context(
                running(
                    command,
                    ready=lambda: accepts(port),
                    core=SERVER_CORE,
                    env=env,
                    log=BUILD / "channels.log",
                )
            )
            yield Server(port, "/bench/listen", self.emit_path, tuple(family(process.pid)))

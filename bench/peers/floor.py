"""The C loop of ``send()``: what no fan-out server can beat without joining messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.peers import Server
from bench.process import BUILD, SERVER_CORE, accepts, free_port, running
from bench.swarm import build


@dataclass(frozen=True)
class Floor:
    """`copies` frames go into each ``send()``: 1 is the floor, more shows what the generator can read."""

    copies: int = 1

    @property
    def name(self) -> str:
        return "C send() loop" if self.copies == 1 else f"C send() loop, {self.copies} frames a call"

    def missing(self) -> str | None:
        return None

    @contextmanager
    def run(self) -> Iterator[Server]:
        port = free_port()
        command = [build("floor"), str(port), str(self.copies)]
        with running(
            command, ready=lambda: accepts(port), core=SERVER_CORE, log=BUILD / "floor.log"
        ) as process:
            yield Server(port, "/bench/listen", "/bench/emit", (process.pid,))

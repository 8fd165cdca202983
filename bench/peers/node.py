"""Node's ``ws``, installed into ``bench/build/node`` at the pinned version."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Server
from bench.process import BUILD, SERVER_CORE, accepts, free_port, running

SOURCES = Path(__file__).parent / "node"
HOME = BUILD / "node"


@dataclass(frozen=True)
class Node:
    name: str = "node ws"

    def missing(self) -> str | None:
        if not shutil.which("node") or not shutil.which("npm"):
            return "node and npm are not installed"
        HOME.mkdir(parents=True, exist_ok=True)
        wanted = (SOURCES / "package.json").read_text()
        stamp = HOME / "package.json"
        if not (HOME / "node_modules" / "ws").exists() or stamp.read_text() != wanted:
            stamp.write_text(wanted)
            command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
            done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
            if done.returncode:
                return f"npm could not install ws: {done.stderr.strip().splitlines()[-1:]}"
        shutil.copy(SOURCES / "server.mjs", HOME)
        return None

    @contextmanager
    def run(self) -> Iterator[Server]:
        port = free_port()
        command = ["node", HOME / "server.mjs", str(port)]
        with running(
            command, ready=lambda: accepts(port), core=SERVER_CORE, log=BUILD / "node.log"
        ) as process:
            yield Server(port, "/bench/listen", "/bench/emit", (process.pid,))

"""Processes that read Kafka, and a client that hears of what they store."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.components import free_port
from tests.e2e.servers import Server, _spawn
from tests.kafka.feeding import Query

PATIENCE_S = 20.0


class Processes:
    """Those that a test starts; `stop` ends what is left, and finds what they should not have logged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Server] = []

    def serve(self, env: dict[str, str]) -> Server:
        """A server that reads Kafka itself."""
        return self._start(["tests.kafka.quick", "serve"], env, free_port())

    def consume(self, env: dict[str, str]) -> Server:
        """A worker; its port has what monitoring asks for."""
        return self._start(["tests.kafka.quick", "consume_notifications"], env, free_port())

    def doomed(self, env: dict[str, str], *, kills: int, seed: int) -> Server:
        """A worker that is killed so often before it stays."""
        return self._start(["tests.kafka.doomed", str(kills), str(seed)], env, None)

    def stop(self) -> None:
        with ExitStack() as stack:
            for process in self._running:
                stack.callback(process.stop)
        assert [problem for process in self._running for problem in process.problems()] == []

    def _start(self, module: list[str], env: dict[str, str], port: int | None) -> Server:
        command = [sys.executable, "-m", *module] + (["--port", str(port)] if port else [])
        process = _spawn(command, env, port or 0, self._folder / f"{len(self._running)}.log")
        self._running.append(process)
        return process


def sqlite_query(database: Path) -> Query:
    """Rows of a server's database, past the server."""

    def query(statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(statement).fetchall()

    return query


class Inbox:
    """A user's connection with a list open. `titles` are of the notifications that it was told of."""

    def __init__(self, ws: ClientConnection) -> None:
        self._ws = ws
        self.pushes: list[dict[str, Any]] = []
        self.subscription = ""

    @property
    def titles(self) -> list[str]:
        return [push["payload"].get("title") for push in self.pushes]

    async def open(self, token: str) -> None:
        """Sign in, and ask for the list."""
        await self._ask(1, "authentication", {"authToken": token})
        answer = await self._ask(2, "getMyNotifications", {"where": {"types": []}})
        self.subscription = answer["event"]

    async def hear(self, number: int = 1) -> list[dict[str, Any]]:
        """The next pushes."""
        async with asyncio.timeout(PATIENCE_S):
            new = [json.loads(await self._ws.recv()) for _ in range(number)]
        assert {push["rid"] for push in new} <= {-1}
        self.pushes += new
        return new

    async def _ask(self, rid: int, command: str, options: dict[str, Any]) -> dict[str, Any]:
        await self._ws.send(json.dumps({"rid": rid, "command": command, "options": options}))
        answer: dict[str, Any] = json.loads(await self._ws.recv())
        assert answer["status"] == "ok", answer
        return answer


@asynccontextmanager
async def inbox(server: Server, token: str) -> AsyncIterator[Inbox]:
    async with connect(f"{server.ws_url}/notifications/", max_queue=None) as ws:
        opened = Inbox(ws)
        await opened.open(token)
        yield opened

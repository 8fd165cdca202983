"""Sockets of the ticket desk for tests over several processes: they ask, listen, and keep a view."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config import BASE_DIR
from tests.e2e.listener import eventually
from tests.e2e.servers import Server, clean_environment
from ticketing.protocol.client import DisplayView, StaffView

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class DeskSeed:
    """What `desk_seed` made: tokens by the name of the staff, and a manager's API key."""

    tokens: dict[str, str]
    key: str

    @property
    def names(self) -> list[str]:
        return list(self.tokens)


def seed_desk(env: dict[str, str]) -> DeskSeed:
    """Fifty people of the staff and tables 0 to 49, in the database that `env` names."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.integration.desk_seed"],
        cwd=BASE_DIR,
        env=clean_environment(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return DeskSeed(**json.loads(result.stdout))


class Wire:
    """One socket. `view` is what it was told, applied in order; `ask` gives the answer to a command."""

    def __init__(self, ws: ClientConnection, view: Any) -> None:
        self.ws = ws
        self.view = view
        self.lines: list[str] = []
        self._answer: asyncio.Future[str] | None = None
        self._reading = asyncio.create_task(self._read())

    async def ask(self, command: str) -> str:
        """Send a command; its answer. ConnectionClosed if there is none any more."""
        self._answer = asyncio.get_running_loop().create_future()
        await self.ws.send(command)
        return await asyncio.wait_for(self._answer, PATIENCE_S)

    async def close(self) -> None:
        await self.ws.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for line in self.ws:
                assert isinstance(line, str)
                self.lines.append(line)
                if self.view is not None:
                    self.view.apply(line)
                if line.startswith(("success ", "error ")) and self._answer is not None:
                    self._answer.set_result(line)
                    self._answer = None
        except ConnectionClosed:
            pass
        if self._answer is not None:
            self._answer.set_exception(ConnectionResetError("closed before the answer"))


@asynccontextmanager
async def wire(server: Server, path: str, view: Any = None) -> AsyncIterator[Wire]:
    """A socket at ``/ticketing/<path>``."""
    async with connect(f"{server.ws_url}/ticketing/{path}", compression=None, max_queue=None) as ws:
        socket = Wire(ws, view)
        yield socket
        await socket.close()


def at_kiosk(server: Server) -> Any:
    return wire(server, "kiosk/")


def at_display(server: Server) -> Any:
    return wire(server, "display/", DisplayView())


def at_desk(server: Server) -> Any:
    return wire(server, "staff/", StaffView())


def ticket_id(answer: str) -> int:
    """The id in the answer to ``new``, which must be a success."""
    verb, brace, rest = answer.partition("{")
    assert verb == "success new ", answer
    number: int = json.loads(brace + rest)["id"]
    return number


@asynccontextmanager
async def manager(server: Server, key: str) -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """``await manage("POST", "tickets/5/release")`` with everything a manager may."""
    async with httpx.AsyncClient(
        base_url=f"{server.url}/api/ticketing/",
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        verify=False,
        timeout=PATIENCE_S,
    ) as client:

        async def manage(method: str, path: str, **options: Any) -> httpx.Response:
            return await client.request(method, path, **options)

        yield manage


async def clear(server: Server, key: str) -> None:
    """Nobody waits, is served, or sits anywhere: what a test before left behind is gone."""
    async with manager(server, key) as manage:
        for state in ("waiting", "serving"):
            while found := (await manage("GET", "tickets", params={"state": state, "limit": 500})).json()[
                "results"
            ]:
                for ticket in found:
                    await manage("POST", f"tickets/{ticket['id']}/cancel")
        for table in (await manage("GET", "tables", params={"limit": 500})).json()["results"]:
            if table["staff"]:
                await manage("POST", f"tables/{table['number']}/free")


async def same_as_fresh(
    servers: Iterable[Server], displays: Iterable[Wire], clerks: Iterable[tuple[Wire, str]]
) -> None:
    """What each socket was told adds up to what a newcomer is told, in either process.

    Args:
        clerks: sockets of staff, each with its token.
    """
    for server in servers:
        for display in displays:

            async def as_shown(display: Wire = display, server: Server = server) -> bool:
                async with at_display(server) as fresh:
                    # Its picture comes in one write, closed by the server's answer to the closing.
                    await fresh.close()
                    return bool(fresh.view.tables == display.view.tables)

            await eventually(as_shown, within_s=PATIENCE_S, what="a display to show what a fresh one shows")
        for clerk, token in clerks:

            async def as_told(clerk: Wire = clerk, token: str = token, server: Server = server) -> bool:
                async with at_desk(server) as fresh:
                    if clerk.view.table is not None:
                        await fresh.ask(f"pick {clerk.view.table} {token}")
                    await fresh.close()
                    told: bool = fresh.view.table == clerk.view.table and (
                        fresh.view.waiting == clerk.view.waiting
                        if clerk.view.table is not None
                        else fresh.view.taken == clerk.view.taken
                    )
                    return told

            await eventually(as_told, within_s=PATIENCE_S, what="a clerk to know what a newcomer is told")

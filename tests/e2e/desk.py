"""A ticket desk on a running server, and clients of its protocol as a stranger would write them.

Tables, staff and devices are made over the HTTP API, so any server of the tests can have a desk. A `Wire`
is one socket, line by line: what is expected is spelled out, and `quiet` shows that nothing else came.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.listener import PATIENCE_S
from tests.e2e.rawsocket import RawSocket
from tests.e2e.servers import Server

# All there are, but for one that nobody can pick.
TABLES = (0, 1, 2)
CLOSED_TABLE = 9
EPOCH = "1970-01-01T00:00:00Z"
TIME = r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff."""

    id: int
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Device:
    """A kiosk or a display."""

    id: int
    token: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket, and the JSON that staff and kiosks are to be told of it."""

    id: int
    email: str
    name: str
    start: str

    def json(self, staff: str = "{}", end: str = EPOCH) -> str:
        """Put together by hand: the order of the keys and the lack of white space are to be as documented."""
        email, name, by = (json.dumps(text, ensure_ascii=False) for text in (self.email, self.name, staff))
        return (
            f'{{"id":{self.id},"email":{email},"name":{name},"staff":{by},'
            f'"start":"{self.start}","end":"{end}"}}'
        )


class Wire:
    """One socket. All methods look at lines in the order in which they came, and pass over none."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws

    async def next(self) -> str:
        """The next line."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await self.ws.recv()
        except TimeoutError:
            raise AssertionError(f"no line within {PATIENCE_S} s") from None
        assert isinstance(line, str), "every frame is one of text"
        return line

    async def expect(self, *lines: str) -> None:
        """The next lines are these."""
        for line in lines:
            got = await self.next()
            assert got == line, f"expected {line!r}, not {got!r}"

    async def quiet(self) -> None:
        """Nothing has come since: what is sent to one client is sent in order."""
        await self.ask("anything-else?", "error anything-else? unknown command")

    async def send(self, line: str) -> None:
        await self.ws.send(line)

    async def ask(self, line: str, *answers: str) -> None:
        """Send a line; the next ones to come are the answers."""
        await self.send(line)
        await self.expect(*answers)

    async def take_ticket(self, email: str = "ada@example.org", name: str = "Ada") -> Ticket:
        """As a kiosk: take a ticket; its JSON is looked at to the byte."""
        await self.send(f"new {email} {name}")
        line = await self.next()
        found = re.fullmatch(rf'success new {{"id":(\d+),.*,"start":"({TIME})","end":"{EPOCH}"}}', line)
        assert found, line
        ticket = Ticket(int(found[1]), email, name, found[2])
        assert line == f"success new {ticket.json()}"
        return ticket

    async def drop(self) -> None:
        """Vanish without a close frame, as a lost network does."""
        self.ws.transport.abort()
        await self.ws.wait_closed()

    async def close_code(self) -> int | None:
        """Wait for the server to close."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.ws.recv()
            except ConnectionClosed:
                return self.ws.close_code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.ws.close()


class Desk:
    """The desk of one server. Everybody comes to it over sockets; managing it goes over the API."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self._api = httpx.Client(
            base_url=f"{server.url}/api/ticketing/",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            verify=False,
            timeout=20,
        )
        for number in TABLES:
            self.manage("POST", "tables", number=number, name=f"Counter {number}")
        self.manage("POST", "tables", number=CLOSED_TABLE, is_active=False)
        self.ana, self.ben, self.cho = (self._hire(name) for name in ("Ana", "Ben", "Cho"))

    def manage(self, method: str, path: str, **body: Any) -> Any:
        """What a manager does; gives the answer's body. Must succeed."""
        response = self._api.request(method, path, json=body or None)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def _hire(self, name: str) -> Person:
        staff = self.manage("POST", "staff", username=f"clerk-{name.lower()}", name=name)
        return Person(staff["id"], name, self.new_token(staff["id"]))

    def new_token(self, staff_id: int) -> str:
        token: str = self.manage("POST", f"staff/{staff_id}/tokens")["token"]
        return token

    def new_device(self, kind: str, name: str) -> Device:
        made = self.manage("POST", "devices", kind=kind, name=name)
        return Device(made["id"], made["token"])

    def clear(self) -> None:
        """Leave no table taken and no ticket open, for the next test."""
        for table in self.manage("GET", "tables")["results"]:
            if table["state"] not in ("off", "offline"):
                self.manage("POST", f"tables/{table['number']}/free")
        while tickets := self.manage("GET", "tickets?state=waiting&state=serving")["results"]:
            for ticket in tickets:
                self.manage("POST", f"tickets/{ticket['id']}/cancel")

    def close(self) -> None:
        self._api.close()

    def connections(self) -> float:
        """How many sockets the server counts."""
        return self.server.metric("foyer_connections", app="ticketing")

    async def wire(self, page: str, *, token: str | None = None, **headers: str) -> Wire:
        """A socket of ``staff``, ``kiosk`` or ``display``.

        Raises:
            websockets.exceptions.InvalidStatus: it is not let in.
        """
        query = f"?token={token}" if token else ""
        return Wire(
            await connect(
                f"{self.server.ws_url}/ticketing/{page}/{query}",
                proxy=None,
                additional_headers=headers,
                ping_interval=None,
                # All is read, and kept for the test to look at.
                max_queue=None,
            )
        )

    async def raw(self, page: str) -> RawSocket:
        """A socket of which every byte is ours to choose."""
        raw = await RawSocket.dial(self.server)
        raw.writer.write(
            f"GET /ticketing/{page}/ HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = await raw.head()
        assert status == 101, status
        return raw

    @asynccontextmanager
    async def wires(self, *pages: str) -> AsyncIterator[Sequence[Wire]]:
        """Sockets for the length of a block, each after the other and with nothing said yet but ``taken``."""
        async with AsyncExitStack() as stack:
            wires = []
            for page in pages:
                wire = await stack.enter_async_context(await self.wire(page))
                if page == "staff":
                    await wire.expect("taken")
                wires.append(wire)
            yield wires

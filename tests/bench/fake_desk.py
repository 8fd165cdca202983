"""A ticket desk in a few lines, and what was said at it: what the desk's load generator is tried on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.bench.fake_server import UPGRADE, frame

# After the line; long enough that it cannot come together with it.
MORE_FOR_PAGES = [*(["ticket " + "x" * 1_000] * 500), "ready"]


@dataclass
class Guest:
    """A connection: its path and the lines it has sent."""

    path: str
    writer: asyncio.StreamWriter
    said: list[str] = field(default_factory=list)
    seated: bool = False


def in_one_piece(data: bytes) -> list[bytes]:
    return [data]


class FakeDesk:
    """Answers as the protocol has it, whatever is asked; `waiting` tickets are there from the start.

    Args:
        cut: how what a connection is sent at once is cut into segments.
        refuse: a line that is answered with an error instead.
        hang_up: a line after which the connection is cut.
    """

    def __init__(
        self,
        waiting: int = 0,
        *,
        cut: Callable[[bytes], list[bytes]] = in_one_piece,
        refuse: str = "",
        hang_up: str = "",
    ) -> None:
        self.names = dict.fromkeys(range(1, waiting + 1), "Somebody")
        self.guests: list[Guest] = []
        self.accepted: list[int] = []
        self.completed: list[int] = []
        self._cut = cut
        self._refuse = refuse
        self._hang_up = hang_up
        self._connections: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.append(asyncio.create_task(self._connection(reader, writer)))

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def said(self, verb: str) -> list[str]:
        """The lines of all connections that begin with that verb."""
        return [line for guest in self.guests for line in guest.said if line.partition(" ")[0] == verb]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            guest = Guest(head.decode().split(" ")[1], writer)
            self.guests.append(guest)
            writer.write(UPGRADE + (frame(b"taken") + frame(b"ready") if "extended" in guest.path else b""))
            while True:
                opcode, length = await reader.readexactly(2)
                line = (await reader.readexactly(4 + (length & 0x7F)))[4:].decode()
                if opcode & 0x0F == 1:
                    guest.said.append(line)
                    await self._answer(guest, line)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, guest: Guest, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if verb == self._hang_up:
            guest.writer.transport.abort()
        elif verb == self._refuse:
            await self._tell([guest], f"error {verb} not now")
        elif verb == "pick":
            guest.seated = True
            picture = [self._new(ticket) for ticket in self.names if ticket not in self.accepted]
            if "extended" in guest.path:
                picture += MORE_FOR_PAGES
            await self._tell([guest], f"success pick {rest.partition(' ')[0]}", *picture)
        elif verb == "new":
            ticket = len(self.names) + 1
            self.names[ticket] = rest.partition(" ")[2]
            await self._tell([guest], f"success {self._new(ticket)}")
            await self._tell([other for other in self.guests if other.seated], self._new(ticket))
        elif verb == "accept":
            self.accepted.append(int(rest))
            await self._tell([guest], f"success claimed {rest}")
        elif verb == "complete":
            self.completed.append(int(rest))
            await self._tell([guest], f"success complete {rest}")

    def _new(self, ticket: int) -> str:
        return f'new {{"id":{ticket},"email":"v@bench.example","name":"{self.names[ticket]}","staff":"{{}}"}}'

    async def _tell(self, guests: list[Guest], *lines: str) -> None:
        data = b"".join(frame(line.encode()) for line in lines)
        for guest in guests:
            for piece in self._cut(data):
                guest.writer.write(piece)
                await asyncio.sleep(0)  # each a segment of its own

"""`Site`: an HTTP server that answers as it is told and keeps what it was asked; on the test's own loop."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request: header names in lower case, as they came otherwise."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is sent as JSON unless it is bytes."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} As told", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Site:
    """Answers every path with what `replies` has for it: a `Reply`, or a function that gives one."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply | Callable[[Asked], Awaitable[Reply]]] = {}
        self.asked: list[Asked] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self._connections)

    async def __aenter__(self) -> Self:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.add(asyncio.create_task(self._connection(reader, writer)))

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1000)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def asked_for(self, path: str) -> list[Asked]:
        return [request for request in self.asked if request.path == path]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                method, target, _version = request_line.split(" ")
                path = urlsplit(target)
                asked = Asked(
                    method,
                    path.path,
                    {name: values[0] for name, values in parse_qs(path.query).items()},
                    headers,
                    await reader.readexactly(int(headers.get("content-length", "0"))),
                )
                self.asked.append(asked)
                reply = self.replies.get(path.path, Reply(status=404))
                writer.write((reply if isinstance(reply, Reply) else await reply(asked)).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def hang(seen: asyncio.Event) -> Callable[[Asked], Awaitable[Reply]]:
    """A reply that never comes; `seen` is set when it is asked for."""

    async def never(_asked: Asked) -> Reply:
        seen.set()
        await asyncio.Event().wait()
        raise AssertionError

    return never

"""A WebSocket and HTTP server that answers as it is told: what the load generator is tried on."""

import asyncio
from collections.abc import Callable
from typing import Self

UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# What one listener gets for one event, in pieces that are written one after the other.
Script = Callable[[bytes], list[bytes]]


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """An unmasked frame, written out here on its own so that a mistake is not made twice."""
    length = len(payload)
    if length < 126:
        return bytes([0x80 | opcode, length]) + payload
    if length < 65536:
        return bytes([0x80 | opcode, 126]) + length.to_bytes(2) + payload
    return bytes([0x80 | opcode, 127]) + length.to_bytes(8) + payload


class FakeServer:
    """Passes every POST's body to every listener as `script` says; `hello` follows each handshake."""

    def __init__(
        self, script: Script = lambda body: [frame(body)], *, hello: bytes = b"", answer: bytes = ANSWER
    ) -> None:
        self.script = script
        self.hello = hello
        self.answer = answer
        self.heads: list[bytes] = []
        self.events: list[bytes] = []
        self.received = b""
        self.got_frame = asyncio.Event()
        self._listeners: list[asyncio.StreamWriter] = []
        self._connections: list[asyncio.Task[None]] = []
        # The pieces of two events must not mix.
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.append(asyncio.create_task(self._connection(reader, writer)))

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.abort_listeners()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def abort_listeners(self) -> None:
        """Cut every listener's connection with a reset."""
        for writer in self._listeners:
            writer.transport.abort()

    def tell(self, data: bytes) -> None:
        """Write this to every listener."""
        for writer in self._listeners:
            writer.write(data)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    writer.write(UPGRADE + self.hello)
                    self._listeners.append(writer)
                    while data := await reader.read(4096):
                        self.received += data
                        self.got_frame.set()
                    break
                self.heads.append(head)
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await self._fan_out(await reader.readexactly(length))
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _fan_out(self, body: bytes) -> None:
        self.events.append(body)
        async with self._turn:
            for writer in self._listeners:
                for piece in self.script(body):
                    writer.write(piece)  # each a segment of its own, without Nagle's delay
                    await asyncio.sleep(0)

"""A WebSocket connection of which every byte is ours to choose, proper or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any, Self

from tests.e2e.listener import PATIENCE_S
from tests.e2e.servers import Server

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    payload: bytes = b"",
    opcode: int = TEXT,
    *,
    fin: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length: int | None = None,
) -> bytes:
    """A client's frame (RFC 6455, 5.2). `length` states another length than the payload has."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65_536:
        head += bytes([mask_bit | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    stretched = mask * (len(payload) // 4 + 1)
    body = int.from_bytes(payload, "big") ^ int.from_bytes(stretched[: len(payload)], "big")
    return head + mask + body.to_bytes(len(payload), "big")


def handshake(server: Server, channel: str, query: str = "") -> bytes:
    """The request that opens a WebSocket."""
    return (
        f"GET /{channel}/listen{query} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@dataclass
class RawSocket:
    """One connection, after its handshake (`open`) or before it (`dial`)."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    half_closed: bool = False

    @classmethod
    async def dial(
        cls, server: Server, *, receive_buffer_bytes: int | None = None, source: str | None = None
    ) -> Self:
        sock = socket.socket()
        if receive_buffer_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        if source:
            sock.bind((source, 0))
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, server.address)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
        return cls(reader, writer)

    @classmethod
    async def open(cls, server: Server, channel: str, query: str = "", **options: Any) -> Self:
        raw = await cls.dial(server, **options)
        raw.writer.write(handshake(server, channel, query))
        status = await raw.head()
        assert status == 101, status
        return raw

    async def head(self) -> int:
        """Read a response's status and headers; gives the status, 0 if the peer hung up."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                lines = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return 0
        return int(lines.split()[1])

    async def send(self, data: bytes) -> None:
        """Write all of it, or as much as the server takes before it hangs up."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def receive(self, *, within_s: float = PATIENCE_S) -> tuple[int, bytes] | None:
        """The server's next frame as (opcode, payload), or None at the end of the connection."""
        async with asyncio.timeout(within_s):
            try:
                head = await self.reader.readexactly(2)
                length = head[1]
                if length == 126:
                    length = int.from_bytes(await self.reader.readexactly(2), "big")
                elif length == 127:
                    length = int.from_bytes(await self.reader.readexactly(8), "big")
                return head[0] & 0x0F, await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def message(self) -> dict[str, Any]:
        """The next text frame, decoded."""
        received = await self.receive()
        assert received is not None, "the connection ended"
        assert received[0] == TEXT, received
        message: dict[str, Any] = json.loads(received[1])
        return message

    async def close_code(self, *, within_s: float = PATIENCE_S) -> int | None:
        """Read to the end; gives the code of the server's close frame, None without one."""
        code = None
        while (received := await self.receive(within_s=within_s)) is not None:
            if received[0] == CLOSE:
                code = int.from_bytes(received[1][:2], "big")
                if not self.half_closed:
                    await self.send(frame(received[1], CLOSE))
        return code

    async def ended(self, *, within_s: float = PATIENCE_S) -> bytes:
        """Read whatever comes until the server hangs up."""
        async with asyncio.timeout(within_s):
            data = b""
            try:
                while chunk := await self.reader.read(65_536):
                    data += chunk
            except ConnectionError:
                pass
            return data

    def end(self) -> None:
        """Send nothing more; go on reading."""
        self.half_closed = True
        with contextlib.suppress(OSError):
            self.writer.write_eof()

    def reset(self) -> None:
        """Vanish: the kernel sends RST and nothing else; nothing if the server has hung up meanwhile."""
        if not self.writer.transport.is_closing():
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

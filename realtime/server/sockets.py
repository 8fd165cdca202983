"""Sockets: how they are set, how long they are waited for, and how they are ended."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

# What the kernel may hold for a client that does not read. More would only hide stale messages.
SEND_BUFFER_BYTES = 128 * 1024
# The transport's own buffer, past which the client counts as not reading.
WRITE_HIGH_WATER_BYTES = 64 * 1024
# After the last word to a peer, the time it has to take that and to close. Then the socket is cut.
CLOSE_TIMEOUT_S = 5.0


def cut(transport: asyncio.Transport) -> None:
    """End a connection at once. The kernel drops what the peer has not taken, and tells it so (RST).

    A socket closed the ordinary way would keep that in memory for as long as the peer does not read.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class SocketProtocol(asyncio.Protocol):
    """A connection's socket, and the one deadline it has at a time."""

    __slots__ = ("_deadline", "_loop", "gone", "transport")

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._deadline: asyncio.TimerHandle | None = None
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of it.
        self.transport = cast(asyncio.Transport, transport)

    def bound_what_waits(self) -> None:
        """Hold little for a peer that does not read."""
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def eof_received(self) -> None:
        # The transport closes itself now, once the peer has taken everything.
        self.cut_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self.no_deadline()

    def send(self, data: bytes) -> None:
        """Write, unless the socket is lost: uvloop raises then, long before `connection_lost` tells of it."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def end(self) -> None:
        """Close the socket once the peer has taken everything."""
        self.transport.close()
        # One that does not read never would.
        self.cut_soon()

    def end_sending(self) -> None:
        """Say that no more comes, to a peer that may still be sending.

        Closing now would have the kernel answer that with a reset, which makes it forget our last words.
        """
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
            self.cut_soon()
        else:
            self.end()

    def cut_soon(self) -> None:
        """Give the peer a little time to close."""
        if not self.gone:
            self.deadline(CLOSE_TIMEOUT_S, self.cut)

    def cut(self) -> None:
        """End the connection at once."""
        cut(self.transport)

    def deadline(self, delay_s: float, missed: Callable[[], None]) -> None:
        """Call `missed` after this time, instead of what was set before."""
        self.no_deadline()
        # Not on the process's wheel: handshakes and closes are soon over, and the loop's timers cost less.
        self._deadline = self._loop.call_later(delay_s, missed)

    def no_deadline(self) -> None:
        """There is nothing to wait for any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

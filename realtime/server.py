"""The production server: uvicorn with two protocol classes of ours.

`HttpProtocol` bounds what may arrive before a request is complete, in bytes and in time; uvicorn by
itself reads headers of any size for ever. `WebSocketProtocol` offers the application its transport in
``scope["extensions"]["foyer.frames"]`` (the interface is `realtime.outlet.FrameTransport`): finished
frames go out without a queue, a task or an encoding for each client. Applications that do not know
the extension use the standard events, and everything here also runs without it, on any ASGI server.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from realtime import runtime
from realtime.close_codes import CloseCode
from realtime.frames import close_frame, ping_frame
from realtime.ratelimit import TokenBucket

# A request's line and headers: as much as common proxies let through.
MAX_HEADER_BYTES = 32 * 1024
# From the connection's first byte, or the end of the request before, to the end of the headers.
HEADERS_TIMEOUT_S = 10.0
# What the kernel may hold for a client that does not read. More would only hide stale messages.
SEND_BUFFER_BYTES = 128 * 1024
# The transport's own buffer, past which the client counts as not reading.
WRITE_HIGH_WATER_BYTES = 64 * 1024
# After a close frame, the time a peer has to take what is left and answer. Then the socket is cut.
CLOSE_TIMEOUT_S = 5.0
# Protocols here accept 64 KiB at most and answer what is larger with an error of their own; past this
# the connection is closed with 1009 before the message is read to its end.
MAX_MESSAGE_BYTES = 256 * 1024

# Pings of a client, which never reach an application that could count them.
PING_RATE_PER_S = 10.0
PING_BURST = 100

# uvicorn logs each handshake with its query string, which may carry a token. The application logs
# connections itself.
_quiet_logger = logging.getLogger("foyer.server")
_quiet_logger.setLevel(logging.WARNING)


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with bounded headers and a deadline for them."""

    _in_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._deadline is None:
                self._start_deadline()
            self._head_bytes += len(data)
        super().data_received(data)
        # What came in one piece with its end is bounded by the transport's read buffer.
        if self._in_head and self._head_bytes > MAX_HEADER_BYTES:
            self._stop_deadline()
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"connection: close\r\ncontent-length: 0\r\n\r\n"
            )
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # For an endless response whose client has stopped reading: ASGI has no word to end that.
        cast(dict[str, Any], self.scope)["extensions"] = {"foyer.abort": partial(_cut, self.transport)}

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_deadline()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            # Its task has not begun yet.
            self.cycle.transport = cast(asyncio.Transport, _HeadJoiner(self.transport, self.loop))

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def shutdown(self) -> None:
        runtime.current().drain()
        super().shutdown()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, self.transport.close)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _HeadJoiner:
    """The transport of one response: sends head and body in one system call if they come together.

    uvicorn writes them one after the other. What is written first waits for the rest until the event
    loop's next turn, and no longer.
    """

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._held is None:
            self._held = data
            self._loop.call_soon(self._flush)
        elif self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _cut(transport: asyncio.Transport) -> None:
    """End a connection at once. The kernel drops what the peer has not taken, and tells it so (RST).

    A socket closed the ordinary way would keep that in memory for as long as the peer does not read.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection whose transport the application may write frames to.

    Implements `realtime.outlet.FrameTransport`.
    """

    reading = True
    # Has the peer sent anything, if only a pong, since the last ping?
    heard = True
    on_reading: Callable[[], None] | None = None
    on_stalled: Callable[[], None] | None = None
    on_close_answered: Callable[[], None] | None = None
    _pings: TokenBucket | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _quiet_logger

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        # The application's task starts after this returns, so it finds the extension in its scope.
        # A handshake that was refused has no scope.
        if hasattr(self, "scope"):
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions["foyer.frames"] = self

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(self.frames):
            # uvicorn would log a traceback, and break where the client's close frame came along with it.
            self.frames = []
            self.close(CloseCode.INVALID_DATA, "text that is not UTF-8")
            return
        super().send_receive_event_to_app()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        super().data_received(data)

    def handle_ping(self) -> None:
        # The answer waits already. Whoever takes no answers gets none, else they would fill memory.
        output = self.conn.data_to_send()
        if self._pings is None:
            self._pings = TokenBucket(PING_RATE_PER_S, PING_BURST)
        if not self._pings.take(self.loop.time()):
            self.close(CloseCode.POLICY_VIOLATION, "too many pings")
        elif self.reading:
            self.transport.write(b"".join(output))

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # Refused with an HTTP response, which is an answer: uvicorn would log a fault of ours.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.reading = False
        if self.on_close_answered is not None and self.conn.close_rcvd is not None:
            self.on_close_answered()
        self.on_reading = self.on_stalled = self.on_close_answered = None
        if hasattr(self, "scope"):
            # It refers to us and we to it: without this, only the garbage collector would free both.
            cast(dict[str, Any], self.scope["extensions"]).pop("foyer.frames", None)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.reading = False
        if self.on_stalled is not None:
            self.on_stalled()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.reading = True
        if self.on_reading is not None:
            self.on_reading()

    def shutdown(self) -> None:
        runtime.current().drain()
        if self.handshake_complete and self.conn.state is not State.OPEN:
            # In its closing handshake already, perhaps with a peer that does not read: there is nothing
            # more to say, and saying it would raise.
            self.stop_keepalive()
            self.transport.close()
        else:
            super().shutdown()

    # -- FrameTransport ------------------------------------------------------------------------

    def write(self, frames: bytes) -> None:
        """Write finished frames. Nothing is written once a close frame was sent or the socket is lost."""
        # uvloop raises on a lost socket, long before `connection_lost` tells of it.
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frames)

    def ping(self) -> bool:
        """Send a ping; False, and none is sent, if nothing came since the last one."""
        if not self.heard:
            return False
        self.heard = False
        # Behind a full buffer it would only wait; who takes nothing for so long is not heard either.
        if self.reading:
            self.write(ping_frame())
        return True

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and cut the socket if the peer does not answer in `CLOSE_TIMEOUT_S`."""
        if self.close_sent or self.transport.is_closing():
            return
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(close_frame(code, reason))
        # A peer that does not read would never let the buffer drain: abort, which does not wait.
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT_S, _cut, self.transport)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()


def _is_utf8(parts: list[bytes]) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True

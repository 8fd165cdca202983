"""HTTP/1.1 of uvicorn (``http="realtime.server.http:HttpProtocol"``), with bounds it does not have."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from realtime import runtime
from realtime.server.sockets import cut

# A request's line and headers: as much as common proxies let through.
MAX_HEADER_BYTES = 32 * 1024
# From the connection's beginning to its first byte; and from there, or the end of the request before, to the
# end of the headers.
HEADERS_TIMEOUT_S = 10.0


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
        cast(dict[str, Any], self.scope)["extensions"] = {"foyer.abort": partial(cut, self.transport)}

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

    def handle_websocket_upgrade(self) -> None:
        if self.scope["http_version"] == "1.1":
            super().handle_websocket_upgrade()
        else:
            self.send_400_response("WebSocket takes HTTP/1.1.")
        # It refers to us and we to it: only the garbage collector would free both.
        self.parser = None  # type: ignore[assignment]

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

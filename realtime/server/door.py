"""The beginning of a connection (``http="realtime.server.door:Door"``): a WebSocket handshake, or HTTP.

A handshake that is in order and comes in one piece, as nearly all do, has no need of an HTTP parser and what
stands around it, which is a third of what it costs to accept a connection. All else goes to HTTP, which
answers it, or hands it on when the rest of a handshake has come.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from realtime.server.handshake import HandshakeError, Request, read_request
from realtime.server.http import HEADERS_TIMEOUT_S, MAX_HEADER_BYTES, HttpProtocol
from realtime.server.sockets import SocketProtocol
from realtime.server.websocket import WebSocketProtocol


class Door(SocketProtocol):
    """A connection of which nobody knows yet what it is to be."""

    __slots__ = ("_app_state", "_config", "_server_state")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(_loop or asyncio.get_running_loop())
        self._config = config
        self._server_state = server_state
        self._app_state = app_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(set[Any], self._server_state.connections).add(self)
        self.deadline(HEADERS_TIMEOUT_S, self.transport.close)

    def data_received(self, data: bytes) -> None:
        self._leave()
        if (found := whole_handshake(data)) is not None:
            socket = WebSocketProtocol(self._config, self._server_state, self._app_state, self._loop)
            self._hand_over(socket)
            socket.request_received(*found)
        else:
            http = HttpProtocol(self._config, self._server_state, self._app_state, self._loop)
            self._hand_over(http)
            http.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._leave()

    def shutdown(self) -> None:
        """The server stops."""
        self.transport.close()

    def _hand_over(self, protocol: WebSocketProtocol | HttpProtocol) -> None:
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)

    def _leave(self) -> None:
        self.no_deadline()
        cast(set[Any], self._server_state.connections).discard(self)


def whole_handshake(data: bytes) -> tuple[Request, bytes] | None:
    """The request to open a WebSocket connection that this is, and what comes behind it; else None."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end or len(head) > MAX_HEADER_BYTES:
        return None
    try:
        return read_request(head), rest
    except HandshakeError:
        return None

"""What a WebSocket or event-stream connection passes before its consumer sees it.

Counts connections for the process and for each address, refuses those above the limits and those
from pages of foreign origins, and logs one line when a connection opens and one when it closes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from realtime.logs import get_logger
from realtime.origins import origin_allowed
from realtime.outlet import FrameTransport

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = get_logger(__name__)


class TooManyConnectionsError(Exception):
    """A limit is reached; the text says which."""


class ConnectionCounter:
    """Connections of this process, in all and by address."""

    def __init__(self) -> None:
        self.total = 0
        self._by_address: Counter[str] = Counter()

    def add(self, address: str) -> None:
        """Count one connection.

        Raises:
            TooManyConnectionsError: the process or the address has as many as it may.
        """
        if self.total >= settings.MAX_CONNECTIONS:
            raise TooManyConnectionsError("this server has all the connections it can hold")
        if self._by_address[address] >= settings.MAX_CONNECTIONS_PER_ADDRESS:
            raise TooManyConnectionsError("too many connections from this address")
        self.total += 1
        self._by_address[address] += 1

    def remove(self, address: str) -> None:
        """Count one less."""
        self.total -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    @contextmanager
    def count(self, address: str) -> Iterator[None]:
        """Count one connection for as long as the block runs.

        Raises:
            TooManyConnectionsError: as `add`.
        """
        self.add(address)
        try:
            yield
        finally:
            self.remove(address)


connections = ConnectionCounter()


class _Counted:
    """A connection that is counted, until this is called. Smaller than a closure would be."""

    __slots__ = ("_address",)

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__(self) -> None:
        connections.remove(self._address)


def client_address(scope: Scope) -> str:
    """The peer's address without its port; empty where the server does not tell."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def host_allowed(scope: Scope) -> bool:
    """Whether the Host header names this site. A page counts as ours where its origin is the same host,
    so a foreign name that somebody lets point at us must not pass."""
    host = header(scope, b"host")
    return host is None or _is_ours(host, tuple(settings.ALLOWED_HOSTS))


@lru_cache(maxsize=256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    return validate_host(split_domain_port(host)[0], allowed)


class Gate:
    """ASGI middleware around all WebSocket consumers."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not host_allowed(scope):
            await refuse(scope, receive, send, 400, "this host is not served here")
            return
        address = client_address(scope)
        origin = header(scope, b"origin")
        # A cookie is sent by any page that opens a socket here, so with one the origin must be known.
        required = header(scope, b"cookie") is not None
        if not origin_allowed(
            origin, header(scope, b"host"), allowed=settings.ALLOWED_ORIGINS, required=required
        ):
            await refuse(scope, receive, send, 403, "origin not allowed")
            return
        try:
            connections.add(address)
        except TooManyConnectionsError as error:
            await refuse(scope, receive, send, 503, str(error))
            return
        counted = _Counted(address)
        try:
            await self._app(scope, receive, send)
        finally:
            # One that is driven goes on without us.
            frames: FrameTransport | None = scope.get("extensions", {}).get("foyer.frames")
            if frames is None or not frames.outlast(counted):
                counted()


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    """Refuse a handshake with an HTTP status and a one-line reason, or with 403 where a server cannot."""
    log.warning(
        "connection.refused", path=scope["path"], client=client_address(scope), status=status, reason=reason
    )
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        await send(
            {
                "type": "websocket.http.response.start",
                "status": status,
                "headers": [(b"content-type", b"text/plain; charset=utf-8")],
            }
        )
        await send({"type": "websocket.http.response.body", "body": reason.encode() + b"\n"})
    else:
        await send({"type": "websocket.close"})


async def no_such_service(scope: Scope, receive: Receive, send: Send) -> None:
    """The last WebSocket route: whatever no service answers."""
    await refuse(scope, receive, send, 404, "no WebSocket service at this path")

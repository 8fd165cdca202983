"""The addresses for monitoring, of a process that serves nothing else: a worker. Core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import uvicorn
from django.core.asgi import get_asgi_application

from realtime.gate import AsgiApp, Receive, Scope, Send

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


@asynccontextmanager
async def probes(host: str, port: int) -> AsyncIterator[None]:
    """Answer `PATHS` on this port, as a server does, and 404 to everything else."""
    config = uvicorn.Config(
        _Only(cast(AsgiApp, get_asgi_application())),
        host=host,
        port=port,
        lifespan="off",
        http="realtime.server.http:HttpProtocol",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals are for the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Only:
    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        if scope["path"] in PATHS:
            return await self._app(scope, receive, send)
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return None

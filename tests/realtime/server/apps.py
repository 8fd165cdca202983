"""A real uvicorn with our protocol classes, and an application that a test looks into."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from realtime.outlet import FrameOutlet
from realtime.server import door, websocket
from tests.realtime.fakes import Nobody


class App:
    """Answers HTTP; keeps the outlet of each socket and echoes text.

    `driven` is whether it has itself driven by callback, as our consumers do.
    """

    def __init__(self, *, driven: bool) -> None:
        self.driven = driven
        self.outlets: asyncio.Queue[FrameOutlet] = asyncio.Queue()
        self.ended: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        await receive()
        frames = scope["extensions"]["foyer.frames"]
        echo = Echo(self, FrameOutlet("c", frames, Nobody(asyncio.Event())))
        await send({"type": "websocket.accept"})
        self.outlets.put_nowait(echo.outlet)
        if self.driven:
            frames.drive(echo)
            return
        while not echo.ended:
            await echo.handle(await receive())


class Echo:
    """One socket of `App`."""

    ended = False

    def __init__(self, app: App, outlet: FrameOutlet) -> None:
        self.app = app
        self.outlet = outlet

    async def handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.receive":
            self.outlet.send((message.get("text") or "").encode())
        else:
            self.ended = True
            self.app.ended.put_nowait(message["code"])


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[uvicorn.Server]:
    """A server for this application."""
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_config=None,
        http=door.Door,
        ws=websocket.WebSocketProtocol,
        ws_max_size=websocket.MAX_MESSAGE_BYTES,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server
    finally:
        # It would wait a tenth of a second even for nobody.
        if server.server_state.connections:
            server.force_exit = True
            await server.shutdown()
        for listening in server.servers:
            listening.close()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """A server for this application; gives its port."""
    async with running(app) as server:
        yield server.servers[0].sockets[0].getsockname()[1]

"""A real uvicorn with an application that does what a test says, and remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from realtime.frames import text_frame
from tests.e2e.rawsocket import RawSocket
from tests.realtime.server.apps import running

Event = dict[str, Any]

PATIENCE_S = 5.0
# For what a driven application does not do: ask for events, and wait until it may send.
STANDARD = pytest.mark.parametrize("stage", [False], indirect=True, ids=["standard"])


class Play:
    """The application: each of its connections is a `Part`.

    `opening` is what it does about a handshake and `acting` what it does with every event after that, unless
    it is `quick` to deal with it; `driven` is whether it has itself driven by callback, as our consumers do.
    """

    def __init__(self, *, driven: bool) -> None:
        self.driven = driven
        self.opening: Callable[[Part], Awaitable[None]] = accept
        self.quick: Callable[[Part, Event], bool] = never
        self.acting: Callable[[Part, Event], Awaitable[None]] = echo
        self.parts: asyncio.Queue[Part] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        part = Part(self, scope, receive, send)
        self.parts.put_nowait(part)
        await self.opening(part)
        if self.driven:
            part.frames.drive(part)
            return
        while not (part.ended or part.left):
            if (rest := part.handle(await receive())) is not None:
                await rest


class Part:
    """The application's side of one connection. `heard` are the events it was handed, in order."""

    def __init__(self, play: Play, scope: Any, receive: Any, send: Any) -> None:
        self.play = play
        self.scope = scope
        self.receive = receive
        self.send = send
        self.frames: Any = scope["extensions"]["foyer.frames"]
        self.heard: list[Event] = []
        # Set to have the application return, without a word about the end.
        self.left = False
        self.at_once = 0
        self.most_at_once = 0

    @property
    def ended(self) -> bool:
        return bool(self.heard) and self.heard[-1]["type"] == "websocket.disconnect"

    @property
    def texts(self) -> list[str]:
        """The messages, without how it ended."""
        return [event["text"] for event in self.heard if event["type"] == "websocket.receive"]

    @property
    def endings(self) -> list[int]:
        """The codes of what it was told about the end: one, once it is over."""
        return [event["code"] for event in self.heard if event["type"] == "websocket.disconnect"]

    def handle(self, event: Event) -> Coroutine[Any, Any, None] | None:
        self.heard.append(event)
        assert not self.at_once, "it is still busy"
        return None if self.play.quick(self, event) else self._act(event)

    async def _act(self, event: Event) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.play.acting(self, event)
        finally:
            self.at_once -= 1

    async def say(self, text: str) -> None:
        if self.play.driven:
            self.frames.write(text_frame(text.encode()))
        else:
            await self.send({"type": "websocket.send", "text": text})

    async def close(self, code: int, reason: str = "") -> None:
        if self.play.driven:
            self.frames.close(code, reason)
        else:
            await self.send({"type": "websocket.close", "code": code, "reason": reason})


def never(_part: Part, _event: Event) -> bool:
    return False


async def accept(part: Part) -> None:
    await part.send({"type": "websocket.accept"})


async def echo(part: Part, event: Event) -> None:
    if event["type"] == "websocket.receive":
        await part.say(event["text"])


async def listen(_part: Part, _event: Event) -> None:
    """Say nothing to anything."""


def answering(*events: Event) -> Callable[[Part], Awaitable[None]]:
    """An opening that sends these events."""

    async def opening(part: Part) -> None:
        for event in events:
            await part.send(event)

    return opening


@dataclass
class Stage:
    """A server for a `Play`."""

    play: Play
    server: uvicorn.Server

    @property
    def port(self) -> int:
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    async def dial(self, **options: Any) -> RawSocket:
        """A client before its handshake."""
        return await RawSocket.dial(self, **options)  # type: ignore[arg-type]

    async def open(self, **options: Any) -> tuple[RawSocket, Part]:
        """Both sides of a new connection."""
        raw = await RawSocket.open(self, "x", **options)  # type: ignore[arg-type]
        return raw, await self.part()

    async def part(self) -> Part:
        """The application's side of the connection that was opened next."""
        return await asyncio.wait_for(self.play.parts.get(), PATIENCE_S)

    async def quiet(self) -> None:
        """Return when every connection has ended and nobody works on one."""
        state = self.server.server_state
        await soon(lambda: not state.connections and not state.tasks, what="the end of every connection")


async def soon(condition: Callable[[], Any], *, what: str) -> None:
    """Let the event loop go on until `condition` is true."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {PATIENCE_S} s") from None


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the server has logged; other parts of the process have no database here, and say so."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("realtime.server")]


@asynccontextmanager
async def staged(play: Play) -> AsyncIterator[Stage]:
    """A server for this application. When it is left, every connection has to have ended by itself."""
    async with running(play) as server:
        stage = Stage(play, server)
        yield stage
        await stage.quiet()

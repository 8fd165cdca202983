"""People of the gateway and their devices, for tests over several processes. They know only the document."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.e2e.listener import http
from tests.e2e.servers import Server

Message = dict[str, Any]
# What a client gets to see of a server that has just died, or whose database has.
LOST = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, EOFError)
PAGE = 50
# With a server that is killed meanwhile: longer than any answer takes, and no longer than the run can wait.
ANSWER_WITHIN_S = 5.0


@dataclass
class Person:
    """Somebody who is registered. `posted` is what the server has said yes to: content by message id."""

    name: str
    id: str
    token: str
    posted: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def api(self, server: Server) -> AsyncIterator[httpx.AsyncClient]:
        """The HTTP API of one of the servers, as this person."""
        async with http(server, headers={"Authorization": f"Bearer {self.token}"}) as client:
            client.timeout = httpx.Timeout(ANSWER_WITHIN_S)
            yield client

    async def post(self, client: httpx.AsyncClient, channel: str, content: str) -> str | None:
        """Post a message; its id, or None if nobody knows whether it was posted."""
        try:
            response = await client.post(posts_of(channel), json={"type": 0, "content": content})
        except httpx.TransportError:
            return None
        if response.status_code != 200:
            assert response.status_code >= 500, response.text
            return None
        message_id: str = response.json()["id"]
        self.posted[message_id] = content
        return message_id

    async def history(self, server: Server, channel: str, after: str = "0") -> list[Message]:
        """Every message of a channel after an id, in order, page by page."""
        found: list[Message] = []
        async with self.api(server) as client:
            while True:
                last = found[-1]["id"] if found else after
                response = await client.get(posts_of(channel), params={"after": last, "limit": PAGE})
                page = response.raise_for_status().json()["posts"]
                found += page
                if len(page) < PAGE:
                    return found


async def register(server: Server, name: str) -> Person:
    async with http(server) as client:
        form = {"username": name, "password": "correct horse battery"}
        answer = (await client.post("/api/v1/auth/register", json=form)).raise_for_status().json()
    return Person(name, answer["id"], answer["token"])


async def open_channel(server: Server, author: Person, **form: Any) -> str:
    async with author.api(server) as client:
        answer = await client.post("/api/v1/channels", json=form)
    channel: str = answer.raise_for_status().json()["id"]
    return channel


def posts_of(channel: str) -> str:
    return f"/api/v1/channels/{channel}/posts"


def membership_of(channel: str) -> str:
    return f"/api/v1/channels/{channel}/members/me"


class Device:
    """A device with the gateway's client on it. `told` is every message it got, over all its connections.

    What it must do to miss nothing: say the id of the last one when it comes back. That id stands for all
    channels, so messages must come in the order of their ids whatever their channel is.
    """

    def __init__(self, owner: Person, name: str) -> None:
        self.owner = owner
        self.name = name
        self.told: list[Message] = []
        self.connections = 0
        self.gaps = 0
        self._came = asyncio.Event()

    @property
    def after(self) -> str:
        """The id of the last message."""
        return self.told[-1]["id"] if self.told else "0"

    def ids(self, channel: str | None = None) -> list[str]:
        return [message["id"] for message in self.told if channel in (None, message["channel_id"])]

    async def has(self, message_id: str) -> None:
        """Return when that message has come."""
        while message_id not in {message["id"] for message in self.told}:
            self._came.clear()
            await self._came.wait()

    @asynccontextmanager
    async def online(self, server: Server) -> AsyncIterator[ClientConnection]:
        """Connected and identified. What comes is kept, until the block ends or the connection is lost."""
        url = f"{server.ws_url}/gateway/"
        options: dict[str, Any] = {"proxy": None, "compression": None, "max_queue": None}
        async with connect(url, open_timeout=ANSWER_WITHIN_S, close_timeout=1, **options) as ws:
            assert json.loads(await ws.recv())["op"] == 0
            await ws.send(json.dumps({"op": 1, "token": self.owner.token, "after": self.after}))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                ready = json.loads(await ws.recv())
            assert ready == {"op": 2, "user": self.owner.id}
            self.connections += 1
            reading = asyncio.create_task(self._read(ws))
            try:
                yield ws
            finally:
                await ws.close()
                await reading

    async def come_and_go(self, servers: Callable[[], list[Server]], dice: random.Random) -> None:
        """Be connected to any server for a while, drop the connection, come back, for ever."""
        while True:
            with suppress(*LOST):
                async with self.online(dice.choice(servers())) as ws:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(ws.wait_closed(), dice.random() * 2)
                    if dice.random() < 0.7:
                        # As a network does, with whatever is on its way.
                        ws.transport.abort()
            await asyncio.sleep(dice.random() * 0.5)

    async def _read(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in ws:
                frame = json.loads(text)
                match frame["op"]:
                    case 3:
                        self.told.append(frame["message"])
                        self._came.set()
                    case 4:
                        self.gaps += 1
                        self._came.set()
                    case 10:
                        await ws.send(json.dumps({"op": 11, "time": frame["time"]}))

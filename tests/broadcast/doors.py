"""The whole site in the test's own process: its ASGI application, its listeners, its two doors to emit.

Rows are made in database threads, as the application makes its own, so tests need real transactions.
`conftest` makes the fixtures known.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission, User

from broadcast.models import ChannelPolicy
from broadcast.services.policies import save_policy
from config.asgi import application
from realtime import runtime
from realtime.apikeys import create_api_key
from realtime.db import in_db_thread

WAIT_S = 5.0


@pytest.fixture
async def site(transactional_db: None) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application. The runtime of the test's event loop ends with it."""
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await runtime.current().stop()


class ListenerOf:
    """One WebSocket listener of a channel. Make it with the fixture `listen`."""

    def __init__(self, channel: str, query: str = "", key: str | None = None) -> None:
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        self._socket = WebsocketCommunicator(application, f"/{channel}/listen{query}", headers)
        self._task: asyncio.Task[None] | None = None
        self.client_id = ""
        self.first: dict[str, Any] = {}

    async def connect(self) -> None:
        accepted, _ = await self._socket.connect()
        assert accepted
        self.first = await self.receive("CONNECTED")
        self.client_id = self.first["clientID"]

    async def receive(self, kind: str) -> dict[str, Any]:
        """The next message of that type; others before it are passed over."""
        while True:
            message: dict[str, Any] = json.loads(await self._socket.receive_from(timeout=WAIT_S))
            if message["type"] == kind:
                return message

    async def acknowledge(self, event_id: str) -> None:
        await self.send_text(json.dumps({"type": "ACK", "payload": {"eventID": event_id}}))

    def acknowledges_by_itself(self) -> None:
        """From now on answer DATA with ACK. The messages are used up."""
        self._task = asyncio.get_running_loop().create_task(self._acknowledge())

    async def _acknowledge(self) -> None:
        while True:
            await self.acknowledge((await self.receive("DATA"))["eventID"])

    async def send_text(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def is_silent(self) -> bool:
        """Whether nothing has come so far."""
        return bool(await self._socket.receive_nothing(timeout=0.05))

    async def is_silent_for_data(self) -> bool:
        """Whether no DATA has come so far; what else has come is passed over."""
        while not await self.is_silent():
            if json.loads(await self._socket.receive_from())["type"] == "DATA":
                return False
        return True

    async def closed_with(self) -> int:
        """The close code; what comes before it is passed over."""
        while True:
            event = await self._socket.receive_output(timeout=WAIT_S)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def disconnect(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._socket.disconnect()


Listen = Callable[..., Awaitable[ListenerOf]]


@pytest.fixture
async def listen(site: httpx.AsyncClient) -> AsyncIterator[Listen]:
    """Make connected listeners: ``await listen("lobby")``."""
    async with AsyncExitStack() as stack:

        async def connect(channel: str, query: str = "", key: str | None = None) -> ListenerOf:
            listener = ListenerOf(channel, query, key)
            await listener.connect()
            stack.push_async_callback(listener.disconnect)
            return listener

        yield connect


async def make_key(*scopes: str) -> str:
    """A new API key with these scopes."""
    _, key = await in_db_thread(create_api_key, name="test", scopes=list(scopes))
    return key


async def make_policy(channel: str, **fields: Any) -> ChannelPolicy:
    """A new channel policy, in force in this process."""
    return await in_db_thread(save_policy, policy=ChannelPolicy(channel=channel, **fields))


def make_user_now(*permissions: str, name: str = "staff") -> User:
    """Somebody of the staff with these permissions (codenames)."""
    user = User.objects.create_user(name, password="a long password", is_staff=True)
    granted = Permission.objects.filter(codename__in=permissions)
    assert {permission.codename for permission in granted} == set(permissions)
    user.user_permissions.set(granted)
    return user


async def make_user(*permissions: str) -> User:
    """The same, from the event loop."""
    return await in_db_thread(make_user_now, *permissions)


def bearer(key: str | None) -> dict[str, str]:
    """Request headers with that key."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def refused(response: httpx.Response, status: int) -> str:
    """Check that it is an error in the one shape there is; gives its text."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["success"] is False
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]


@dataclass
class Door:
    """One of the two ways to emit and to ask about a channel."""

    site: httpx.AsyncClient
    name: str
    channel: str = "lobby"

    def path(self, what: str) -> str:
        """The path that serves ``emit``, ``history`` or ``members``."""
        if self.name == "document":
            return f"/{self.channel}/{what}"
        own = {"emit": "events", "history": "events", "members": "members"}[what]
        return f"/api/broadcast/channels/{self.channel}/{own}"

    async def emit(
        self,
        payload: Any,
        *,
        clients: str | None = None,
        require_ack: bool = False,
        key: str | None = None,
    ) -> httpx.Response:
        """Emit one event."""
        parameters: dict[str, Any] = {"clients": clients} if clients is not None else {}
        if self.name == "document":
            if require_ack:
                parameters["require-ack"] = "true"
            return await self.emit_raw(json.dumps(payload), key=key, params=parameters)
        body = {"payload": payload, "require_ack": require_ack, **parameters}
        return await self.emit_raw(json.dumps(body), key=key, wrapped=True)

    async def emit_raw(
        self, payload: str | bytes, *, key: str | None = None, params: Any = None, wrapped: bool = False
    ) -> httpx.Response:
        """Emit a payload given as text, valid or not; `wrapped`: it is the whole body already."""
        if isinstance(payload, str):
            payload = payload.encode()
        if self.name == "api" and not wrapped:
            payload = b'{"payload":' + payload + b"}"
        headers = {"Content-Type": "application/json", **bearer(key)}
        return await self.site.post(self.path("emit"), content=payload, params=params, headers=headers)

    async def history(self, *, key: str | None = None, **params: Any) -> httpx.Response:
        return await self.site.get(self.path("history"), params=params, headers=bearer(key))

    async def members(self, *, key: str | None = None) -> httpx.Response:
        return await self.site.get(self.path("members"), headers=bearer(key))


@pytest.fixture(params=["document", "api"])
def door(request: pytest.FixtureRequest, site: httpx.AsyncClient) -> Door:
    """Each test that uses it runs once through the document's route and once through the API."""
    return Door(site, request.param)

"""The notifications' WebSocket, by a client that knows the document and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.listener import PATIENCE_S
from tests.e2e.servers import Seed, Server

_names = count(1)


@dataclass(frozen=True)
class User:
    """Somebody new."""

    server: Server
    api_key: str
    id: str
    token: str

    def tell(self, **document: Any) -> None:
        """Another service tells this user something."""
        self.send("notification", users=[self.id], **document)

    def send(self, kind: str, **document: Any) -> None:
        answer = httpx.post(
            f"{self.server.url}/api/notifications/",
            json={"type": kind, "document": document},
            headers={"Authorization": f"Bearer {self.api_key}"},
        )
        assert answer.is_success, answer.text

    def log_out(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        httpx.post(f"{self.server.url}/api/v1/auth/logout", headers=headers).raise_for_status()


@pytest.fixture
def user(server: Server, seed: Seed) -> User:
    credentials = {"username": f"reader{next(_names)}", "password": "correct horse battery"}
    made = httpx.post(f"{server.url}/api/v1/auth/register", json=credentials).raise_for_status().json()
    return User(server, seed.keys["site"], made["id"], made["token"])


class Client:
    """One connection."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self._rids = count(1)
        self.pushed: list[dict[str, Any]] = []

    async def send(self, command: str, **options: Any) -> int:
        rid = next(self._rids)
        await self.ws.send(json.dumps({"rid": rid, "command": command, "options": options}))
        return rid

    async def ask(self, command: str, **options: Any) -> dict[str, Any]:
        rid = await self.send(command, **options)
        return await self.answer(rid)

    async def answer(self, rid: int) -> dict[str, Any]:
        """The answer with that rid; what is pushed before it is kept."""
        while True:
            message = await self.receive()
            if message["rid"] == rid:
                return message
            assert message["rid"] == -1
            self.pushed.append(message)

    async def push(self) -> dict[str, Any]:
        """The next push."""
        while not self.pushed:
            self.pushed.append(await self.receive())
        return self.pushed.pop(0)

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self.ws.recv())
        assert set(message) == {"rid", "event", "status", "payload"}
        return message

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            await self.ws.wait_closed()
        return self.ws.close_code


@asynccontextmanager
async def client(user: User, path: str = "/notifications/", *, guest: bool = False) -> AsyncIterator[Client]:
    async with connect(user.server.ws_url + path, proxy=None, compression=None) as ws:
        one = Client(ws)
        if not guest:
            assert (await one.ask("authentication", authToken=user.token))["status"] == "ok"
        yield one


@pytest.mark.parametrize("path", ["/notifications/", "/notifications", "/web", "/mobile"])
async def test_who_authenticates_is_told_who_it_is(user: User, path: str) -> None:
    async with client(user, path, guest=True) as one:
        refused = await one.ask("getMyNotifications")
        assert (refused["status"], refused["event"]) == ("unauthorized", "getMyNotifications")
        answer = await one.ask("authentication", authToken=user.token)
        assert (answer["event"], answer["status"], answer["payload"]["id"]) == (
            "authentication",
            "ok",
            user.id,
        )
        assert answer["payload"]["username"].startswith("reader")
        assert UUID(answer["payload"]["sessionId"])


async def test_what_is_new_and_what_is_read_is_on_every_device(user: User) -> None:
    async with client(user) as phone, client(user) as desk:
        subscription = (await phone.ask("getMyNotifications", where={"types": ["news"]}))["event"]
        assert (await desk.ask("getMyNotifications", where={"types": ["news"]}))["event"] == subscription
        await asyncio.to_thread(user.tell, type="other", title="Not asked for")
        await asyncio.to_thread(user.tell, type="news", title="Hello", data={"order": 5})
        push = await phone.push()
        assert await desk.push() == push
        assert (push["event"], push["status"]) == (subscription, "update")
        item = push["payload"]
        assert {
            "type": "news",
            "title": "Hello",
            "data": {"order": 5},
            "status": "unseen",
        }.items() <= item.items()
        for status, total in (("unseen", 1), ("unread", 1), ("read", 0)):
            answer = await phone.ask("getMyNotificationsCount", where={"types": ["news"]}, status=status)
            assert answer["payload"] == {"total": total}

        where = {"notifications": [item["id"]]}
        answer = await phone.ask("updateNotifications", where=where, status="read")
        assert (answer["status"], answer["payload"]) == ("ok", None)
        assert (await desk.push())["payload"] == item | {"status": "read"}
        answer = await desk.ask("getMyNotificationsCount", where={"types": []}, status="unread")
        assert answer["payload"] == {"total": 1}

    await asyncio.to_thread(user.tell, type="news", title="Missed")
    async with client(user) as back:
        params = {"since": item["id"]}
        answer = await back.ask("getMyNotifications", where={"types": ["news"]}, params=params)
        assert answer["event"] == subscription
        assert [one["title"] for one in answer["payload"]] == ["Missed"]
        await asyncio.to_thread(user.send, "update_subscription", subscriptions=[subscription], data=[1])
        assert await back.push() == {"rid": -1, "event": subscription, "status": "update", "payload": [1]}
        reload = {"subscriptions": [subscription], "options": {"reload": True}}
        await asyncio.to_thread(user.send, "update_subscription", **reload)
        assert await back.push() == answer | {"rid": -1, "status": "reload"}


async def test_requests_run_at_once_and_authentication_in_its_place(user: User) -> None:
    async with client(user, guest=True) as one:
        await one.send("authentication", authToken=user.token)
        rids = [await one.send("getMyNotificationsCount", status="unread") for _ in range(20)]
        rids.append(await one.send("authentication"))
        rids.append(await one.send("getMyNotifications"))
        answers = {message["rid"]: message for message in [await one.receive() for _ in range(23)]}
        statuses = [answers[rid]["status"] for rid in rids]
        assert statuses == ["ok"] * 21 + ["unauthorized"]
        assert answers[rids[-2]]["payload"]["id"] is None


@pytest.mark.parametrize(
    ("text", "rid", "slug", "path"),
    [
        ("x", -1, "malformed", ""),
        (b"\x00", -1, "malformed", ""),
        ('{"rid":5,"command":"getMyNotificationsCount","options":{}}', 5, "required", "options.status"),
        ('{"rid":5,"command":"nothing","options":{}}', 5, "unknown-command", ""),
        ('{"rid":0,"command":"nothing","options":{}}', -1, "invalid", "rid"),
        ('{"rid":5,"options":{}}', 5, "required", "command"),
    ],
)
async def test_what_is_wrong_is_said_and_the_connection_goes_on(
    user: User, text: str | bytes, rid: int, slug: str, path: str
) -> None:
    async with client(user) as one:
        await one.ws.send(text)
        said = await one.receive()
        (problem,) = said["payload"]["error"]
        assert (said["rid"], said["status"], problem["slug"], problem["path"]) == (rid, "error", slug, path)
        assert said["payload"]["message"] == problem["message"]
        assert (await one.ask("getMyNotifications"))["status"] == "ok"


async def test_tokens(user: User) -> None:
    async with client(user) as one:
        answer = await one.ask("authentication", authToken="nobody's")
        assert answer["status"] == "unauthorized"
        answer = await one.ask("authentication", authToken=user.token, update=True)
        assert answer["payload"]["id"] == user.id
        await asyncio.to_thread(user.log_out)
        assert await one.closed() == 4401

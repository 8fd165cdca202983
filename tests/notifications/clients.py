"""Users of the notifications, and what their connections were told."""

from __future__ import annotations

import json
from typing import Any

from gateway.models import Account
from gateway.services.accounts import register
from gateway.services.tokens import issue_token
from notifications.models import Source
from notifications.protocol.codec import decode
from notifications.protocol.feed import Feed, read_feed
from notifications.services.commands import Send, commit_one
from notifications.services.sockets import NotificationsSocket
from realtime.errors import Refused
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeOutlet


def somebody(name: str) -> Account:
    return register(username=name, password="correct horse battery staple")


def token_of(account: Account) -> str:
    return issue_token(account=account)


def feed(**document: Any) -> Feed:
    """A notification that another service sends."""
    return read_feed({"type": "notification", "document": document})


def update(*subscription_ids: str, data: Any = None, reload: bool = False) -> Feed:
    """An update that another service sends."""
    document = {"subscriptions": list(subscription_ids), "data": data, "options": {"reload": reload}}
    return read_feed({"type": "update_subscription", "document": document})


def send(sent: Feed) -> int:
    return commit_one(Send(sent, Source.HTTP, "test")).recipient_count


class Client:
    """A connection, as the consumer would have it: one request at a time."""

    def __init__(self, rt: Runtime, name: str) -> None:
        self.out = FakeOutlet(name)
        self.lost_access = False
        self.socket = NotificationsSocket(self.out, self.out.send, self._lost)
        self._rt = rt
        self._rid = 0
        self._seen = 0

    @property
    def next_rid(self) -> int:
        """That of the next request."""
        return self._rid + 1

    async def ask(self, command: str, **options: Any) -> Any:
        """The answer to a request; what is pushed comes with `pushed`."""
        self._rid = rid = self.next_rid
        text = json.dumps({"rid": rid, "command": command, "options": options})
        head = await self.socket.answer(decode(text))
        if head is not None:
            self.out.send(head)
        return next(one for one in map(json.loads, reversed(self.out.got)) if one["rid"] == rid)

    async def authenticate(self, token: str) -> None:
        answer = await self.ask("authentication", authToken=token)
        assert answer["status"] == "ok"

    async def list(self, *types: str, **params: Any) -> list[dict[str, Any]]:
        """The notifications of a list; this connection is subscribed to it from then on."""
        answer = await self.ask("getMyNotifications", where={"types": list(types)}, params=params)
        payload: list[dict[str, Any]] = answer["payload"]
        return payload

    async def count(self, status: str, *types: str) -> int:
        answer = await self.ask("getMyNotificationsCount", where={"types": list(types)}, status=status)
        total: int = answer["payload"]["total"]
        return total

    async def mark(self, status: str, *ids: str) -> None:
        await self.ask("updateNotifications", where={"notifications": list(ids)}, status=status)

    def received(self) -> list[dict[str, Any]]:
        """What came since the last time, answers and all."""
        self._rt.hub.flush()
        new = [json.loads(got) for got in self.out.got[self._seen :]]
        self._seen = len(self.out.got)
        return new

    def pushed(self) -> list[dict[str, Any]]:
        """What came unasked since the last time."""
        return [one for one in self.received() if one["rid"] == -1]

    def leave(self) -> None:
        self._rt.hub.leave(self.out)
        self.socket.leave()

    def _lost(self) -> None:
        self.lost_access = True


async def refusal(client: Client, command: str, **options: Any) -> str:
    """The code with which a request is refused."""
    try:
        await client.ask(command, **options)
    except Refused as error:
        return error.code
    raise AssertionError("it was not refused")

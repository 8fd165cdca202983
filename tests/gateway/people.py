"""People of the gateway: accounts and tokens, and what their connections were told."""

from __future__ import annotations

import json
from typing import Any

from gateway.models import Account, Channel, ChannelType, Message
from gateway.protocol.messages import Identify
from gateway.protocol.session import Session
from gateway.services.accounts import register
from gateway.services.channels import create_channel
from gateway.services.posts import NewPost, post_message
from gateway.services.sockets import GatewaySocket
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeOutlet


def somebody(name: str) -> Account:
    return register(username=name, password="correct horse battery staple")


def stream(author: Account, title: str = "A stream") -> Channel:
    return create_channel(author=author, kind=ChannelType.STREAM, title=title)


def post(channel: Channel, author: Account, content: str = "hello") -> Message:
    return post_message(NewPost(channel.pk, author.pk, 0, content))


class Connection:
    """A connection of somebody, as the consumer would have it."""

    def __init__(self, token: str, name: str) -> None:
        self.token = token
        self.out = FakeOutlet(name)
        self.lost_access = False
        self.socket = GatewaySocket(self.out, Session(45_000), self._lost)

    async def identify(self, after: int | None = None) -> bool:
        return await self.socket.identify(Identify(self.token, after))

    def told(self, rt: Runtime) -> list[Any]:
        """Everything so far: "ready", "gap", and the ids of messages."""
        rt.hub.flush()
        return self.received

    @property
    def received(self) -> list[Any]:
        """What came by now: without what waits for the end of a window."""
        return [_short(json.loads(head)) for head in self.out.got]

    def _lost(self) -> None:
        self.lost_access = True


def _short(frame: dict[str, Any]) -> Any:
    match frame["op"]:
        case 2:
            return "ready"
        case 3:
            return int(frame["message"]["id"])
        case _:
            return "gap"

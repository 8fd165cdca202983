"""Listeners for tests: real services and a real hub, with an outlet that writes into a list."""

import json
from typing import Any

from broadcast.rules import Policy
from broadcast.services.listening import Listener
from broadcast.services.policies import PolicyBook
from realtime.ids import new_client_id
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeOutlet


def allow(rt: Runtime, **fields: Any) -> None:
    """Put a policy for every channel in force, without a row."""
    book = rt.part(PolicyBook)
    book._policies = {"*": Policy(**{"emit": "open", "listen": "open", **fields})}
    book._loaded_s = float("inf")


class TestListener(Listener):
    """A listener whose client remembers everything it was told."""

    __test__ = False
    __slots__ = ("out",)

    def __init__(self, channel: str, *, client_id: str = "", transport: str = "ws", **options: Any) -> None:
        self.out = FakeOutlet(client_id or new_client_id())
        options = {"presence": {}, "key": None, **options}
        super().__init__(channel=channel, outlet=self.out, transport=transport, **options)

    @property
    def asked_for_ack(self) -> int:
        """How many messages it was expected to send."""
        return self.out.expected

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Everything received, after whatever still waits for the window's end."""
        self._runtime.hub.flush()
        return [json.loads(text) for text in self.out.got]

    @property
    def payloads(self) -> list[Any]:
        """The payloads of the DATA received."""
        return [message["payload"] for message in self.messages if message["type"] == "DATA"]

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]


async def listen(channel: str = "news", *, since: str | None = None, **options: Any) -> TestListener:
    """A listener that has joined."""
    listener = TestListener(channel, **options)
    await listener.join(since)
    return listener

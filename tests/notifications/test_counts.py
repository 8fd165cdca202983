"""Counts equal lists, and what a client makes of a list and its news equals the list: whatever happens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.rules import COUNTED_AS, STATUS_NAMES
from realtime.runtime import Runtime
from tests.notifications.clients import Client, feed, send, somebody, token_of
from tests.notifications.test_live import caught_up

pytestmark = pytest.mark.django_db(transaction=True)
numbers = count()
TYPES: Final = ("a", "b", "c")


class Device:
    """A client that keeps a list as the protocol's page says."""

    def __init__(self, client: Client, *types: str) -> None:
        self.client = client
        self.types = types
        self.items: dict[str, dict[str, Any]] = {}
        # By rid, what it becomes true with the answer to.
        self._asked: dict[int, Callable[[Any], None]] = {}

    async def fetch(self) -> None:
        options = {"where": {"types": self.types}, "params": {"limit": 100}}
        await self._ask("getMyNotifications", self._replace, **options)

    async def mark(self, status: str, *ids: str, only: str | None) -> None:
        def marked(_payload: None) -> None:
            for number in ids:
                if only in (None, self.items[number]["status"]):
                    self.items[number] = self.items[number] | {"status": status}

        where = {"notifications": ids} | ({"status": only} if only else {})
        await self._ask("updateNotifications", marked, where=where, status=status)

    def listen(self) -> None:
        """Take in what came, in its order."""
        for message in self.client.received():
            if message["rid"] != -1:
                self._asked.pop(message["rid"], lambda _: None)(message["payload"])
            elif message["status"] == "reload":
                self._replace(message["payload"])
            else:
                self.items[message["payload"]["id"]] = message["payload"]

    async def _ask(self, command: str, then: Callable[[Any], None], **options: Any) -> None:
        self._asked[self.client.next_rid] = then
        await self.client.ask(command, **options)

    def _replace(self, items: list[dict[str, Any]]) -> None:
        self.items = {item["id"]: item for item in items}


async def pause(dice: random.Random) -> None:
    for _ in range(dice.randrange(4)):
        await asyncio.sleep(0)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_counts_lists_and_news_agree(seed: int, rt: Runtime) -> None:
    dice = random.Random(seed)
    account = await sync_to_async(somebody)(f"ann{next(numbers)}")
    token = await sync_to_async(token_of)(account)
    devices = [Device(Client(rt, "all")), Device(Client(rt, "some"), "a", "b"), Device(Client(rt, "late"))]
    for device in devices:
        await device.client.authenticate(token)
    for device in devices[:2]:
        await device.fetch()

    async def others() -> None:
        for _ in range(12):
            await sync_to_async(send)(feed(users=[str(account.pk)], type=dice.choice(TYPES)))
            await pause(dice)

    async def reader(device: Device) -> None:
        for _ in range(6):
            device.listen()
            match dice.randrange(3):
                case 0 if device.items:
                    ids = dice.sample(sorted(device.items), k=min(3, len(device.items)))
                    only = dice.choice([None, *STATUS_NAMES])
                    await device.mark(dice.choice(sorted(STATUS_NAMES)), *ids, only=only)
                case 1:
                    await device.client.ask(
                        "updateNotifications", where={"types": [dice.choice(TYPES)]}, status="unread"
                    )
                    await device.fetch()
                case _:
                    await device.fetch()
            await pause(dice)

    await asyncio.gather(others(), *map(reader, devices))
    await caught_up(rt)
    for device in devices:
        device.listen()
        told = {number: item["status"] for number, item in device.items.items()}
        await device.fetch()
        device.listen()
        assert told == {number: item["status"] for number, item in device.items.items()}
        for types in ((), ("a",), ("b", "c")):
            rows = await device.client.list(*types, limit=100)
            for name, statuses in COUNTED_AS.items():
                counted = sum(STATUS_NAMES[row["status"]] in statuses for row in rows)
                assert await device.client.count(name, *types) == counted
        device.client.leave()

"""A crowd in front of the main server: people who wait, vanish, come back, and get in."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.e2e.servers import Server

RETRY_S = 0.3


@dataclass
class Crowd:
    """What all of it share. `servers` changes while servers are killed and started again."""

    servers: list[Server]
    patience_s: float = 100.0
    let_in: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    async def send(self, count: int, *, at_once: int = 200) -> None:
        """Let `count` people come, and return when each has a credential."""
        door = asyncio.Semaphore(at_once)
        try:
            async with asyncio.timeout(self.patience_s):
                await asyncio.gather(*(Person(self, number, door).live() for number in range(count)))
        except TimeoutError:
            raise AssertionError(f"{len(self.let_in)} of {count} are in") from None


class Person:
    """One client with an id of its own. What it does is decided by its number."""

    def __init__(self, crowd: Crowd, number: int, door: asyncio.Semaphore) -> None:
        self.crowd = crowd
        self.id = f"person-{number}"
        self.dice = random.Random(number)
        self.positions: list[int] = []
        # So many handshakes at a time: the rest of the machine is the servers'.
        self.door = door

    async def live(self) -> None:
        while self.id not in self.crowd.let_in:
            # A server was killed, or has not started yet: another one, then.
            with suppress(OSError, InvalidHandshake, ConnectionClosed, TimeoutError):
                await self._wait_once()
            await asyncio.sleep(self.dice.uniform(0.1, 1.0) * RETRY_S)

    async def _wait_once(self) -> None:
        url = self.dice.choice(self.crowd.servers).ws_url + "/"
        headers = {"platform": "test", "id": self.id}
        async with self.door:
            ws = await connect(url, additional_headers=headers, compression=None, proxy=None, open_timeout=20)
        # One in five loses the network while it waits.
        vanishes_in_s = self.dice.uniform(0.2, 4.0) if self.dice.random() < 0.2 else None
        try:
            async with asyncio.timeout(vanishes_in_s):
                async for text in ws:
                    await self._take(ws, json.loads(text))
        except TimeoutError:
            ws.transport.abort()
        finally:
            await ws.close()

    async def _take(self, ws: object, frame: dict[str, object]) -> None:
        data = frame["eventData"]
        assert isinstance(data, dict)
        match frame["eventCode"]:
            case 1000:
                await self._log_in(ws)
            case 1003:
                self._take_position(data["position"])
            case 1001 if data["jwt"]:
                self.crowd.let_in[self.id] = data["jwt"]
            case 1001:
                if data["statusCode"] != 503:
                    self.crowd.troubles.append(f"{self.id}: {data}")
                await self._log_in(ws)
            case 1004:
                self.crowd.troubles.append(f"{self.id}: {data}")

    def _take_position(self, position: int) -> None:
        # A place is kept over every trouble, or, if the credential was on its way, is a new one at the tail.
        if self.positions and position < self.positions[-1]:
            self.crowd.troubles.append(f"{self.id} was at {self.positions[-1]} and is at {position}")
        self.positions.append(position)

    async def _log_in(self, ws: object) -> None:
        login = {"eventCode": 1001, "eventData": {"type": 4, "token": f"token of {self.id}"}}
        await ws.send(json.dumps(login))  # type: ignore[attr-defined]

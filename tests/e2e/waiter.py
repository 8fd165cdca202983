"""Clients of the login queue as a stranger would write them: from the document, not from our code."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.listener import PATIENCE_S

SHOULD_QUEUE, LOGIN, QUEUE_STATS, TICKET, ERROR = 1000, 1001, 1002, 1003, 1004
DEVICE = 4


class Waiter:
    """One connection of one id. Keeps what it was told; `next` gives the messages of one kind in order."""

    def __init__(self, ws: ClientConnection, client_id: str) -> None:
        self.ws = ws
        self.client_id = client_id
        self.told: list[tuple[int, dict[str, Any]]] = []

    @classmethod
    async def open(cls, url: str, client_id: str, *, platform: str = "web", **headers: str) -> Self:
        """Connect with the document's headers."""
        ws = await connect(
            url,
            additional_headers={"platform": platform, "id": client_id, **headers},
            compression=None,
            proxy=None,
            open_timeout=PATIENCE_S,
            max_queue=None,
        )
        return cls(ws, client_id)

    async def receive(self) -> tuple[int, dict[str, Any]]:
        """The next message: code and data."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                frame = json.loads(await self.ws.recv())
        except TimeoutError:
            raise AssertionError(f"no message within {PATIENCE_S} s") from None
        assert set(frame) == {"eventCode", "eventData"}, frame
        message = (frame["eventCode"], frame["eventData"])
        self.told.append(message)
        return message

    async def next(self, code: int) -> dict[str, Any]:
        """The data of the next message with that code. Numbers of the line may come in between."""
        while True:
            found, data = await self.receive()
            if found == code:
                return data
            assert found == QUEUE_STATS, f"{found} {data} instead of {code}"

    async def send(self, data: Any, *, code: Any = LOGIN, key: str = "eventCode") -> None:
        await self.ws.send(json.dumps({key: code, "eventData": data}))

    async def log_in(self, token: str = "", **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send Login as a device; gives the ticket and the line's numbers, which come at once."""
        await self.send({"type": DEVICE, "token": token or f"token of {self.client_id}", **more})
        ticket = await self.next(TICKET)
        code, stats = await self.receive()
        assert code == QUEUE_STATS
        return ticket, stats

    async def let_in(self) -> str:
        """Wait for the credential and the close that follows; gives the credential."""
        answer = await self.next(LOGIN)
        assert set(answer) == {"jwt"}, answer
        assert await self.closed() == 1000
        jwt: str = answer["jwt"]
        return jwt

    async def closed(self) -> int | None:
        """Wait for the server to close; its code. (daphne passes no reason on.)"""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.ws.recv()
            except ConnectionClosed:
                return self.ws.close_code

    async def drop(self) -> None:
        """Vanish without a close frame, as a lost network does."""
        self.ws.transport.abort()
        await self.ws.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.ws.close()

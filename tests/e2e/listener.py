"""Clients of the broadcast protocol as a stranger would write them: from the document, not from our code."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.servers import POLL_S, Server

Message = dict[str, Any]

# How long anything may take on a busy machine before a test calls it missing.
PATIENCE_S = 10.0


async def eventually(condition: Callable[[], Any], *, within_s: float = PATIENCE_S, what: str) -> Any:
    """Wait for `condition` (it may be a coroutine function) to be true; return what it gave."""
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        if asyncio.iscoroutine(result):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        await asyncio.sleep(POLL_S)


class Listener:
    """One WebSocket on one channel. Answers PINGs by itself; keeps all other messages in order.

    Args:
        pong: whether to answer PINGs.
        ack: whether to acknowledge each DATA that asks for it.
    """

    def __init__(self, ws: ClientConnection, *, pong: bool = True, ack: bool = False) -> None:
        self.ws = ws
        self.connected: Message = {}
        self.pings = 0
        self.arrivals: list[float] = []
        self._pong = pong
        self._ack = ack
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @property
    def client_id(self) -> str:
        client_id: str = self.connected["clientID"]
        return client_id

    @property
    def members(self) -> dict[str, Any]:
        """Who CONNECTED said was there: presence by client ID."""
        return {member["clientID"]: member["presence"] for member in self.connected["payload"]["members"]}

    async def _read(self) -> None:
        try:
            async for text in self.ws:
                message = json.loads(text)
                if message["type"] == "PING":
                    self.pings += 1
                    if self._pong:
                        await self.send("PONG")
                    continue
                if self._ack and message.get("requires_ack"):
                    await self.ack(message["eventID"])
                self.arrivals.append(time.monotonic())
                self._messages.put_nowait(message)
        except ConnectionClosed:
            pass
        finally:
            self._messages.put_nowait(None)

    async def next(self, type_: str | None = None, *, within_s: float = PATIENCE_S) -> Message:
        """The next message, PINGs aside; it must be of that type."""
        async with asyncio.timeout(within_s):
            message = await self._messages.get()
        assert message is not None, f"closed with {self.ws.close_code} {self.ws.close_reason!r}"
        assert type_ in (None, message["type"]), f"expected {type_}, not {message}"
        return message

    async def next_of(self, type_: str, *, within_s: float = PATIENCE_S) -> Message:
        """The next message of that type, passing over others."""
        async with asyncio.timeout(within_s):
            while True:
                message = await self.next(within_s=within_s)
                if message["type"] == type_:
                    return message

    async def data(self, count: int, *, within_s: float = PATIENCE_S) -> list[Any]:
        """The payloads of the next `count` DATA messages, passing over others."""
        async with asyncio.timeout(within_s):
            return [(await self.next_of("DATA", within_s=within_s))["payload"] for _ in range(count)]

    def waiting(self) -> list[Message]:
        """What has arrived and was not looked at yet."""
        messages: list[Message | None] = []
        while not self._messages.empty():
            messages.append(self._messages.get_nowait())
        return [message for message in messages if message is not None]

    async def send(self, type_: str, payload: Any = None) -> None:
        await self.ws.send(json.dumps({"type": type_} | ({} if payload is None else {"payload": payload})))

    async def ack(self, event_id: str) -> None:
        await self.send("ACK", {"eventID": event_id})

    async def closed(self, *, within_s: float = PATIENCE_S) -> int | None:
        """Wait for the end; gives the close code."""
        async with asyncio.timeout(within_s):
            await self.ws.wait_closed()
            await self._reader
        return self.ws.close_code

    async def close(self) -> None:
        await self.ws.close()
        await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


def listen_url(server: Server, channel: str, **parameters: str) -> str:
    return f"{server.ws_url}/{channel}/listen" + (f"?{urlencode(parameters)}" if parameters else "")


async def listen(
    server: Server,
    channel: str,
    *,
    presence: Any = None,
    since: str | None = None,
    key: str | None = None,
    pong: bool = True,
    ack: bool = False,
) -> Listener:
    """Connect a `Listener` and take its CONNECTED."""
    parameters = {}
    if presence is not None:
        parameters["presence"] = json.dumps(presence)
    if since is not None:
        parameters["since"] = since
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    ws = await connect(
        listen_url(server, channel, **parameters),
        proxy=None,
        additional_headers=headers,
        ping_interval=None,
        max_size=None,
        # Everything is read into the listener's own queue at once.
        max_queue=None,
    )
    listener = Listener(ws, pong=pong, ack=ack)
    listener.connected = await listener.next("CONNECTED")
    return listener


@asynccontextmanager
async def listening(server: Server, channel: str, **options: Any) -> AsyncIterator[Listener]:
    """A `Listener` for the length of a block."""
    async with await listen(server, channel, **options) as listener:
        yield listener


@asynccontextmanager
async def crowd(server: Server, channel: str, size: int, **options: Any) -> AsyncIterator[list[Listener]]:
    """`size` listeners on one channel for the length of a block."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(listening(server, channel, **options)) for _ in range(size)]


def http(server: Server, **options: Any) -> httpx.AsyncClient:
    """An HTTP client of the server, without regard to proxies of the machine."""
    # verify: building a TLS context for each client would take longer than most tests.
    return httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=20, **options)


async def emit(server: Server, channel: str, payload: Any, **parameters: str) -> dict[str, Any]:
    """Emit by POST; must succeed."""
    async with http(server) as client:
        response = await client.post(f"/{channel}/emit", params=parameters, json=payload)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def member_ids(server: Server, channel: str) -> set[str]:
    async with http(server) as client:
        response = await client.get(f"/{channel}/members")
    return {member["clientID"] for member in response.raise_for_status().json()["members"]}


class EventStream:
    """Server-sent events of one response: `next` gives each as a dict of its fields."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, *, within_s: float = PATIENCE_S) -> dict[str, str] | None:
        """The next event with data, or None at the end. Comments and ``retry`` are passed over."""
        event: dict[str, str] = {}
        async with asyncio.timeout(within_s):
            async for line in self._lines:
                if not line:
                    if "data" in event:
                        return event
                    event = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = value
        return None

    async def message(self, type_: str) -> Message:
        """The next message, which must be of that type."""
        event = await self.next()
        assert event is not None, "the stream ended"
        message: Message = json.loads(event["data"])
        assert message["type"] == type_, message
        if type_ == "DATA":
            assert event["id"] == message["eventID"]
        return message


@asynccontextmanager
async def streaming(
    server: Server, channel: str, *, headers: dict[str, str] | None = None, **parameters: str
) -> AsyncIterator[EventStream]:
    """Listen by server-sent events."""
    async with (
        http(server) as client,
        client.stream(
            "GET",
            f"/{channel}/listen",
            params=parameters,
            headers={"Accept": "text/event-stream", **(headers or {})},
        ) as response,
    ):
        yield EventStream(response)

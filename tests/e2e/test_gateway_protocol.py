"""The gateway's WebSocket, by a client that knows the document and nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config import BASE_DIR
from tests.e2e.conftest import embedded
from tests.e2e.listener import PATIENCE_S
from tests.e2e.servers import STARTERS, Seed, Server, clean_environment

INTERVAL_MS = 400


class Place:
    """A server whose heartbeats come often, and its people, whose posts are made in another process."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.gateway_seed"],
            cwd=BASE_DIR,
            env=clean_environment({"DATA_DIR": str(folder / "data")}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        made = self._answer()
        self.channel: str = made["channel"]
        self.people: dict[str, dict[str, str]] = made["people"]

    def token(self, name: str) -> str:
        return self.people[name]["token"]

    async def post(self, author: str, content: str) -> str:
        line = json.dumps([self.channel, self.people[author]["id"], content])
        posted: str = await asyncio.to_thread(self._answer, line)
        return posted

    def _answer(self, line: str = "") -> Any:
        assert self._process.stdin
        assert self._process.stdout
        if line:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


class Client:
    """One connection. Answers heartbeats by itself, if it is to; `next` gives all other frames in order."""

    def __init__(self, ws: ClientConnection, *, answers: bool) -> None:
        self.ws = ws
        self._answers = answers
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def send(self, **frame: Any) -> None:
        await self.ws.send(json.dumps(frame))

    async def next(self, op: int) -> dict[str, Any]:
        """The next frame, which has that op."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self._frames.get()
        assert frame["op"] == op, frame
        return frame

    async def identify(self, token: str, **more: Any) -> str:
        await self.send(op=1, token=token, **more)
        ready = await self.next(2)
        assert set(ready) == {"op", "user"}
        user: str = ready["user"]
        return user

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            await self._reading
        return self.ws.close_code

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self.ws:
                frame = json.loads(text)
                if self._answers and frame["op"] == 10:
                    await self.send(op=11, time=frame["time"])
                else:
                    self._frames.put_nowait(frame)


@pytest.fixture(scope="module", params=sorted(STARTERS))
def place(
    request: pytest.FixtureRequest, seed: Seed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(f"{request.param}-gateway")
    env = {"GATEWAY_HEARTBEAT_INTERVAL_MS": str(INTERVAL_MS)}
    for server in embedded(seed, folder, STARTERS[request.param], env):
        with closing(Place(server, folder)) as place:
            yield place


@asynccontextmanager
async def client(place: Place, path: str = "/gateway/", *, answers: bool = True) -> AsyncIterator[Client]:
    async with connect(place.server.ws_url + path, proxy=None, compression=None) as ws:
        one = Client(ws, answers=answers)
        assert await one.next(0) == {"op": 0, "heartbeat_interval": INTERVAL_MS}
        yield one
        await ws.close()
        await one.closed()


@pytest.mark.parametrize("path", ["/gateway/", "/gateway", "/gateway/v1", "/gateway/v1/"])
async def test_who_identifies_is_ready(place: Place, path: str) -> None:
    async with client(place, path) as one:
        assert await one.identify(place.token("ann")) == place.people["ann"]["id"]


async def test_members_get_what_is_posted_and_what_they_missed(place: Place) -> None:
    async with client(place) as ann, client(place) as ben:
        await ann.identify(place.token("ann"))
        await ben.identify(place.token("ben"))
        first = await place.post("ann", "hello")
        told = [(await one.next(3))["message"] for one in (ann, ben)]
        assert told[0] == told[1]
        assert {"id": first, "channel_id": place.channel, "type": 0, "content": "hello"}.items() <= told[
            0
        ].items()
        assert told[0]["author"] == place.people["ann"]["id"]
        assert isinstance(told[0]["timestamp"], int)
    missed = [await place.post("ben", f"missed {number}") for number in range(2)]
    async with client(place) as back:
        await back.identify(place.token("ann"), after=first)
        assert [(await back.next(3))["message"]["id"] for _ in missed] == missed


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        '{"op":"1"}',
        '{"op":3}',
        '{"op":1}',
        '{"op":10}',
        b"\x00",
        '{"op":1,"token":"' + "t" * 17_000 + '"}',
    ],
)
async def test_what_is_no_frame_closes_with_4001(place: Place, text: str | bytes) -> None:
    async with client(place) as one:
        await one.ws.send(text)
        assert await one.closed() == 4001


async def test_a_second_identify_closes_with_4001(place: Place) -> None:
    async with client(place) as one:
        await one.identify(place.token("ann"))
        await one.send(op=1, token=place.token("ann"))
        assert await one.closed() == 4001


@pytest.mark.parametrize("token", ["", "nobody's", "x" * 5_000])
async def test_a_token_that_is_not_good_closes_with_4003(place: Place, token: str) -> None:
    async with client(place) as one:
        await one.send(op=1, token=token)
        assert await one.closed() == 4003


async def test_heartbeats_go_both_ways_also_before_identify(place: Place) -> None:
    async with client(place, answers=False) as one:
        await one.send(op=10, time=123)
        assert await one.next(11) == {"op": 11, "time": 123}
        times = [(await one.next(10))["time"]]
        for _ in range(3):
            await one.send(op=11, time=times[-1])
            times.append((await one.next(10))["time"])
        assert times == sorted(set(times))


async def test_who_does_not_answer_a_heartbeat_is_closed_with_4002(place: Place) -> None:
    async with client(place, answers=False) as one:
        frame = await one.next(10)
        await one.send(op=11, time=frame["time"] - 1)
        assert await one.closed() == 4002

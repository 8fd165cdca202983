"""The load generator of a login queue: who came, who has a ticket, who was let in, who was told what."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bench.swarm import COMPILER, build
from bench.waiters import Waiters


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if COMPILER is None:
        pytest.skip("no C compiler (cc) is installed")
    build("waiters")


class FakeQueue:
    """A ticket to everybody who logs in, in order; `admit` lets all in."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self.came: list[tuple[str, str]] = []
        self._connections: list[ServerConnection] = []

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request
        headers = connection.request.headers
        self.came.append((headers["id"], headers["platform"]))
        self._connections.append(connection)
        await self._tell(connection, 1000)
        async for text in connection:
            login = json.loads(text)
            assert (login["eventCode"], login["eventData"]["type"]) == (1001, 4)
            position = self.positions.setdefault(login["eventData"]["token"], len(self.positions) + 1)
            await self._tell(connection, 1003, position=position)

    async def tell_all(self, code: int, **data: Any) -> None:
        for connection in self._connections:
            await self._tell(connection, code, **data)

    @staticmethod
    async def _tell(connection: ServerConnection, code: int, **data: Any) -> None:
        await connection.send(json.dumps({"eventCode": code, "eventData": data}, separators=(",", ":")))


async def drive(queue: FakeQueue, work: Callable[[Waiters], Any]) -> Any:
    """Run the generator's blocking side in a thread while the queue runs in this loop."""

    def run(port: int) -> Any:
        with Waiters(port) as waiters:
            return work(waiters)

    async with serve(queue.serve, "127.0.0.1", 0) as server:
        return await asyncio.to_thread(run, server.sockets[0].getsockname()[1])


async def test_everybody_gets_a_ticket_is_told_the_numbers_and_let_in():
    queue, loop = FakeQueue(), asyncio.get_running_loop()

    async def let_all_in() -> None:
        await queue.tell_all(1002, head=6, tail=5)
        await queue.tell_all(1001, jwt="secret")

    def make_room() -> None:
        asyncio.run_coroutine_threadsafe(let_all_in(), loop).result()

    def work(waiters: Waiters) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        waiters.name("first")
        came = waiters.arrive(5, join=False, window=2)
        joined = waiters.join(window=2)
        load = waiters.admitted(5, within_s=10, pids=(), during=make_room)
        return came, joined, load.result

    came, joined, let_in = await drive(queue, work)
    assert sorted(queue.came) == [(f"first{number}", "bench") for number in range(5)]
    assert (came["open"], came["failed"], came["answered"]) == (5, 0, 0)
    assert came["handshake_times"]["count"] == 5
    assert sorted(queue.positions) == [f"first{number}" for number in range(5)]
    assert (joined["answered"], joined["join_times"]["count"]) == (5, 5)
    assert (let_in["admitted"], let_in["admitted_times"]["count"], let_in["deliveries"]) == (5, 5, 5)


async def test_a_ticket_at_another_place_is_noticed():
    queue = FakeQueue()

    def work(waiters: Waiters) -> tuple[int, int]:
        waiters.arrive(3, join=True)
        waiters.drop()
        same = waiters.arrive(3, join=True)
        waiters.drop()
        queue.positions["waiter1"] = 7
        return same["moved"], waiters.arrive(3, join=True)["moved"]

    assert await drive(queue, work) == (0, 1)

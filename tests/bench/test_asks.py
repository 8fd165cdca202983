"""The load generator of those who ask counts the answers, and says who could not ask."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bench.figures.answers import Asks
from bench.swarm import COMPILER, Load, build


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if COMPILER is None:
        pytest.skip("no C compiler (cc) is installed")
    build("asks")


async def test_each_asks_again_when_it_has_its_answer():
    asked: list[int] = []
    paths: list[str] = []

    async def answer(connection: ServerConnection) -> None:
        assert connection.request
        paths.append(connection.request.path)
        await connection.send("hello")  # is no answer
        asked.append(0)
        mine = len(asked) - 1
        async for text in connection:
            assert text == "how are you"
            asked[mine] += 1
            await connection.send("fine")

    def run(port: int) -> Load:
        with Asks(port) as asks:
            asks.open("/some/path", 2)
            asks.open("/another", 1)
            return asks.ask("how are you", seconds=0.2, pids=())

    async with serve(answer, "127.0.0.1", 0) as server:
        load = await asyncio.to_thread(run, server.sockets[0].getsockname()[1])
    assert paths == ["/some/path", "/some/path", "/another"]
    assert (load.result["clients"], load.result["lost"]) == (3, 0)
    assert 0 < load.result["deliveries"] <= sum(asked)
    assert load.result["latency"]["count"] == load.result["deliveries"]
    assert min(asked) > 1


async def test_who_is_not_let_in_is_counted():
    async def refuse(connection: ServerConnection, _request: object) -> object:
        return connection.respond(403, "no")

    def run(port: int) -> None:
        with Asks(port) as asks, pytest.raises(RuntimeError, match="2 of 2 clients could not connect to /x"):
            asks.open("/x", 2)

    async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=refuse) as server:
        await asyncio.to_thread(run, server.sockets[0].getsockname()[1])

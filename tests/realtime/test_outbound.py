"""Requests to other servers: many at once, and never for long."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from realtime.outbound import MAX_ANSWER_BYTES, MAX_IN_FLIGHT, NoAnswer, Outbound
from tests.site import Reply, Site

GOOD = Reply({"all": "well"})


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with Site() as site:
        yield site


@pytest.fixture
async def outbound(site: Site) -> AsyncIterator[Outbound]:
    outbound = Outbound(60.0)  # a slow machine is no failure
    yield outbound
    await outbound.close()


async def test_as_many_at_once_as_a_round_admits_and_no_more(outbound, site) -> None:
    under_way = highest = 0
    everybody_is_here = asyncio.Event()

    async def together(_asked: Any) -> Reply:
        nonlocal under_way, highest
        under_way += 1
        highest = max(highest, under_way)
        if under_way == MAX_IN_FLIGHT:
            everybody_is_here.set()
        await everybody_is_here.wait()
        under_way -= 1
        return GOOD

    site.replies["/"] = together
    asking = [outbound.send("GET", site.url("/"), who="the site") for _ in range(MAX_IN_FLIGHT + 50)]
    assert {answer.status for answer in await asyncio.gather(*asking)} == {200}
    assert highest == MAX_IN_FLIGHT


async def test_many_that_begin_at_once_leave_room_for_others(outbound, site) -> None:
    site.replies["/"] = GOOD
    asking = [asyncio.create_task(outbound.send("GET", site.url("/"), who="the site")) for _ in range(100)]
    turns = 0
    while not site.asked_for("/")[99:]:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    await asyncio.gather(*asking)


async def test_few_requests_use_few_connections(outbound, site) -> None:
    site.replies["/"] = GOOD
    for _ in range(20):
        await outbound.send("GET", site.url("/"), who="the site")
    assert site.connections == 1


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(outbound, site) -> None:
    site.replies["/"] = Reply(b"x" * MAX_ANSWER_BYTES)
    assert len((await outbound.send("GET", site.url("/"), who="the site")).body) == MAX_ANSWER_BYTES
    site.replies["/"] = Reply(b"x" * (MAX_ANSWER_BYTES + 1), headers={"Content-Length": "1000000000000"})
    with pytest.raises(NoAnswer, match="longer than"):
        await outbound.send("GET", site.url("/"), who="the site")


async def test_a_redirect_is_an_answer(outbound, site) -> None:
    site.replies["/"] = Reply(status=307, headers={"Location": "/elsewhere"})
    answer = await outbound.send("POST", site.url("/"), who="the site", content=b"secret")
    assert answer.status == 307
    assert site.asked_for("/elsewhere") == []


@pytest.mark.parametrize("url", ["", "nowhere", "http://", "http://[", "ftp://127.0.0.1/"])
async def test_an_address_that_is_none(outbound, url: str) -> None:
    with pytest.raises(NoAnswer, match="the site"):
        await outbound.send("GET", url, who="the site")


async def test_a_server_that_sends_a_byte_now_and_then() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()
            ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    outbound = Outbound(0.1)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NoAnswer, match="no answer within"):
        await outbound.send("GET", f"http://127.0.0.1:{port}/", who="the site")
    await asyncio.wait_for(ended.wait(), 5)
    await outbound.close()
    server.close()

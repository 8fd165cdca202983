"""The login queue in two processes: what an operator changes at one is in force at both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing

import pytest

from tests.e2e.servers import Server
from tests.e2e.waiter import QUEUE_STATS, SHOULD_QUEUE, Waiter
from tests.e2e.waiting_line import WaitingLine
from tests.integration.conftest import Cluster

pytestmark = [pytest.mark.redis, pytest.mark.postgres]


@pytest.fixture
def line(cluster: Cluster) -> Iterator[WaitingLine]:
    """No room, and nobody is told numbers again for an hour unless something changes."""
    with closing(WaitingLine(cluster.servers[0], cluster.keys["site"])) as line:
        line.clear()
        line.policy(capacity=0, stats_interval_s=3_600)
        yield line
        line.clear()


@pytest.fixture
async def waiters(line: WaitingLine, pair: tuple[Server, Server]) -> AsyncIterator[list[Waiter]]:
    """One in line at each process, on a page of ours."""
    async with AsyncExitStack() as stack:
        waiters = []
        for number, server in enumerate(pair):
            waiter = await Waiter.open(f"{server.ws_url}/?extended=1", f"somebody {number}")
            waiters.append(await stack.enter_async_context(waiter))
            assert await waiter.next(SHOULD_QUEUE) == {"shouldQueue": False}
            await waiter.log_in()
        yield waiters


async def told_message(waiter: Waiter, text: str) -> None:
    """Wait until the line's numbers come with that message."""
    while (await waiter.next(QUEUE_STATS)).get("message") != text:
        pass


async def test_room_made_at_one_process_lets_in_whoever_waits_at_the_other(
    line: WaitingLine, waiters: list[Waiter]
) -> None:
    line.policy(capacity=2)
    for waiter in waiters:
        assert await waiter.let_in()


async def test_what_people_are_shown_does_not_wait_for_the_next_numbers(
    line: WaitingLine, waiters: list[Waiter]
) -> None:
    for text in ("Back at six.", "Back at seven."):
        line.policy(message=text)
        for waiter in waiters:
            await told_message(waiter, text)


async def test_a_shorter_interval_does_not_wait_for_the_end_of_a_longer_one(
    line: WaitingLine, waiters: list[Waiter]
) -> None:
    line.policy(message="every second from now on", stats_interval_s=1)
    for waiter in waiters:
        await told_message(waiter, "every second from now on")
        await waiter.next(QUEUE_STATS)

"""A server that is killed, and one that is stopped: everyone in line has the place they had."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.listener import eventually
from tests.e2e.servers import Seed, Server, serve
from tests.e2e.waiter import SHOULD_QUEUE, Waiter
from tests.e2e.waiting_line import WaitingLine


async def start(folder: Path, name: str) -> Server:
    server = serve({"DATA_DIR": str(folder / "data")}, folder / f"{name}.log")
    await asyncio.to_thread(server.wait_ready)
    return server


async def in_line(stack: AsyncExitStack, line: WaitingLine, number: int) -> tuple[Waiter, int]:
    waiter = await stack.enter_async_context(await line.open(f"client-{number}"))
    await waiter.next(SHOULD_QUEUE)
    ticket, _ = await waiter.log_in()
    return waiter, ticket["position"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_everyone_has_the_place_they_had(seed: Seed, tmp_path: Path, end: signal.Signals) -> None:
    seed.copy_to(tmp_path / "data")
    key = seed.keys["site"]
    server = await start(tmp_path, "before")
    with closing(WaitingLine(server, key)) as line:
        line.policy(capacity=2)
        async with AsyncExitStack() as stack:
            for number in range(2):
                waiter, _ = await in_line(stack, line, number)
                await waiter.let_in()
            waiting = [await in_line(stack, line, number) for number in range(2, 5)]
            before = [position for _, position in waiting]
            server.send_signal(end)
            codes = [await waiter.closed() for waiter, _ in waiting]
    assert set(codes) <= ({1006} if end == signal.SIGKILL else {1012})
    await asyncio.to_thread(server.wait)
    assert server.problems() == []

    server = await start(tmp_path, "after")
    try:
        with closing(WaitingLine(server, key)) as line:
            async with AsyncExitStack() as stack:
                # Whoever is back first: places are not given anew.
                back = [await in_line(stack, line, number) for number in (4, 2, 3)]
                assert [position for _, position in back] == [before[2], before[0], before[1]]
                assert len(line.sessions()) == 2, "who was in is in"
                line.end_session()
                await back[1][0].let_in()
                await back[2][0].drop()
                await eventually(lambda: line.inactive() == ["client-3"], what="client 3 to be away")
    finally:
        server.stop()
    assert server.problems() == []

"""What is killed, stopped and started again under a desk at work: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.listener import eventually
from tests.e2e.servers import Server
from tests.integration.conftest import Cluster
from tests.integration.desk import (
    DeskSeed,
    Wire,
    at_desk,
    at_display,
    at_kiosk,
    clear,
    same_as_fresh,
    ticket_id,
)

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
Pair = tuple[Server, Server]

# A killed server's tables: 6 s after its last sign of life, looked for every 2 s, and the machine is busy.
LET_GO_WITHIN_S = 15.0


@pytest.fixture(autouse=True)
async def cleared(pair: Pair, desk: DeskSeed) -> None:
    await clear(pair[0], desk.key)


async def test_every_success_that_a_client_saw_survives_a_kill(
    extra: Callable[..., Server], pair: Pair, cluster: Cluster, desk: DeskSeed
) -> None:
    doomed = extra(env={"TICKETING_GRACE_S": "0"})
    token = desk.tokens[desk.names[0]]
    created: list[int] = []
    served: dict[int, str] = {}

    async def visit(kiosk: Wire) -> None:
        while True:
            created.append(ticket_id(await kiosk.ask("new a@example.org Ada")))

    async def serve(clerk: Wire) -> None:
        while True:
            for number in list(clerk.view.waiting)[:1]:
                for command, answer in (("accept", "claimed"), ("complete", "complete")):
                    if await clerk.ask(f"{command} {number}") == f"success {answer} {number}":
                        served[number] = command
            await asyncio.sleep(0)

    async with at_display(pair[0]) as display:
        async with at_kiosk(doomed) as one, at_kiosk(doomed) as two, at_desk(doomed) as clerk:
            assert await clerk.ask(f"pick 7 {token}") == "success pick 7"
            work = asyncio.gather(visit(one), visit(two), serve(clerk), return_exceptions=True)
            await eventually(lambda: len(created) > 60 and len(served) > 20, within_s=30, what="work")
            doomed.kill()
            ended = await work
            assert all(isinstance(end, ConnectionError | ConnectionClosed) for end in ended), ended
        kept = dict(cluster.query("select id, state from ticketing_ticket"))
        assert set(created) <= set(kept)
        for number, command in served.items():
            assert kept[number] in (("serving", "completed") if command == "accept" else ("completed",))
        # Others heard of everything, and of the table when nobody came back to it.
        assert 7 in display.view.tables or "unpick 7" in display.lines
        await eventually(
            lambda: 7 not in display.view.tables, within_s=LET_GO_WITHIN_S, what="the table to be let go"
        )
        async with at_desk(pair[1]) as clerk:
            assert await clerk.ask(f"pick 7 {token}") == "success pick 7"
            await same_as_fresh(pair, [display], [(clerk, token)])


async def test_after_a_restart_everybody_finds_what_there_was(
    extra: Callable[..., Server], pair: Pair, desk: DeskSeed
) -> None:
    token = desk.tokens[desk.names[1]]
    first = extra()
    async with at_kiosk(first) as kiosk, at_desk(first) as clerk, at_display(first) as display:
        waiting, held = [ticket_id(await kiosk.ask(f"new {n}@example.org N")) for n in ("a", "b")]
        await clerk.ask(f"pick 8 {token}")
        await clerk.ask(f"accept {held}")
        await eventually(lambda: display.view.tables.get(8) == held, what="the call")
        first.send_signal(signal.SIGTERM)
        await asyncio.to_thread(first.wait)
        assert clerk.ws.close_code == 1012
    second = extra()
    async with at_display(second) as display, at_desk(second) as clerk:
        await eventually(lambda: display.view.tables.get(8) == held, what="the display's picture")
        assert await clerk.ask(f"pick 8 {token}") == "success pick 8"
        await eventually(lambda: set(clerk.view.waiting) == {waiting}, what="who waits")
        assert await clerk.ask(f"complete {held}") == f"success complete {held}"
        assert "unpick 8" not in display.lines, "nobody saw that the clerk was away"


async def test_without_the_database_commands_are_refused_and_nothing_else_is_lost(
    pair: Pair, cluster: Cluster, desk: DeskSeed
) -> None:
    for server in pair:
        server.expected_errors |= {
            "Service Unavailable: /readyz",
            "broadcast.database_failed",
            "runtime.periodic_work_failed",
        }
    token = desk.tokens[desk.names[2]]
    async with at_kiosk(pair[0]) as kiosk, at_desk(pair[1]) as clerk, at_display(pair[0]) as display:
        await clerk.ask(f"pick 9 {token}")
        first = ticket_id(await kiosk.ask("new a@example.org Ada"))
        cluster.postgres.stop(signal.SIGQUIT)
        answers = await asyncio.gather(kiosk.ask("new b@example.org Bob"), clerk.ask(f"accept {first}"))
        assert answers == [
            "error new not available now. please try again",
            "error accept not available now. please try again",
        ]
        cluster.postgres.start()
        for server in pair:
            await eventually(
                lambda server=server: set(server.readiness().values()) == {"ok"},
                within_s=20,
                what="readiness",
            )
        assert await clerk.ask(f"accept {first}") == f"success claimed {first}"
        second = ticket_id(await kiosk.ask("new b@example.org Bob"))
        await eventually(lambda: second in clerk.view.waiting, what="the next visitor")
        await same_as_fresh(pair, [display], [(clerk, token)])
        assert {socket.ws.close_code for socket in (kiosk, clerk, display)} == {None}

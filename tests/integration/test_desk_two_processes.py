"""One desk in two processes: the same state for everybody, and one winner for everything."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from functools import partial
from itertools import chain

import pytest

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
    manager,
    same_as_fresh,
    ticket_id,
)

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
Pair = tuple[Server, Server]


@pytest.fixture(autouse=True)
async def cleared(pair: Pair, desk: DeskSeed) -> None:
    await clear(pair[0], desk.key)


# --- Everybody sees the same ------------------------------------------------------------------------


class Clerk:
    """Somebody at a socket who does what comes to mind."""

    def __init__(self, socket: Wire, token: str, dice: random.Random) -> None:
        self.socket, self.token, self.dice = socket, token, dice
        self.mine: set[int] = set()

    async def act(self) -> None:
        view, dice = self.socket.view, self.dice
        if view.table is None or dice.random() < 0.1:
            # Few tables for many: they meet there.
            await self.socket.ask(f"pick {dice.randrange(4)} {self.token}")
        elif view.waiting and dice.random() < 0.6:
            wanted = dice.choice(list(view.waiting))
            if await self.socket.ask(f"accept {wanted}") == f"success claimed {wanted}":
                self.mine.add(wanted)
        elif self.mine and dice.random() < 0.9:
            done = self.mine.pop()
            await self.socket.ask(f"{dice.choice(['complete', 'cancel'])} {done}")
        else:
            await self.socket.ask("unpick")


async def visit(kiosk: Wire, dice: random.Random, count: int) -> None:
    for _ in range(count):
        person = dice.randrange(20)
        ticket_id(await kiosk.ask(f"new visitor{person}@example.org Visitor {person}"))


async def manage_at_random(server: Server, key: str, dice: random.Random, count: int) -> None:
    async with manager(server, key) as manage:
        for _ in range(count):
            match dice.randrange(4):
                case 0:
                    await manage("POST", f"tables/{dice.randrange(4)}/{dice.choice(['pause', 'resume'])}")
                case 1:
                    await manage("POST", f"tables/{dice.randrange(4)}/free")
                case _:
                    found = await manage("GET", "tickets", params={"state": "serving", "limit": 20})
                    if served := found.json()["results"]:
                        chosen = dice.choice(served)["id"]
                        if dice.random() < 0.5:
                            await manage("POST", f"tickets/{chosen}/release")
                        else:
                            table = dice.randrange(4)
                            await manage("POST", f"tickets/{chosen}/transfer", json={"table": table})


async def act(clerk: Clerk, count: int) -> None:
    for _ in range(count):
        await clerk.act()


@pytest.mark.parametrize("redis_stops", [False, True], ids=["", "redis stops"])
async def test_what_was_told_adds_up_to_what_is(
    pair: Pair, cluster: Cluster, desk: DeskSeed, redis_stops: bool
) -> None:
    dice = random.Random(2019)
    async with AsyncExitStack() as stack:
        displays = [await stack.enter_async_context(at_display(server)) for server in pair]
        # That the desk was cleared is perhaps still on its way to one of them.
        await same_as_fresh(pair, displays, [])
        for display in displays:
            display.lines.clear()
        kiosks = [await stack.enter_async_context(at_kiosk(server)) for server in pair]
        clerks = [
            Clerk(
                await stack.enter_async_context(at_desk(pair[number % 2])),
                desk.tokens[name],
                random.Random(number),
            )
            for number, name in enumerate(desk.names[:6])
        ]

        async def everybody(count: int) -> None:
            await asyncio.gather(
                *(visit(kiosk, dice, count) for kiosk in kiosks),
                *(act(clerk, count) for clerk in clerks),
                *(manage_at_random(server, desk.key, dice, count // 2) for server in pair),
            )

        await everybody(15)
        if redis_stops:
            for server in pair:
                server.expected_errors |= {
                    "bus.down",
                    "Unexpected exception in receive task",
                    "Service Unavailable: /readyz",
                }
            cluster.redis.stop(signal.SIGKILL)
            await everybody(10)
            cluster.redis.start()
            for server in pair:
                await eventually(
                    lambda server=server: server.readiness().get("bus") == "ok",
                    within_s=15,
                    what="the bus to be back",
                )
        await everybody(10)
        await same_as_fresh(pair, displays, [(clerk.socket, clerk.token) for clerk in clerks])
        for display in displays[1:]:
            assert display.lines == displays[0].lines, "and told in the same order everywhere"


# --- One winner -----------------------------------------------------------------------------------


async def test_of_fifty_who_accept_the_same_tickets_each_ticket_has_one(
    pair: Pair, cluster: Cluster, desk: DeskSeed
) -> None:
    async with AsyncExitStack() as stack:
        kiosks = [await stack.enter_async_context(at_kiosk(pair[number % 2])) for number in range(10)]

        async def take_tickets(kiosk: Wire) -> list[int]:
            return [ticket_id(await kiosk.ask("new a@example.org Ada")) for _ in range(20)]

        tickets = sorted(chain.from_iterable(await asyncio.gather(*map(take_tickets, kiosks))))
        assert len(set(tickets)) == 200
        sockets = {}
        for number, name in enumerate(desk.names):
            sockets[name] = await stack.enter_async_context(at_desk(pair[number % 2]))
        picked = await asyncio.gather(
            *(socket.ask(f"pick {n} {desk.tokens[name]}") for n, (name, socket) in enumerate(sockets.items()))
        )
        assert picked == [f"success pick {number}" for number in range(50)]

        won: dict[int, str] = {}
        lost = 0

        async def accept_while_somebody_waits(name: str) -> None:
            nonlocal lost
            socket, dice = sockets[name], random.Random(name)
            while socket.view.waiting:
                # Five clerks for each of those at the head of the line.
                number = dice.choice(sorted(socket.view.waiting)[:10])
                answer = await socket.ask(f"accept {number}")
                if answer == f"success claimed {number}":
                    assert number not in won, "two winners"
                    won[number] = name
                else:
                    assert answer == "error accept this ticket is now claimed"
                    lost += 1

        await asyncio.gather(*map(accept_while_somebody_waits, sockets))
    rows = cluster.query(
        "select t.id, s.name from ticketing_ticket t join ticketing_staff s on s.id = t.staff_id"
        " where t.state = 'serving' order by t.id"
    )
    assert dict(rows) == won
    assert sorted(won) == tickets
    assert len(set(won.values())) > 25
    assert lost > 200, "they did race"


async def test_of_two_who_pick_one_table_one_has_it(pair: Pair, desk: DeskSeed) -> None:
    first, second = desk.names[:2]
    async with at_desk(pair[0]) as here, at_desk(pair[1]) as there:
        winners = set()
        for table in range(20):
            answers = await asyncio.gather(
                here.ask(f"pick {table} {desk.tokens[first]}"),
                there.ask(f"pick {table} {desk.tokens[second]}"),
            )
            assert sorted(answers) == ["error the chosen table is not available", f"success pick {table}"]
            winners.add(answers[0].startswith("success"))
            for socket in (here, there):
                if socket.view.table is not None:
                    await socket.ask("unpick")
            for socket in (here, there):
                await eventually(partial(lambda view: view.taken == (), socket.view), what="both to stand up")

"""The login queue on both servers, by a client that knows the document and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.e2e.listener import PATIENCE_S, eventually
from tests.e2e.rawsocket import frame
from tests.e2e.servers import Seed, Server
from tests.e2e.waiter import ERROR, LOGIN, QUEUE_STATS, SHOULD_QUEUE, TICKET
from tests.e2e.waiting_line import WaitingLine

BAD_FRAMES = {
    "MALFORMED": [
        "",
        "hello",
        "[]",
        "{}",
        '{"eventCode":true,"eventData":{}}',
        '{"eventCode":1001}',
        b"\x00",
    ],
    "UNKNOWN_EVENT": ['{"eventCode":1000,"eventData":{}}', '{"eventCode":9,"eventData":{}}'],
    "INVALID_LOGIN": [
        '{"eventCode":1001,"eventData":{}}',
        '{"eventCode":1001,"eventData":{"type":true,"token":"t"}}',
        '{"eventCode":1001,"eventData":{"type":4,"token":7}}',
    ],
    "TOO_LARGE": ['{"eventCode":1001,"eventData":{"type":4,"token":"' + "t" * 17_000 + '"}}'],
}


@pytest.fixture(scope="module")
def whole_line(server: Server, seed: Seed) -> Iterator[WaitingLine]:
    with closing(WaitingLine(server, seed.keys["site"])) as line:
        yield line


@pytest.fixture
async def line(whole_line: WaitingLine) -> AsyncIterator[WaitingLine]:
    """Nobody waits and nobody is in; room for two."""
    whole_line.clear()
    whole_line.policy(capacity=2)
    # A newcomer is told of the line as it was a moment ago.
    async with asyncio.timeout(PATIENCE_S):
        while not await whole_line.has_room():
            pass
    yield whole_line
    whole_line.clear()


@pytest.fixture
async def full(line: WaitingLine) -> WaitingLine:
    """The same with both places taken."""
    for number in range(2):
        async with await line.open(f"early-{number}") as waiter:
            await waiter.next(SHOULD_QUEUE)
            await waiter.log_in()
            await waiter.let_in()
    return line


async def test_two_get_in_three_see_their_place_and_the_line_moves(line: WaitingLine) -> None:
    for number in range(2):
        async with await line.open(f"client-{number}") as waiter:
            assert await waiter.next(SHOULD_QUEUE) == {"shouldQueue": True}
            ticket, stats = await waiter.log_in()
            assert set(ticket) == {"ticketId", "position"}
            assert set(stats) == {"headPosition", "tailPosition", "avgWaitMsec"}
            assert (await waiter.let_in()).count(".") == 2, "a JWT"
    waiters = [await line.open(f"client-{number}") for number in (2, 3, 4)]
    places = []
    for waiter in waiters:
        assert await waiter.next(SHOULD_QUEUE) == {"shouldQueue": False}
        ticket, stats = await waiter.log_in()
        places.append(ticket["position"])
        assert (stats["headPosition"], stats["tailPosition"]) == (places[0], ticket["position"])
    assert places == [places[0], places[0] + 1, places[0] + 2]
    for waiter in waiters:
        line.end_session()
        await waiter.let_in()
    async with await line.open("late") as late:
        await late.next(SHOULD_QUEUE)
        line.end_session()
        await late.log_in()
        await late.let_in()


async def test_the_numbers_come_again_and_again_the_same_for_all(full: WaitingLine) -> None:
    full.policy(stats_interval_s=1)
    async with await full.open("one") as one, await full.open("two") as two:
        await one.next(SHOULD_QUEUE)
        await one.log_in()
        ticket, _ = (await two.next(SHOULD_QUEUE), await two.log_in())[1]
        told = []
        for waiter in (one, two):
            told += [await waiter.next(QUEUE_STATS) for _ in range(2)]
        assert told[1] == told[3]
        assert told[1]["tailPosition"] == ticket["position"]
        assert told[1]["headPosition"] == ticket["position"] - 1


async def test_a_reconnect_keeps_ticket_and_place(full: WaitingLine) -> None:
    first, second = await full.open("first"), await full.open("second")
    await first.next(SHOULD_QUEUE)
    before, _ = await first.log_in()
    await second.next(SHOULD_QUEUE)
    behind, _ = await second.log_in()
    await first.drop()
    await eventually(lambda: full.inactive() == ["first"], what="the loss of the connection")
    full.end_session()
    await second.let_in()
    async with await full.open("first") as again:
        assert await again.next(SHOULD_QUEUE) == {"shouldQueue": False}
        assert await again.log_in() == (before, again.told[-1][1])
        assert behind["position"] == before["position"] + 1
        full.end_session()
        await again.let_in()


async def test_a_newer_connection_takes_over(full: WaitingLine) -> None:
    older = await full.open("same")
    await older.next(SHOULD_QUEUE)
    ticket, _ = await older.log_in()
    async with await full.open("same") as newer:
        assert await older.closed() == 4009
        await newer.next(SHOULD_QUEUE)
        assert (await newer.log_in())[0] == ticket
        full.end_session()
        await newer.let_in()


async def test_a_live_session_need_not_wait(line: WaitingLine) -> None:
    async with await line.open("a") as waiter:
        await waiter.next(SHOULD_QUEUE)
        await waiter.log_in()
        jwt = await waiter.let_in()
    line.policy(capacity=0)
    for headers, may_go in (({"jwt": jwt}, True), ({"jwt": jwt + "x"}, False), ({}, False)):
        async with await line.open("b", **headers) as waiter:
            assert await waiter.next(SHOULD_QUEUE) == {"shouldQueue": may_go}
    line.end_session()
    async with await line.open("a", jwt=jwt) as waiter:
        assert await waiter.next(SHOULD_QUEUE) == {"shouldQueue": False}


async def test_a_refused_login_may_be_tried_again_at_the_tail(line: WaitingLine) -> None:
    async with await line.open("a") as waiter:
        await waiter.next(SHOULD_QUEUE)
        await waiter.send({"type": 1, "token": "no.such.provider"})
        first = await waiter.next(TICKET)
        answer = await waiter.next(LOGIN)
        assert (answer["jwt"], answer["statusCode"]) == ("", 401)
        assert "Google" in answer["message"]
        second, _ = await waiter.log_in()
        assert second["position"] > first["position"]
        assert second["ticketId"] != first["ticketId"]
        await waiter.let_in()


async def test_logins_sent_one_upon_the_other_leave_nothing_behind(line: WaitingLine) -> None:
    for number in range(5):
        async with await line.open(f"hasty-{number}") as waiter:
            await waiter.next(SHOULD_QUEUE)
            line.policy(capacity=number + 1)
            login = json.dumps({"eventCode": LOGIN, "eventData": {"type": 4, "token": "t"}})
            for _ in range(4):
                await waiter.ws.send(login)
            assert await waiter.closed() == 1000
    await eventually(lambda: line.manage("GET", "stats")["loggingIn"] == 0, what="nobody on the way")
    # Whatever tickets came of it: nobody is connected with one.
    await eventually(lambda: all(not one["connected"] for one in line.waiting()), what="no leftovers")
    assert len(line.sessions()) == 5


# uvicorn by itself says that a client has answered as soon as it is closed.
@pytest.mark.parametrize("server", ["daphne", "serve"], indirect=True)
async def test_who_never_answered_the_close_may_log_in_again_on_its_place(full: WaitingLine) -> None:
    """Its connection broke with the credential on its way; others wait, and it need not."""
    full.end_session()
    mute = await full.raw("mute")
    assert (await mute.message())["eventCode"] == SHOULD_QUEUE
    await mute.send(frame(json.dumps({"eventCode": LOGIN, "eventData": {"type": 4, "token": "t"}}).encode()))
    while (await mute.message())["eventCode"] != LOGIN:
        pass
    async with await full.open("patient") as patient:
        await patient.next(SHOULD_QUEUE)
        await patient.log_in()
        mute.reset()
        async with await full.open("mute") as again:
            await again.next(SHOULD_QUEUE)
            await again.log_in()
            await again.let_in()
        assert len(full.sessions()) == 2
    # This time it answered.
    async with await full.open("mute") as again:
        await again.next(SHOULD_QUEUE)
        ticket, stats = await again.log_in()
        assert ticket["position"] >= stats["headPosition"]


async def test_an_operator_moves_removes_and_lets_in(full: WaitingLine) -> None:
    a, b, c = [await full.open(name) for name in ("a", "b", "c")]
    tickets = {}
    for waiter in (a, b, c):
        await waiter.next(SHOULD_QUEUE)
        tickets[waiter.client_id] = (await waiter.log_in())[0]
    full.manage("POST", f"tickets/{tickets['c']['ticketId']}/move-to-front")
    moved = await c.next(TICKET)
    assert moved["position"] < tickets["a"]["position"]
    assert (await c.next(QUEUE_STATS))["headPosition"] == moved["position"]
    full.manage("DELETE", f"tickets/{tickets['b']['ticketId']}")
    assert (await b.next(ERROR))["code"] == "REMOVED"
    full.manage("POST", f"tickets/{tickets['a']['ticketId']}/admit")
    await a.let_in()
    assert (await b.log_in())[0]["position"] > moved["position"]
    full.end_session()
    full.end_session()
    await c.let_in()
    full.end_session()
    await b.let_in()


@pytest.mark.parametrize("code", list(BAD_FRAMES))
async def test_a_bad_frame_is_answered_and_the_connection_goes_on(full: WaitingLine, code: str) -> None:
    async with await full.open("bad") as waiter:
        await waiter.next(SHOULD_QUEUE)
        for frame in BAD_FRAMES[code]:
            if frame == "" and not full.server.is_serve:
                continue  # daphne drops empty messages
            await waiter.ws.send(frame)
            error = await waiter.next(ERROR)
            assert error["code"] == code, frame
            assert set(error) == {"code", "message"}
        await waiter.log_in()


async def test_too_many_bad_frames_end_it(full: WaitingLine) -> None:
    async with await full.open("bad") as waiter:
        await waiter.next(SHOULD_QUEUE)
        for _ in range(21):
            await waiter.ws.send("x")
        for _ in range(21):
            assert (await waiter.next(ERROR))["code"] == "MALFORMED"
        # daphne can send no code of ours below 3000.
        assert await waiter.closed() == (1008 if full.server.is_serve else 4008)


@pytest.mark.parametrize(
    ("headers", "query", "named"),
    [
        ({}, "", "id"),
        ({"platform": "web"}, "", "id"),
        ({"id": "a"}, "", "platform"),
        ({"id": "a" * 129, "platform": "web"}, "", "id"),
        ({"id": "a", "platform": "w e b"}, "", "platform"),
        ({}, "?id=a&platform=%00", "platform"),
    ],
)
async def test_a_bad_handshake_is_refused_in_words(
    line: WaitingLine, headers: dict[str, str], query: str, named: str
) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{line.server.ws_url}/{query}", additional_headers=headers, proxy=None)
    response = refusal.value.response
    if line.server.is_serve:
        assert response.status_code == 400
        assert response.body.decode().startswith(named)
        assert response.body.decode().count("\n") == 1
    else:
        assert response.status_code == 403


@pytest.mark.parametrize("path", ["/", "/queue/", "/queue"])
async def test_a_browser_says_who_it_is_in_the_query(line: WaitingLine, path: str) -> None:
    address = f"{line.server.ws_url}{path}?platform=web&id=a%20b"
    async with connect(address, proxy=None, origin=line.server.url) as ws:  # type: ignore[arg-type]
        assert json.loads(await ws.recv()) == {"eventCode": 1000, "eventData": {"shouldQueue": True}}


async def test_the_page_is_told_more(full: WaitingLine) -> None:
    full.policy(message="Back at noon", paused=True, stats_interval_s=1)
    address = f"{full.server.ws_url}/queue/?platform=web&id=page&extended=1"
    async with connect(address, proxy=None) as ws:
        assert json.loads(await ws.recv())["eventCode"] == SHOULD_QUEUE
        told: dict[str, Any] = {}
        while told.get("message") != "Back at noon":  # within a second; before it, what was the policy
            frame = json.loads(await ws.recv())
            assert frame["eventCode"] == QUEUE_STATS
            told = frame["eventData"]
        assert told["paused"]


async def test_nothing_is_left_of_those_who_have_gone(full: WaitingLine) -> None:
    before = full.server.metric("foyer_connections", app="queue")
    for number in range(20):
        waiter = await full.open(f"gone-{number}")
        await waiter.next(SHOULD_QUEUE)
        if number % 2:
            await waiter.log_in()
        with suppress(OSError):
            await waiter.drop()
    await eventually(
        lambda: full.server.metric("foyer_connections", app="queue") == before, what="all to be gone"
    )
    await eventually(lambda: len(full.inactive()) == 10, what="their tickets to be inactive")

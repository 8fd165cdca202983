"""The desk's load generator does what kiosks and staff do, and counts what they are told."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bench.crowd import Crowd
from bench.swarm import COMPILER, build
from tests.bench.fake_desk import MORE_FOR_PAGES, FakeDesk


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if COMPILER is None:
        pytest.skip("no C compiler (cc) is installed")
    build("desk")


async def at(desk: FakeDesk, work: Callable[[Crowd], Any]) -> Any:
    """Run the generator's blocking side in a thread while the desk runs in this loop."""

    def run() -> Any:
        with Crowd(desk.port) as crowd:
            return work(crowd)

    return await asyncio.to_thread(run)


def seated(crowd: Crowd, staff: int, *, waiting: int = 0) -> Crowd:
    crowd.open("staff", staff)
    for table in range(1, staff + 1):
        crowd.seat(table, f"token{table}", waiting=waiting)
    return crowd


def every(size: int) -> Callable[[bytes], list[bytes]]:
    return lambda data: [data[start : start + size] for start in range(0, len(data), size)]


async def test_tickets_are_taken_when_they_are_due_and_everybody_seated_is_told() -> None:
    def work(crowd: Crowd) -> Any:
        crowd.open("kiosk", 2)
        crowd.open("display", 1)
        return seated(crowd, 3).take(0.2, rate=200.0, warmup_s=0.05, pids=[])

    async with FakeDesk() as desk:
        load = await at(desk, work)

    dues = sorted(int(line.rpartition(" ")[2]) for line in desk.said("new"))
    assert {after - before for before, after in pairwise(dues)} == {5_000_000}
    assert len({line.split(" ")[1] for line in desk.said("new")}) == len(dues)  # of as many visitors
    assert load.result["total_created"] == len(dues) == pytest.approx(50, abs=2)
    assert load.result["told"] == load.result["told_times"]["count"] == 40 * 3
    assert load.result["create_times"]["count"] == 40


async def test_kiosks_without_a_pace_take_the_next_ticket_when_they_have_the_last() -> None:
    def work(crowd: Crowd) -> Any:
        crowd.open("kiosk", 3)
        return crowd.take(0.5, warmup_s=0.0, pids=[])

    async with FakeDesk() as desk:
        load = await at(desk, work)

    assert all(len(guest.said) > 1 for guest in desk.guests)
    assert load.result["total_created"] == len(desk.names)
    assert load.result["waiting"] == 0  # nobody is seated who would know


@pytest.mark.parametrize("cut", [every(10_000), every(61)])
async def test_staff_serve_in_the_order_of_the_line_until_nobody_waits(
    cut: Callable[[bytes], list[bytes]],
) -> None:
    async with FakeDesk(40, cut=cut) as desk:
        load = await at(desk, lambda crowd: seated(crowd, 4, waiting=40).serve(30.0, warmup_s=0.0, pids=[]))

    assert load.result["seconds"] < 25
    assert sorted(desk.accepted) == sorted(desk.completed) == list(range(1, 41))
    assert {guest.said[1] for guest in desk.guests} == {f"accept {number}" for number in range(1, 5)}
    assert all(
        accept.replace("accept", "complete") == complete
        for guest in desk.guests
        for accept, complete in zip(guest.said[1::2], guest.said[2::2], strict=True)
    )
    assert load.result["total_accepted"] == load.result["total_completed"] == 40
    assert load.result["accepted"] - 4 <= load.result["accept_times"]["count"] <= load.result["accepted"]


@pytest.mark.parametrize("kiosks", [pytest.param(2, id="few kiosks"), pytest.param(20, id="many kiosks")])
async def test_a_line_that_is_served_in_turns_keeps_its_length(kiosks: int) -> None:
    def work(crowd: Crowd) -> Any:
        crowd.open("kiosk", kiosks)
        return seated(crowd, 5, waiting=20).turn(0.2, warmup_s=0.05, pids=[])

    async with FakeDesk(20) as desk:
        load = await at(desk, work)

    assert sorted(desk.accepted) == list(range(1, len(desk.accepted) + 1))
    assert len(desk.accepted) > 20
    assert load.result["waiting"] == len(desk.names) - len(desk.accepted)
    assert 20 - 5 <= load.result["waiting"] <= 20 + 5


async def test_a_pick_is_over_when_the_picture_of_the_line_is_there() -> None:
    async with FakeDesk(3_000, cut=every(20_011)) as desk:

        def work(crowd: Crowd) -> list[dict[str, Any]]:
            crowd.open("staff", 1, pages=False)
            crowd.open("staff", 1)
            return [crowd.seat(1, "a", waiting=3_000), crowd.seat(2, "b", waiting=3_000)]

        plain, page = await at(desk, work)

    assert desk.said("pick") == ["pick 1 a", "pick 2 b"]
    assert plain["new_lines"] == page["new_lines"] == 3_000
    assert page["bytes"] == plain["bytes"] + len("taken" + "ready" + "".join(MORE_FOR_PAGES))
    assert 0 < plain["first_us"] < plain["all_us"]


async def test_what_is_refused_fails_the_run() -> None:
    async with FakeDesk(5, refuse="accept") as desk:
        with pytest.raises(RuntimeError, match="refused"):
            await at(desk, lambda crowd: seated(crowd, 1, waiting=5).serve(0.1, warmup_s=0.0, pids=[]))
    assert len(desk.said("accept")) == 5


async def test_a_pick_that_is_refused_fails() -> None:
    async with FakeDesk(refuse="pick") as desk:
        with pytest.raises(RuntimeError, match="could not be picked"):
            await at(desk, lambda crowd: seated(crowd, 1))


async def test_a_desk_that_hangs_up_fails_the_run() -> None:
    def work(crowd: Crowd) -> None:
        crowd.open("kiosk", 1)
        crowd.take(0.1, warmup_s=0.0, pids=[])

    async with FakeDesk(hang_up="new") as desk:
        with pytest.raises(RuntimeError, match="hung up on a socket of kiosk"):
            await at(desk, work)


async def test_a_desk_that_is_not_there_is_an_error() -> None:
    async with FakeDesk() as desk:
        port = desk.port
    with Crowd(port) as crowd, pytest.raises(RuntimeError, match="could not connect"):
        crowd.open("kiosk", 1)

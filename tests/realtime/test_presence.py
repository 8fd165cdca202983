"""Presence: one contract for both stores, and what only processes on one Redis can show."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis import asyncio as aioredis

from realtime import redis_presence
from realtime.presence import IdTakenError, Member, MemoryPresence, Presence
from realtime.redis_presence import PREFIX, RedisPresence
from tests.components import RedisServer

LIMIT = 100
ROOM = "app:room"


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Any]:
    client: Any = aioredis.from_url(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_presence, "LEASE_S", 0.4)
    monkeypatch.setattr(redis_presence, "RENEW_S", 0.05)


@pytest.fixture
async def make(redis: Any, redis_server: RedisServer) -> AsyncIterator[Callable[[str], RedisPresence]]:
    """Make the presence of a process of that ID, on the same Redis."""
    made: list[RedisPresence] = []

    def make(process_id: str) -> RedisPresence:
        made.append(RedisPresence(redis_server.url, process_id))
        return made[-1]

    yield make
    for presence in made:
        await presence.stop()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def presence(request: pytest.FixtureRequest) -> Presence:
    if request.param == "memory":
        return MemoryPresence("proc_1")
    made: Presence = request.getfixturevalue("make")("proc_1")
    return made


async def until(condition: Callable[[], Any]) -> None:
    """Wait until ``await condition()`` is true; the store tells nobody when it changes."""
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0.01)


def ids(members: list[Member]) -> set[str]:
    return {member.id for member in members}


# --- the contract ---------------------------------------------------------------------------------


async def test_a_join_tells_who_was_there(presence: Presence):
    first = await presence.join(ROOM, "a", {"n": 1}, limit=LIMIT)
    second = await presence.join(ROOM, "b", {"n": [None, "é"]}, limit=LIMIT)
    assert (first.others, first.count) == ([], 1)
    assert (second.others, second.count) == ([Member("a", "proc_1", {"n": 1})], 2)
    assert ids(await presence.members(ROOM)) == {"a", "b"}
    assert await presence.count(ROOM) == 2


async def test_above_the_limit_a_join_tells_the_count_only(presence: Presence):
    for name in "ab":
        await presence.join(ROOM, name, {}, limit=2)
    joined = await presence.join(ROOM, "c", {}, limit=2)
    assert (joined.others, joined.count) == ([], 3)
    await presence.leave(ROOM, "a")
    await presence.leave(ROOM, "b")
    assert ids((await presence.join(ROOM, "d", {}, limit=2)).others) == {"c"}


async def test_an_id_is_taken_once_in_a_room(presence: Presence):
    await presence.join(ROOM, "a", {"first": True}, limit=LIMIT)
    with pytest.raises(IdTakenError):
        await presence.join(ROOM, "a", {}, limit=LIMIT)
    assert await presence.members(ROOM) == [Member("a", "proc_1", {"first": True})]
    await presence.join("app:other", "a", {}, limit=LIMIT)
    await presence.leave(ROOM, "a")
    await presence.join(ROOM, "a", {}, limit=LIMIT)


async def test_update_replaces_what_is_there_and_brings_nobody_back(presence: Presence):
    await presence.join(ROOM, "a", {"n": 1}, limit=LIMIT)
    await presence.update(ROOM, "a", {"n": 2})
    assert await presence.members(ROOM) == [Member("a", "proc_1", {"n": 2})]
    await presence.leave(ROOM, "a")
    await presence.update(ROOM, "a", {"n": 3})
    assert await presence.members(ROOM) == []


async def test_leave_tells_how_many_are_left(presence: Presence):
    for name in "abc":
        await presence.join(ROOM, name, {}, limit=LIMIT)
    assert [await presence.leave(ROOM, name) for name in "abcc"] == [2, 1, 0, 0]
    assert await presence.leave("app:never", "a") == 0
    assert await presence.count(ROOM) == 0


async def test_rooms_are_those_with_members(presence: Presence):
    for room, name in (("app:x", "a"), ("app:x", "b"), ("app:y", "a"), ("other:x", "a")):
        await presence.join(room, name, {}, limit=LIMIT)
    assert await presence.rooms("app:") == {"app:x": 2, "app:y": 1}
    await presence.leave("app:y", "a")
    assert await presence.rooms("app:") == {"app:x": 2}
    assert await presence.members("app:y") == []


async def test_starts_and_stops(presence: Presence):
    presence.on_lost(lambda room, member: None)
    presence.start()
    await presence.join(ROOM, "a", {}, limit=LIMIT)
    await presence.stop()


# --- several processes ---------------------------------------------------------------------------------


@pytest.mark.redis
async def test_processes_see_each_other(make):
    one, two = make("proc_1"), make("proc_2")
    await one.join(ROOM, "a", {"n": 1}, limit=LIMIT)
    joined = await two.join(ROOM, "b", {}, limit=LIMIT)
    assert joined.others == [Member("a", "proc_1", {"n": 1})]
    with pytest.raises(IdTakenError):
        await two.join(ROOM, "a", {"n": 1}, limit=LIMIT)
    await one.update(ROOM, "a", {"n": 2})
    assert Member("a", "proc_1", {"n": 2}) in await two.members(ROOM)
    assert await one.leave(ROOM, "a") == 1
    assert ids(await two.members(ROOM)) == {"b"}


@pytest.mark.redis
async def test_members_of_a_killed_process_leave_and_are_announced_once(make, redis):
    dead, alive, other = make("proc_dead"), make("proc_alive"), make("proc_other")
    lost: list[tuple[str, str]] = []
    for presence in (alive, other):
        presence.on_lost(lambda room, member: lost.append((room, member.id)))
    dead.start()
    for name in "ab":
        await dead.join(ROOM, name, {}, limit=LIMIT)
    await dead.join("app:second", "a", {}, limit=LIMIT)
    await alive.join(ROOM, "c", {}, limit=LIMIT)
    await until(lambda: redis.exists(f"{PREFIX}lease:proc_dead"))
    alive.start()
    other.start()
    dead._task.cancel()  # as SIGKILL does: nothing is said, the lease is not given back

    async def gone() -> bool:
        return ids(await alive.members(ROOM)) == {"c"} and not await alive.members("app:second")

    await until(gone)
    await until(lambda: _is_absent(redis, f"{PREFIX}processes", "proc_dead"))
    assert sorted(lost) == [(ROOM, "a"), (ROOM, "b"), ("app:second", "a")]
    assert await alive.rooms("") == {ROOM: 1}
    assert not await redis.exists(f"{PREFIX}held:proc_dead")


async def _is_absent(redis: Any, key: str, member: str) -> bool:
    return not await redis.sismember(key, member)


@pytest.mark.redis
async def test_members_of_a_process_that_left_properly_are_removed_at_once(make):
    """Its lease is given back, so nobody waits for it to run out."""
    leaving, staying = make("proc_1"), make("proc_2")
    leaving.start()
    await leaving.join(ROOM, "a", {}, limit=LIMIT)
    await until(lambda: leaving._redis.exists(f"{PREFIX}lease:proc_1"))
    await leaving.stop()
    await staying._reap()
    assert await staying.members(ROOM) == []


@pytest.mark.redis
async def test_a_process_that_comes_back_while_it_is_reaped_keeps_its_members(make, redis, monkeypatch):
    suspended, reaper = make("proc_1"), make("proc_2")
    lost: list[str] = []
    reaper.on_lost(lambda room, member: lost.append(member.id))
    await suspended._renew()
    await suspended.join(ROOM, "a", {}, limit=LIMIT)
    await redis.delete(f"{PREFIX}lease:proc_1")
    stored_members = reaper._stored_members

    async def then_it_wakes_up(room: str) -> list[Member]:
        found: list[Member] = await stored_members(room)
        await suspended._renew()
        return found

    monkeypatch.setattr(reaper, "_stored_members", then_it_wakes_up)
    await reaper._reap()
    assert ids(await suspended.members(ROOM)) == {"a"}
    assert await redis.sismember(f"{PREFIX}processes", "proc_1")
    assert await redis.sismember(f"{PREFIX}held:proc_1", ROOM)
    assert lost == []


@pytest.mark.redis
async def test_redis_losing_its_memory_is_made_good(make, redis):
    one, two = make("proc_1"), make("proc_2")
    for presence, name in ((one, "a"), (two, "b")):
        await presence.join(ROOM, name, {"of": name}, limit=LIMIT)
        presence.start()
    await redis.flushall()

    async def whole() -> bool:
        return ids(await one.members(ROOM)) == {"a", "b"}

    await until(whole)
    assert await two.rooms("") == {ROOM: 2}
    assert Member("b", "proc_2", {"of": "b"}) in await one.members(ROOM)


@pytest.mark.redis
async def test_without_redis_a_process_knows_its_own_and_catches_up(make, redis_server):
    one, two = make("proc_1"), make("proc_2")
    await one._renew()
    await two._renew()
    await one.join(ROOM, "stays", {}, limit=LIMIT)
    await one.join(ROOM, "leaves", {}, limit=LIMIT)
    await two.join(ROOM, "elsewhere", {}, limit=LIMIT)
    redis_server.stop()
    try:
        async with asyncio.timeout(5):  # nobody who comes or goes is held up
            joined = await one.join(ROOM, "comes", {}, limit=LIMIT)
            assert (ids(joined.others), joined.count) == ({"stays", "leaves"}, 3)
            with pytest.raises(IdTakenError):
                await one.join(ROOM, "comes", {}, limit=LIMIT)
            assert await one.leave(ROOM, "leaves") == 2
            await one.update(ROOM, "stays", {"n": 1})
            assert ids(await one.members(ROOM)) == {"stays", "comes"}
            assert await one.count(ROOM) == 2
            assert await one.rooms("") == {ROOM: 2}
    finally:
        redis_server.start()
    one.start()
    two.start()

    async def whole() -> bool:
        return ids(await two.members(ROOM)) == {"stays", "comes", "elsewhere"}

    await until(whole)
    assert Member("stays", "proc_1", {"n": 1}) in await two.members(ROOM)


@pytest.mark.redis
async def test_stopping_without_redis_is_quiet(make, redis_server):
    presence = make("proc_1")
    presence.start()
    redis_server.stop()
    try:
        await presence.stop()
    finally:
        redis_server.start()


@pytest.mark.redis
async def test_what_left_while_redis_was_away_is_removed_and_announced(make, redis):
    presence = make("proc_1")
    lost: list[str] = []
    presence.on_lost(lambda room, member: lost.append(member.id))
    await presence._renew()
    for name in "ab":
        await presence.join(ROOM, name, {}, limit=LIMIT)
    await presence._local.leave(ROOM, "a")  # what a leave amounts to when Redis does not hear it
    presence._stale = True
    await presence._renew()
    assert ids(await presence.members(ROOM)) == {"b"}
    assert lost == ["a"]


@pytest.mark.redis
async def test_who_joins_while_unknown_members_are_removed_stays(make, monkeypatch):
    presence = make("proc_1")
    await presence.join(ROOM, "a", {}, limit=LIMIT)
    real_leave = presence._stored_members

    async def slow(room: str) -> list[Member]:
        if room == ROOM and "b" not in ids(await presence._local.members(ROOM)):
            await presence.join(ROOM, "b", {}, limit=LIMIT)
        return list(await real_leave(room))

    monkeypatch.setattr(presence, "_stored_members", slow)
    presence._stale = True
    await presence._renew()
    assert ids(await real_leave(ROOM)) == {"a", "b"}


@pytest.mark.redis
async def test_a_join_that_is_cancelled_leaves_nobody_behind(make, monkeypatch):
    presence = make("proc_1")
    await presence._renew()
    entered = asyncio.Event()
    script = presence._join

    async def answer_never_comes(**arguments: Any) -> Any:
        await script(**arguments)
        entered.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(presence, "_join", answer_never_comes)
    joining = asyncio.ensure_future(presence.join(ROOM, "a", {}, limit=LIMIT))
    await asyncio.wait_for(entered.wait(), 5)
    joining.cancel()
    await asyncio.wait([joining])
    assert ids(await presence.members(ROOM)) == {"a"}
    await presence._renew()
    assert await presence.members(ROOM) == []


@pytest.mark.redis
async def test_a_join_sent_twice_is_one_join(make, redis):
    """The client repeats a command when its connection breaks before the answer."""
    presence = make("proc_1")
    script = presence._join

    async def twice(**arguments: Any) -> Any:
        await script(**arguments)
        return await script(**arguments)

    presence._join = twice
    assert (await presence.join(ROOM, "a", {"n": 1}, limit=LIMIT)).count == 1


@pytest.mark.redis
async def test_many_joins_at_once_share_a_few_connections(make, redis):
    presence = make("proc_1")
    before = len(await redis.client_list())
    await asyncio.gather(*[presence.join(ROOM, str(n), {}, limit=0) for n in range(500)])
    assert await presence.count(ROOM) == 500
    assert len(await redis.client_list()) - before <= redis_presence.MAX_REDIS_CONNECTIONS


@pytest.mark.redis
async def test_empty_rooms_leave_nothing_in_redis(make, redis):
    presence = make("proc_1")
    for n in range(20):
        await presence.join(f"app:{n}", "a", {}, limit=LIMIT)
    for n in range(20):
        await presence.leave(f"app:{n}", "a")
    assert await redis.keys("*") == []


@pytest.mark.redis
async def test_a_failure_of_ours_does_not_end_the_lease(make, redis, monkeypatch, caplog):
    presence = make("proc_1")
    calls = 0

    async def broken() -> None:
        nonlocal calls
        calls += 1
        raise LookupError("a bug")

    monkeypatch.setattr(presence, "_reap", broken)
    presence.start()

    async def again() -> bool:
        return calls > 1

    await until(again)
    assert "presence.watch_failed" in caplog.text

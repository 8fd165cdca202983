"""Live delivery of kept events: whatever becomes of the hints, listeners get the database's order."""

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast import events
from broadcast.selectors import KeptEvent, get_last_seqs
from broadcast.services import feeds as feeds_module
from broadcast.services.feeds import Feeds
from broadcast.services.history import NewEvent, commit_events
from realtime.db import in_db_thread
from realtime.heartbeat import TimerWheel
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeOutlet


class Hub:
    def __init__(self) -> None:
        self.got: list[Any] = []

    def deliver(self, group: str, head: bytes) -> None:
        self.got.append("gap" if b"HISTORY_GAP" in head else head.split(b'"payload":')[1].split(b",")[0])


class Bus:
    def __init__(self) -> None:
        self.resyncs: list[Any] = []

    def on_resync(self, callback: Any) -> None:
        self.resyncs.append(callback)


class FakeRuntime:
    """What a feed needs of a runtime. Spawned work runs as tasks; periodic work is the test's to run."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.bus = Bus()
        self.wheel = TimerWheel()
        self.tasks: set[asyncio.Task[Any]] = set()

    def every(self, interval_s: float, work: Any) -> None:
        pass

    def spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def settle(self) -> None:
        while self.tasks:
            await asyncio.wait_for(asyncio.gather(*self.tasks), 5)
            await asyncio.sleep(0)  # what is done already is gathered without a turn of the loop


class Database:
    """Rows by number; reads are held up until the test lets them through, as a busy database does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[int, bytes] = {}
        self.last_seq = 0
        self.reads = 0
        self.pending: list[asyncio.Event] = []
        self.slow = False
        self.failing = False
        monkeypatch.setattr(feeds_module, "in_db_thread", self._read)
        monkeypatch.setattr(feeds_module, "READ_LIMIT", 3)

    def commit(self) -> int:
        self.last_seq += 1
        self.rows[self.last_seq] = b"%d" % self.last_seq
        return self.last_seq

    async def _read(self, function: Any, *arguments: Any) -> Any:
        self.reads += 1
        if self.failing:
            raise ConnectionError("database away")
        if function is get_last_seqs:
            answer: Any = {channel: self.last_seq for channel in arguments[0] if self.last_seq}
        else:
            _, after, limit = arguments
            seqs = sorted(seq for seq in self.rows if seq > after)[:limit]
            now = datetime.now(UTC)
            answer = [KeptEvent(seq, f"evt_{seq}", self.rows[seq], now) for seq in seqs]
        if self.slow:
            gate = asyncio.Event()
            self.pending.append(gate)
            await gate.wait()
        else:
            await asyncio.sleep(0)
        return answer

    def let_through(self) -> None:
        for gate in self.pending:
            gate.set()
        self.pending.clear()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    return Database(monkeypatch)


class World:
    def __init__(self) -> None:
        self.runtime = FakeRuntime()
        fake: Any = self.runtime
        self.feeds = Feeds(fake)

    @property
    def got(self) -> list[Any]:
        got: list[Any] = self.runtime.hub.got
        return got

    def hint(self, seq: int) -> None:
        self.feeds.offer("c", seq, lambda: self.got.append(b"%d" % seq))


async def test_hints_in_order_need_no_query(database: Database):
    world = World()
    await world.feeds.open("c")
    reads = database.reads
    for _ in range(3):
        world.hint(database.commit())
    assert world.got == [b"1", b"2", b"3"]
    assert database.reads == reads


async def test_without_listeners_or_history_hints_pass_straight_through(database: Database):
    world = World()
    world.hint(7)
    assert world.got == [b"7"]


async def test_a_feed_lives_as_long_as_its_listeners(database: Database):
    world = World()
    first, second = await asyncio.gather(world.feeds.open("c"), world.feeds.open("c"))
    assert first is second
    world.feeds.close(first)
    world.hint(database.commit())
    assert first.last_seq == 1
    world.feeds.close(second)
    assert world.feeds._feeds == {}
    assert (await world.feeds.open("c")).last_seq == 1


async def test_a_lost_hint_is_made_good_by_the_next(database: Database):
    world = World()
    await world.feeds.open("c")
    for _ in range(5):
        database.commit()
    world.hint(5)
    await world.runtime.settle()
    assert world.got == [b"1", b"2", b"3", b"4", b"5"]


async def test_the_last_hint_lost_is_made_good_by_the_check(database: Database):
    world = World()
    await world.feeds.open("c")
    database.commit()
    await world.feeds.check()
    await world.runtime.settle()
    assert world.got == [b"1"]
    reads = database.reads
    await world.feeds.check()
    await world.runtime.settle()
    assert database.reads == reads + 1


async def test_a_resync_of_the_bus_checks_at_once(database: Database):
    world = World()
    await world.feeds.open("c")
    database.commit()
    for callback in world.runtime.bus.resyncs:
        callback()
    await world.runtime.settle()
    assert world.got == [b"1"]


async def test_a_check_without_feeds_asks_nothing(database: Database):
    await World().feeds.check()
    assert database.reads == 0


async def test_a_hint_that_comes_during_a_read_does_not_wait_for_the_check(database: Database):
    world = World()
    await world.feeds.open("c")
    database.commit()
    world.hint(database.commit())
    await asyncio.sleep(0)
    await world.runtime.settle()
    database.slow = True
    database.commit()
    world.hint(database.commit())  # starts a read, which finds 3 and 4
    while not database.pending:
        await asyncio.sleep(0)
    database.let_through()
    while not database.pending:
        await asyncio.sleep(0)  # the read that finds nothing is under way
    database.commit()
    world.hint(database.commit())  # 6, while 5 is on nobody's mind
    database.slow = False
    database.let_through()
    await world.runtime.settle()
    assert world.got == [b"%d" % n for n in range(1, 7)]


async def test_forgotten_events_are_told_as_a_gap_and_the_hinted_one_is_delivered(database: Database):
    world = World()
    await world.feeds.open("c")
    for _ in range(4):
        database.commit()
    database.rows.clear()
    world.hint(4)
    await world.runtime.settle()
    assert world.got == ["gap", b"4"]
    world.hint(database.commit())
    assert world.got == ["gap", b"4", b"5"]


async def test_a_hole_in_what_is_kept_is_told_before_what_comes_after_it(database: Database):
    world = World()
    await world.feeds.open("c")
    for _ in range(4):
        database.commit()
    del database.rows[1], database.rows[3]
    await world.feeds.check()
    await world.runtime.settle()
    assert world.got == ["gap", b"2", "gap", b"4"]


async def test_a_read_for_listeners_who_left_brings_nothing_to_those_who_came(database: Database):
    world = World()
    feed = await world.feeds.open("c")
    database.slow = True
    database.commit()
    world.hint(database.commit())
    while not database.pending:
        await asyncio.sleep(0)
    held, database.slow = database.pending[:], False
    world.feeds.close(feed)
    await world.feeds.open("c")
    for gate in held:
        gate.set()
    await world.runtime.settle()
    assert world.got == []


async def test_a_failed_read_is_tried_again_by_the_check(database: Database):
    world = World()
    await world.feeds.open("c")
    database.failing = True
    database.commit()
    world.hint(database.commit())
    await asyncio.wait(world.runtime.tasks)
    database.failing = False
    await world.feeds.check()
    await world.runtime.settle()
    assert world.got == [b"1", b"2"]


async def test_catching_up_ends_at_what_is_committed(database: Database):
    world = World()
    feed = await world.feeds.open("c")
    for _ in range(7):
        database.commit()
    await world.feeds.catch_up(feed)
    assert feed.last_seq == 7
    assert world.got == [b"%d" % n for n in range(1, 8)]


@given(
    order=st.permutations(range(1, 9)),
    lost=st.sets(st.integers(1, 8)),
    twice=st.sets(st.integers(1, 8)),
    pauses=st.lists(st.integers(0, 3), min_size=16, max_size=16),
    slow=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_order_loss_and_repetition_of_hints_gives_the_order_of_the_database(
    order, lost, twice, pauses, slow
):
    async def scenario() -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            database = Database(monkeypatch)
            world = World()
            await world.feeds.open("c")
            database.slow = slow
            hints = [seq for seq in order if seq not in lost] + sorted(twice)
            pause = itertools.cycle(pauses)
            for seq in hints:
                while database.last_seq < seq:
                    database.commit()
                world.hint(seq)
                for _ in range(next(pause)):
                    await asyncio.sleep(0)
                    database.let_through()
            database.slow = False
            database.let_through()
            await world.runtime.settle()
            await world.feeds.check()
            await world.runtime.settle()
            assert world.got == [b"%d" % n for n in range(1, database.last_seq + 1)]

    asyncio.run(scenario())


@pytest.mark.django_db(transaction=True)
async def test_with_the_real_database(rt: Runtime):
    """The channel's rows, not the fakes above: one listener, three events, the middle hint lost."""
    feeds = rt.part(Feeds)
    feed = await feeds.open("news")
    outlet = FakeOutlet("client_1")
    await rt.hub.join(events.group_of("news"), outlet)
    numbered = await in_db_thread(commit_events, [NewEvent("news", b"%d" % n) for n in range(3)])
    assert [number.seq for number in numbered] == [1, 2, 3]
    await feeds.catch_up(feed)
    rt.hub.flush()
    assert [head.split(b'"payload":')[1][:1] for head in outlet.got] == [b"0", b"1", b"2"]

"""Following a journal: every entry once and in order, whatever becomes of the hints and the readings."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pytest
from django.db import InterfaceError, OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import journal
from realtime.journal import Follower
from realtime.runtime import Runtime


@dataclass(frozen=True)
class Numbered:
    seq: int


class Readings:
    """Stands in for the database threads: what a reading found is known at once and told when it is let."""

    def __init__(self) -> None:
        self.under_way: list[tuple[asyncio.Future[Any], Any]] = []
        self.count = 0
        self.error: Exception | None = None

    async def read(self, function: Callable[..., Any], *args: Any) -> Any:
        self.count += 1
        future = asyncio.get_running_loop().create_future()
        self.under_way.append((future, self.error or function(*args)))
        return await future

    def finish(self) -> None:
        """Let the oldest reading tell what it found."""
        if self.under_way:
            future, outcome = self.under_way.pop(0)
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


class Setting:
    """A journal in memory and its follower, whose periodic check runs when called."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self.committed = 0
        self.delivered: list[int] = []
        self.refused: set[int] = set()
        self.checks: list[Callable[[], Any]] = []
        self.resyncs: list[Callable[[], None]] = []
        self.failures: list[BaseException] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.bus = self
        self.follower: Follower[Numbered] = Follower(
            cast(Runtime, self), read=self._list_entries, deliver=self._take
        )

    # -- what the follower needs of a runtime and its bus ----------------------------------------

    def on_resync(self, callback: Callable[[], None]) -> None:
        self.resyncs.append(callback)

    def every(self, interval_s: float, work: Callable[[], Any]) -> None:
        self.checks.append(work)

    def spawn(self, coroutine: Any) -> None:
        self._tasks.append(asyncio.ensure_future(coroutine))

    # -- the journal -----------------------------------------------------------------------------

    def _list_entries(self, after_seq: int, limit: int) -> Sequence[Numbered]:
        return [Numbered(seq) for seq in range(after_seq + 1, self.committed + 1)][:limit]

    def _take(self, entry: Numbered) -> None:
        self.delivered.append(entry.seq)
        if entry.seq in self.refused:
            raise LookupError("a bug of whoever is told")

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def finish_all(self) -> None:
        """Let every reading end, and those that follow from it."""
        await self.settle()
        while self.readings.under_way:
            self.readings.finish()
            await self.settle()
        for task in self._tasks:
            assert task.done()
            task.result()


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    readings = Readings()
    monkeypatch.setattr(journal, "in_db_thread", readings.read)
    return readings


async def started(readings: Readings, *, at: int = 0) -> Setting:
    setting = Setting(readings)
    setting.committed = at
    setting.follower.start_at(at)
    await setting.finish_all()
    readings.count = 0
    return setting


def offer(setting: Setting, *seqs: int) -> None:
    for seq in seqs:
        setting.follower.offer(Numbered(seq))


async def test_entries_in_order_are_delivered_at_once_without_a_reading(readings: Readings):
    setting = await started(readings, at=7)
    setting.committed = 10
    offer(setting, 8, 9, 9, 8, 10, 3)
    await setting.settle()
    assert setting.delivered == [8, 9, 10]
    assert readings.count == 0


async def test_a_later_one_waits_for_its_turn(readings: Readings):
    setting = await started(readings)
    setting.committed = 3
    offer(setting, 3, 2)
    assert setting.delivered == []
    offer(setting, 1)
    assert setting.delivered == [1, 2, 3]
    await setting.finish_all()
    assert setting.delivered == [1, 2, 3]
    assert setting.follower._early == {}


async def test_what_was_lost_is_read(readings: Readings):
    setting = await started(readings)
    setting.committed = 4
    offer(setting, 3)
    await setting.finish_all()
    assert setting.delivered == [1, 2, 3, 4]


async def test_a_reading_that_began_too_early_is_followed_by_another(readings: Readings):
    setting = await started(readings)
    setting.resyncs[0]()
    await setting.settle()
    # It has found nothing, and has yet to say so.
    setting.committed = 2
    offer(setting, 2)
    await setting.finish_all()
    assert setting.delivered == [1, 2]


async def test_before_the_start_nothing_is_delivered_and_nothing_is_missed(readings: Readings):
    setting = Setting(readings)
    setting.committed = 5
    offer(setting, 1, 5)
    await setting.follower.catch_up()
    assert (setting.delivered, readings.count) == ([], 0)
    setting.follower.start_at(3)
    offer(setting, 3)
    await setting.finish_all()
    assert setting.delivered == [4, 5]


async def test_many_are_read_in_several_queries(readings: Readings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journal, "READ_LIMIT", 10)
    setting = await started(readings)
    setting.committed = 35
    await setting.checks[0]()
    await setting.finish_all()
    assert setting.delivered == list(range(1, 36))
    assert readings.count == 4


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed")])
async def test_a_reading_that_fails_is_made_up_for_by_the_next_check(readings: Readings, error: Exception):
    setting = await started(readings)
    setting.committed = 2
    readings.error = error
    await setting.checks[0]()
    await setting.finish_all()
    assert setting.delivered == []
    readings.error = None
    await setting.checks[0]()
    await setting.finish_all()
    assert setting.delivered == [1, 2]


async def test_one_that_cannot_be_told_does_not_hold_up_the_rest(
    readings: Readings, capsys: pytest.CaptureFixture[str]
):
    setting = await started(readings)
    setting.refused = {2}
    setting.committed = 3
    offer(setting, 1, 2, 3)
    assert setting.delivered == [1, 2, 3]
    assert "journal.delivery_failed" in capsys.readouterr().err


# --- against a model -----------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 4)),
        # The hint of one of the entries there are: late, early, twice, or never.
        st.tuples(st.just("hint"), st.integers(0, 30)),
        st.tuples(st.just("next hint"), st.just(0)),
        st.tuples(st.just("finish"), st.just(0)),
        st.tuples(st.just("check"), st.just(0)),
        st.tuples(st.just("resync"), st.just(0)),
        st.tuples(st.just("fail"), st.booleans()),
    ),
    max_size=60,
)


@given(steps=steps, start=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_every_entry_is_delivered_once_and_in_order(steps: list[tuple[str, int]], start: int):
    async def scenario() -> None:
        readings = Readings()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, "in_db_thread", readings.read)
            patch.setattr(journal, "READ_LIMIT", 3)
            setting = Setting(readings)
            setting.committed = start
            setting.follower.start_at(start)
            hinted, has_failed = 0, False
            for action, number in steps:
                match action:
                    case "commit":
                        setting.committed += number
                    case "hint" if setting.committed:
                        seq = 1 + number % setting.committed
                        hinted = max(hinted, seq)
                        offer(setting, seq)
                    case "next hint" if setting.committed > setting.follower.seq:
                        hinted = max(hinted, setting.follower.seq + 1)
                        offer(setting, setting.follower.seq + 1)
                    case "finish":
                        readings.finish()
                    case "check":
                        await setting.checks[0]()
                    case "resync":
                        setting.resyncs[0]()
                    case "fail":
                        readings.error = OperationalError("away") if number else None
                        has_failed |= bool(number)
                await setting.settle()
                assert setting.delivered == list(range(start + 1, setting.follower.seq + 1))
                assert setting.follower.seq <= setting.committed
                # One reading at a time, however much there is to be read.
                assert len(readings.under_way) <= 1
            readings.error = None
            await setting.finish_all()
            # What is known to exist does not wait for a check to come.
            assert has_failed or setting.follower.seq >= hinted
            await setting.checks[0]()
            await setting.finish_all()
            assert setting.delivered == list(range(start + 1, setting.committed + 1))
            assert setting.follower._early == {}

    asyncio.run(scenario())

"""Group commit: who is answered when, with what, and what a failure costs whom."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from realtime.group_commit import GroupCommit


class Store:
    """A `commit` that remembers its batches, and waits when told to."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.committed: list[Any] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.started = threading.Event()
        self.errors: dict[Any, Exception] = {}
        self.wrong_count = False

    def commit(self, rows: Sequence[Any]) -> list[Any]:
        self.batches.append(list(rows))
        self.started.set()
        assert self.go_on.wait(5)
        for row in rows:
            if row in self.errors:
                raise self.errors[row]
        self.committed += rows
        return [] if self.wrong_count else [(row, len(self.committed)) for row in rows]


@pytest.fixture
def store() -> Store:
    return Store()


async def gathered(*submits: Any) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*submits, return_exceptions=True), 5)


async def test_answered_only_after_the_commit(store: Store):
    writer = GroupCommit(store.commit)
    store.go_on.clear()
    task = asyncio.ensure_future(writer.submit("a"))
    await asyncio.to_thread(store.started.wait, 5)
    assert not task.done()
    store.go_on.set()
    assert await asyncio.wait_for(task, 5) == ("a", 1)


async def test_what_gathers_during_a_commit_is_one_batch_in_order(store: Store):
    writer = GroupCommit(store.commit)
    store.go_on.clear()
    first = asyncio.ensure_future(writer.submit(0))
    await asyncio.to_thread(store.started.wait, 5)
    others = [asyncio.ensure_future(writer.submit(n)) for n in range(1, 200)]
    await asyncio.sleep(0)
    store.go_on.set()
    results = await gathered(first, *others)
    assert store.batches == [[0], list(range(1, 200))]
    assert [row for row, _ in results] == store.committed == list(range(200))


async def test_a_batch_is_bounded(store: Store):
    writer = GroupCommit(store.commit, max_batch=10)
    await gathered(*[writer.submit(n) for n in range(35)])
    assert max(map(len, store.batches)) == 10
    assert store.committed == list(range(35))


async def test_a_bad_row_fails_alone(store: Store):
    writer = GroupCommit(store.commit)
    store.errors["bad"] = IntegrityError("not unique")
    store.go_on.clear()
    plug = asyncio.ensure_future(writer.submit("plug"))
    await asyncio.to_thread(store.started.wait, 5)
    tasks = [asyncio.ensure_future(writer.submit(row)) for row in ("a", "bad", "b")]
    await asyncio.sleep(0)
    store.go_on.set()
    _, a, bad, b = await gathered(plug, *tasks)
    assert (a[0], b[0]) == ("a", "b")
    assert isinstance(bad, IntegrityError)
    assert store.committed == ["plug", "a", "b"]


async def test_a_database_that_is_away_is_not_asked_for_each_row(store: Store):
    writer = GroupCommit(store.commit)
    store.errors = {n: OperationalError("away") for n in range(100)}
    results = await gathered(*[writer.submit(n) for n in range(100)])
    assert all(isinstance(result, OperationalError) for result in results)
    assert len(store.batches) <= 4
    store.errors.clear()
    assert (await gathered(writer.submit("later")))[0] == ("later", 1)


async def test_each_row_has_its_own_outcome(store: Store):
    """A commit may say itself which rows it refused: the rest is written, and nothing is tried again."""
    refusals = {n: LookupError(n) for n in range(0, 20, 3)}

    def commit(rows: Sequence[Any]) -> list[Any]:
        written = store.commit(rows)
        return [refusals.get(row, result) for row, result in zip(rows, written, strict=True)]

    writer = GroupCommit(commit)
    results = await gathered(*[writer.submit(n) for n in range(20)])
    for n, result in enumerate(results):
        if n in refusals:
            assert result is refusals[n]
        else:
            assert result[0] == n
    assert store.committed == list(range(20))
    assert store.batches == [[0], list(range(1, 20))]


@pytest.mark.parametrize("error", [OperationalError("connection lost"), InterfaceError("closed")])
async def test_what_may_have_been_committed_is_not_done_again(store: Store, error: Exception):
    """The connection broke in the commit: everybody hears so, and nothing is written a second time."""
    broken = True

    def commit(rows: Sequence[Any]) -> list[Any]:
        results = store.commit(rows)
        if broken and len(rows) > 1:
            raise error
        return results

    writer = GroupCommit(commit)
    store.go_on.clear()
    plug = asyncio.ensure_future(writer.submit("plug"))
    await asyncio.to_thread(store.started.wait, 5)
    tasks = [asyncio.ensure_future(writer.submit(row)) for row in ("a", "b", "c")]
    await asyncio.sleep(0)
    store.go_on.set()
    first, *others = await gathered(plug, *tasks)
    assert first[0] == "plug"
    assert others == [error] * 3
    assert store.committed == ["plug", "a", "b", "c"]
    broken = False
    assert (await gathered(writer.submit("d")))[0][0] == "d"


async def test_a_caller_that_is_cancelled_hinders_nobody(store: Store):
    writer = GroupCommit(store.commit)
    store.go_on.clear()
    leaver = asyncio.ensure_future(writer.submit("leaves"))
    await asyncio.to_thread(store.started.wait, 5)
    also, stays = (asyncio.ensure_future(writer.submit(row)) for row in ("also leaves", "stays"))
    await asyncio.sleep(0)
    leaver.cancel()
    also.cancel()
    store.go_on.set()
    assert (await gathered(stays))[0][0] == "stays"
    assert leaver.cancelled()
    assert also.cancelled()


async def test_whatever_goes_wrong_nobody_is_left_waiting(store: Store, monkeypatch):
    writer = GroupCommit(store.commit)
    store.wrong_count = True
    assert all(isinstance(result, Exception) for result in await gathered(writer.submit(1), writer.submit(2)))
    store.wrong_count = False

    def broken() -> None:
        raise LookupError("a bug around the commit")

    with monkeypatch.context() as patch:
        patch.setattr("realtime.group_commit.release_connections", broken)
        assert all(isinstance(result, LookupError) for result in await gathered(writer.submit(3)))
    assert (await gathered(writer.submit(4)))[0][0] == 4

"""Durable rows from many concurrent callers, committed together.

A transaction costs a disk write whatever it holds. While one is being committed, what callers want
written gathers; the next transaction takes all of it. Nobody waits for a timer: a lone caller is
served at once, and under load the batches grow by themselves.

Each caller is answered after the commit of its own row, and never before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from realtime.db import release_connections
from realtime.errors import InternalError

Row = TypeVar("Row")
Result = TypeVar("Result")

# A transaction of this size takes some tens of milliseconds; a larger one would make its callers
# wait longer without costing less per row.
MAX_BATCH = 500


class GroupCommit(Generic[Row, Result]):
    """One writer thread for one kind of row.

    Args:
        commit: writes the rows in one transaction and returns a result for each, in order, or the
            exception that its caller gets. It runs in the writer thread. If it raises, nothing of the
            batch may have been committed; each row is then tried alone, so that only the bad ones fail.
            If it raises the database's own trouble (`OperationalError`, `InterfaceError`), every caller
            gets that: nobody knows then what became of the commit, and nothing may be done twice.
        max_batch: most rows in a transaction.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Row]], Sequence[Result | Exception]],
        *,
        max_batch: int = MAX_BATCH,
    ) -> None:
        self._commit = commit
        self._max_batch = max_batch
        self._waiting: list[tuple[Row, asyncio.Future[Result]]] = []
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="foyer-commit")

    async def submit(self, row: Row) -> Result:
        """Write `row`; return its result once it is committed.

        Raises:
            Exception: whatever `commit` raised for this row alone. A caller that is cancelled stops
                waiting; its row may be committed all the same.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((row, future))
        if not self._busy:
            self._start(loop)
        return await future

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        self._busy = True
        done = loop.run_in_executor(self._thread, self._write, [row for row, _ in batch])
        done.add_done_callback(lambda outcomes: self._answer(loop, batch, outcomes))

    def _write(self, rows: list[Row]) -> Sequence[Result | Exception]:
        try:
            return self._commit(rows)
        except (OperationalError, InterfaceError) as error:
            return [error] * len(rows)
        except Exception as error:  # noqa: BLE001 - it becomes the row's outcome
            if len(rows) == 1:
                return [error]
            return self._write_one_by_one(rows)
        finally:
            release_connections()

    def _write_one_by_one(self, rows: list[Row]) -> list[Result | Exception]:
        outcomes: list[Result | Exception] = []
        for row in rows:
            outcome = self._write([row])[0]
            outcomes.append(outcome)
            if isinstance(outcome, (OperationalError, InterfaceError)):
                # Not the row's. Each further row would wait for its own timeout, and whoever comes later
                # for all of them.
                return outcomes + [outcome] * (len(rows) - len(outcomes))
        return outcomes

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Row, asyncio.Future[Result]]],
        outcomes: asyncio.Future[Sequence[Result | Exception]],
    ) -> None:
        results: Sequence[Result | Exception]
        try:
            results = outcomes.result()
            if len(results) != len(batch):
                raise InternalError(f"{len(results)} results for {len(batch)} rows")
        except Exception as error:  # noqa: BLE001 - it becomes the rows' outcome
            # Whatever went wrong around the commit: nobody may be left waiting.
            results = [error] * len(batch)
        for (_, future), outcome in zip(batch, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._waiting:
            self._start(loop)
        else:
            self._busy = False

"""Database work in threads: several at once, and no connection left in a state."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from realtime import db
from realtime.db import in_db_thread


def query(sql: str = "SELECT 1") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@pytest.mark.django_db(transaction=True)
async def test_results_arguments_and_errors_come_back():
    assert await in_db_thread(query) == (1,)
    assert await in_db_thread(query, sql="SELECT 2") == (2,)
    with pytest.raises(DatabaseError):
        await in_db_thread(query, "SELECT nonsense FROM nowhere")
    assert await in_db_thread(query) == (1,)


async def test_a_slow_call_does_not_hold_up_the_others():
    together = threading.Barrier(db.MAX_THREADS)
    waits = [in_db_thread(together.wait, 5) for _ in range(db.MAX_THREADS)]
    assert sorted(await asyncio.wait_for(asyncio.gather(*waits), 10)) == list(range(db.MAX_THREADS))


async def test_the_work_is_not_on_the_event_loops_thread():
    assert await in_db_thread(threading.get_ident) != threading.get_ident()


@pytest.mark.django_db(transaction=True)
async def test_connections_are_given_back_but_sqlites_is_kept(monkeypatch):
    def used(vendor: str, *, errors: bool) -> list[str]:
        closed: list[str] = []

        class Connection:
            def __init__(self) -> None:
                self.vendor, self.errors_occurred = vendor, errors

            def close_if_unusable_or_obsolete(self) -> None:
                closed.append(self.vendor)

        with monkeypatch.context() as patch:
            patch.setattr(connections, "all", lambda initialized_only: [Connection()])
            db.release_connections()
        return closed

    assert used("postgresql", errors=False) == ["postgresql"]
    assert used("sqlite", errors=False) == []
    assert used("sqlite", errors=True) == ["sqlite"]

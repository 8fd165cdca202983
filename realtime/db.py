"""Database work from the event loop, in a bounded pool of threads.

Channels runs all ``database_sync_to_async`` work of a process in one thread, so one slow query holds
up every connection. Here each call takes a thread of a small pool, for one unit of work.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import async_to_sync
from django.db import InterfaceError, OperationalError, connections
from django.db.models import Model

from realtime.errors import Refused

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row", bound=Model)

# Each thread may hold a database connection: small enough for PostgreSQL's default of 100 with
# several processes, large enough that a slow query holds up a few callers and not all.
MAX_THREADS = 8

DATABASE_TROUBLE = (OperationalError, InterfaceError)
"""What is raised when the database is away, too busy, or was shut down in the middle."""

_pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="foyer-db")


async def in_thread_of(
    pool: ThreadPoolExecutor, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `in_db_thread`, in a pool of the caller's own: for what must not wait behind everybody's queries."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, functools.partial(_released, function, *args, **kwargs))


async def in_db_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a synchronous `function` that uses the ORM, and return its result.

    Nothing of the caller's transaction or context reaches it: `function` is a whole unit of work.
    """
    return await in_thread_of(_pool, function, *args, **kwargs)


async def ask_database(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """As `in_db_thread`, for a `function` that only reads, and somebody who waits for the answer.

    Raises:
        Refused: as the function does; UNAVAILABLE if the database does not answer.
    """
    try:
        return await in_db_thread(function, *args, **kwargs)
    except DATABASE_TROUBLE:
        raise unavailable() from None


def on_event_loop(function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a coroutine function that uses the database, for a view in a thread of its own.

    The view's connection goes back to the pool first: those who wait would have all of them, and whom they
    wait for none.
    """
    release_connections()
    return async_to_sync(function)(*args, **kwargs)


def unavailable() -> Refused:
    """What somebody is told while the database does not answer."""
    return Refused("UNAVAILABLE", "This is not available now. Please try again.")


def release_connections() -> None:
    """End a thread's unit of work: give its connections back to their pool.

    SQLite's stays open, since opening the file costs more than most queries. Django's own
    `close_old_connections` would close it: it is told that requests do not keep connections.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()


def _released(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return function(*args, **kwargs)
    finally:
        release_connections()


def lock_only_row(model: type[Row]) -> Row:
    """The row with the id 1, locked until the transaction ends; made if this is the first time. One query."""
    rows = model._default_manager
    row = rows.select_for_update().filter(pk=1).first()
    if row is None:
        # The first time there ever is: whoever inserts the row second waits for the first.
        rows.bulk_create([model(pk=1)], ignore_conflicts=True)
        row = rows.select_for_update().get(pk=1)
    return row

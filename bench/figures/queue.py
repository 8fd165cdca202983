"""The login queue: joins a second, a line of ten thousand and what happens to it, and fifty thousand.

Nobody is let in until a measurement makes room, and everybody's main server is Foyer itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

from bench.peers.desk import POSTGRES, SQLITE
from bench.peers.line import Hall, address, hall
from bench.postgres import postgres_binaries
from bench.process import memory_bytes
from bench.report import Options, Progress, Table
from bench.swarm import Load
from bench.waiters import Waiters

JOINERS = 2_000
LINE = 10_000
STEP = 500
MANY = 50_000
# A process may open 20,000 files where this was written.
PROCESSES = 3
# Three times the numbers, which come every five seconds.
WATCHED_S = 15.0

GROUP = "group commit"
ALONE = "a transaction each"
JOINED = "joins/s"


def run(options: Options, progress: Progress) -> list[Table]:
    tables: list[Table] = []
    line = Table(f"A line of {options.scaled(LINE):,}")
    for engine in (SQLITE, POSTGRES):
        joins = Table(f"Joining the line, {engine}", JOINED, GROUP)
        tables.append(joins)
        if engine == POSTGRES and postgres_binaries() is None:
            joins.left_out[engine] = line.left_out[engine] = "its server is not installed"
            continue
        with address(engine) as database:
            for turn in range(options.rounds):
                for way, max_batch in ((GROUP, None), (ALONE, 1)):
                    progress(f"queue, round {turn + 1}: {engine}, {way}")
                    _joins(database, options.scaled(JOINERS), max_batch, way, joins)
                progress(f"queue, round {turn + 1}: {engine}, a line of {options.scaled(LINE)}")
                _line(database, options, engine, line)
        if not options.quick:
            joins.expect(f"{JOINED} ÷ {ALONE}", joins.ratio(ALONE), at_least=2)
    many = Table(f"{options.scaled(MANY):,} wait, {PROCESSES} processes on one core")
    if postgres_binaries() is None or shutil.which("redis-server") is None:
        many.left_out["Foyer"] = "the servers of PostgreSQL and Redis are not installed"
    else:
        progress(f"queue: {options.scaled(MANY)} wait")
        _many(options, many)
    return [*tables, line, many]


def _joins(database: str, count: int, max_batch: int | None, way: str, table: Table) -> None:
    with _people(database, max_batch=max_batch) as (_, waiters):
        waiters.arrive(count, join=False)
        answer = waiters.join()
    table.add(
        way,
        **{
            JOINED: answer["answered"] / answer["seconds"],
            "p50 ms": _ms(answer["join_times"], "p50"),
            "p99 ms": _ms(answer["join_times"], "p99"),
            "generator CPU %": answer["generator_cpu"] * 100,
        },
    )


def _line(database: str, options: Options, engine: str, table: Table) -> None:
    count, step = options.scaled(LINE), options.scaled(STEP)
    with _people(database) as (where, waiters):
        before = memory_bytes(where.pids)
        came = waiters.arrive(count, join=True)
        memory = memory_bytes(where.pids) - before
        told = waiters.watch(WATCHED_S, pids=where.pids)
        waiters.drop()
        storm = waiters.arrive(count, join=True, window=1_000)
        let_in = waiters.admitted(step, within_s=60, pids=where.pids, during=lambda: where.capacity(step))
    if storm["moved"]:
        raise RuntimeError(f"{storm['moved']} came back to another place")
    table.add(
        engine,
        **{
            "come and join/s": count / came["seconds"],
            "kB each": memory / count / 1000,
            **_told(told, 1),
            "all back after a storm s": storm["seconds"],
            f"{step} let in: first ms": let_in.result["admitted_times"]["min_us"] / 1000,
            "last ms": let_in.result["admitted_times"]["max_us"] / 1000,
        },
    )


def _many(options: Options, table: Table) -> None:
    each = options.scaled(MANY) // PROCESSES
    with address(POSTGRES) as database, hall(database, processes=PROCESSES) as where, ExitStack() as stack:
        crowds = []
        for number, port in enumerate(where.ports):
            waiters = stack.enter_context(Waiters(port))
            waiters.name(f"w{number}-")
            crowds.append(waiters)
        before, started = memory_bytes(where.pids), monotonic()
        for waiters in crowds:
            waiters.arrive(each, join=True)
        seconds = monotonic() - started
        memory = memory_bytes(where.pids) - before
        # One of the three is measured; the other two listen as well.
        told = crowds[0].watch(WATCHED_S, pids=where.pids)
        table.add(
            "Foyer",
            **{
                "come and join/s": each * PROCESSES / seconds,
                "kB each": memory / (each * PROCESSES) / 1000,
                **_told(told, PROCESSES),
            },
        )


def _told(load: Load, crowds: int) -> dict[str, float]:
    return {
        "numbers told/s": load.per_s * crowds,
        "server CPU %": load.server_cpu * 100,
        "other CPU %": load.foreign_cpu * 100,
    }


@contextmanager
def _people(database: str, *, max_batch: int | None = None) -> Iterator[tuple[Hall, Waiters]]:
    with hall(database, max_batch=max_batch) as where, Waiters(where.ports[0]) as waiters:
        yield where, waiters


def _ms(times: dict[str, Any], which: str) -> float:
    return float(times[f"{which}_us"]) / 1000

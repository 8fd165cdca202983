"""The ticket desk: tickets a second, who hears of them and how soon, and whether a long line slows it.

50 staff with a table, 20 displays and 50 kiosks, all with the sockets of the desk's own pages. Each server
starts on a copy of a database with a past and a line (`bench.peers.desk`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.crowd import Crowd
from bench.peers.desk import POSTGRES, SQLITE, Databases, Desk, databases
from bench.postgres import postgres_binaries
from bench.report import Options, Progress, Table
from bench.swarm import Load

STAFF, DISPLAYS, KIOSKS = 50, 20, 50
ENDED = 20_000
LINES = (0, 1_000, 10_000)
# Tickets a second: more than a large hall sees in a minute.
STEADY_RATE = 50.0

GROUP = "group commit"
ALONE = "a transaction each"
TAKEN = "taken/s"
SERVED = "called and completed/s"
CALLED = "called/s"


def run(options: Options, progress: Progress) -> list[Table]:
    told = Table(f"From kiosk to staff at {STEADY_RATE:.0f} tickets/s")
    picked = Table("Picking a table while many wait")
    tables: list[Table] = []
    for engine in (SQLITE, POSTGRES):
        taken = Table(f"Tickets, {engine}: taken", TAKEN, GROUP)
        served = Table(f"Tickets, {engine}: called and completed", SERVED, GROUP)
        queued = Table(f"Calling with a long line, {engine}", CALLED, _subject(LINES[0]))
        tables += [taken, served, queued]
        if engine == POSTGRES and postgres_binaries() is None:
            for table in (taken, served, queued, told, picked):
                table.left_out[engine] = "its server is not installed"
            continue
        with databases(engine) as made:
            progress(f"desk: {engine}, the databases")
            made.prepare(options.scaled(STAFF), options.scaled(ENDED), LINES)
            for turn in range(options.rounds):
                for way, max_batch in ((GROUP, None), (ALONE, 1)):
                    progress(f"desk, round {turn + 1}: {engine}, {way}")
                    with _open(made, options, 0, max_batch) as (desk, crowd):
                        _throughput(desk, crowd, options.seconds, way, taken, served)
                        if way == GROUP:
                            _steady(desk, crowd, options.seconds * 2, engine, told)
                for waiting in LINES:
                    progress(f"desk, round {turn + 1}: {engine}, {_subject(waiting)}")
                    with _open(made, options, waiting) as (desk, crowd):
                        wait = _long_line(desk, crowd, options.seconds, _subject(waiting), queued)
                        if waiting == LINES[-1]:
                            _pick(desk, wait, f"{engine}, {_subject(waiting)}", picked)
            queued.notes.append(_plans(made, LINES[-1]))
        if not options.quick:
            taken.expect(f"{TAKEN} ÷ {ALONE}", taken.ratio(ALONE), at_least=1)
            served.expect(f"{SERVED} ÷ {ALONE}", served.ratio(ALONE), at_least=1)
            queued.expect(
                f"{CALLED} with nobody waiting ÷ with {LINES[-1]:,}",
                queued.ratio(_subject(LINES[-1])),
                at_most=1.15,
            )
    return [*tables[:2], *tables[3:5], told, tables[2], tables[5], picked]


@contextmanager
def _open(
    made: Databases, options: Options, waiting: int, max_batch: int | None = None
) -> Iterator[tuple[Desk, Crowd]]:
    """A desk with everybody in their place."""
    with made.serve(waiting, max_batch=max_batch) as desk, Crowd(desk.port) as crowd:
        crowd.open("display", options.scaled(DISPLAYS))
        crowd.open("kiosk", options.scaled(KIOSKS))
        crowd.open("staff", len(desk.tokens) - 1)
        for table, token in enumerate(desk.tokens[:-1], 1):
            crowd.seat(table, token, waiting=waiting)
        yield desk, crowd


def _throughput(desk: Desk, crowd: Crowd, seconds: float, way: str, taken: Table, served: Table) -> None:
    load = crowd.take(seconds, pids=desk.pids)
    taken.add(
        way,
        **{
            TAKEN: load.result["created"] / load.result["seconds"],
            "p50 ms": load.ms("create_times", "p50"),
            "p99 ms": load.ms("create_times", "p99"),
            "lines told/s": load.result["lines"] / load.result["seconds"],
        },
        **_cost(load, load.result["created"], "server CPU µs/ticket"),
    )
    load = crowd.serve(seconds, pids=desk.pids)
    served.add(
        way,
        **{
            SERVED: load.result["completed"] / load.result["seconds"],
            "accept p50 ms": load.ms("accept_times", "p50"),
            "accept p99 ms": load.ms("accept_times", "p99"),
            "lines told/s": load.result["lines"] / load.result["seconds"],
        },
        **_cost(load, load.result["completed"], "server CPU µs/ticket"),
    )


def _steady(desk: Desk, crowd: Crowd, seconds: float, engine: str, table: Table) -> None:
    load = crowd.take(seconds, rate=STEADY_RATE, pids=desk.pids)
    table.add(
        engine,
        **{
            "told p50 ms": load.ms("told_times", "p50"),
            "told p99 ms": load.ms("told_times", "p99"),
            "kiosk answered p50 ms": load.ms("create_times", "p50"),
            "kiosk answered p99 ms": load.ms("create_times", "p99"),
            "lines told/s": load.result["lines"] / load.result["seconds"],
        },
        **_cost(load, load.result["created"], "server CPU µs/ticket"),
    )


def _long_line(desk: Desk, crowd: Crowd, seconds: float, subject: str, table: Table) -> int:
    """Gives how many wait in the end."""
    load = crowd.turn(seconds, pids=desk.pids)
    table.add(
        subject,
        **{
            CALLED: load.result["accepted"] / load.result["seconds"],
            "accept p50 ms": load.ms("accept_times", "p50"),
            "accept p99 ms": load.ms("accept_times", "p99"),
        },
        **_cost(load, load.result["accepted"], "server CPU µs/ticket"),
    )
    return int(load.result["waiting"])


def _pick(desk: Desk, waiting: int, subject: str, table: Table) -> None:
    """The last of the staff comes and sees the line: once over the protocol's socket, once over a page's."""
    for kind, pages in (("the protocol's socket", False), ("a page's", True)):
        with Crowd(desk.port) as latecomer:
            latecomer.open("staff", 1, pages=pages)
            picture = latecomer.seat(len(desk.tokens), desk.tokens[-1], waiting=waiting)
        table.add(
            f"{subject}, {kind}",
            **{
                "answered ms": picture["first_us"] / 1000,
                "last new ms": picture["all_us"] / 1000,
                "kB": picture["bytes"] / 1000,
            },
        )


def _cost(load: Load, count: int, column: str) -> dict[str, float]:
    return {
        column: load.server_cpu_s * 1e6 / max(1, count),
        "server CPU %": load.server_cpu * 100,
        "generator CPU %": load.result["generator_cpu"] * 100,
        "other CPU %": load.foreign_cpu * 100,
    }


def _subject(waiting: int) -> str:
    return f"{waiting:,} wait" if waiting else "nobody waits"


def _plans(made: Databases, waiting: int) -> str:
    return f"Query plans with {waiting:,} waiting:\n```\n{made.plans(waiting)}```\n"

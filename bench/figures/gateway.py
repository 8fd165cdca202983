"""The gateway: from a post to a thousand members, posts a second, coming back, and ten thousand at rest.

What a post costs is held against the same without keeping (broadcast's emit, to as many listeners) and
against a request that is refused (the way through Django and its REST framework, with nothing written).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from statistics import median

from websockets.asyncio.client import connect

from bench.peers.desk import POSTGRES, SQLITE
from bench.peers.foyer import Foyer
from bench.peers.gateway import Gateway, Place, place, serve
from bench.peers.gateway import run as run_program
from bench.peers.line import address
from bench.postgres import postgres_binaries
from bench.report import Options, Progress, Table
from bench.swarm import Load, Swarm

MEMBERS = 1_000
# Posts a second to all of them: 20,000 deliveries.
STEADY_RATE = 20.0
POSTERS = 32
BATCHES = (1, 10, 100, 500)
AT_REST = 10_000
INTERVAL_MS = 45_000
HOUR_MS = 3_600_000
COMEBACKS = 20
# An event's content, and an op 3 with it.
BODY_BYTES, FRAME_BYTES = 100, 300

GROUP = "group commit"
ALONE = "a transaction each"
REFUSED = "refused, nothing written"
EMITTED = "broadcast, nothing kept"
POSTED = "posts/s"
BEATS = "with heartbeats"
SILENT = "without"


def run(options: Options, progress: Progress) -> list[Table]:
    members = options.scaled(MEMBERS)
    told = Table(f"From a post to {members:,} members at {STEADY_RATE:.0f} posts/s", "told p50 ms", SQLITE)
    comebacks = Table(f"Coming back after {members:,} messages")
    per_engine: list[Table] = []
    for engine in (SQLITE, POSTGRES):
        posts = Table(f"Posts over HTTP, {POSTERS} at once, {engine}", "requests/s", GROUP)
        batches = Table(f"Posts in a transaction, past HTTP, {engine}", POSTED, _batch(BATCHES[0]))
        per_engine += [posts, batches]
        if engine == POSTGRES and postgres_binaries() is None:
            for table in (told, comebacks, posts, batches):
                table.left_out[engine] = "its server is not installed"
            continue
        with address(engine) as database:
            for turn in range(options.rounds):
                progress(f"gateway, round {turn + 1}: {engine}")
                with place(database, members) as where:
                    with serve(where) as gateway:
                        _come_back(where, gateway, engine, comebacks)
                        _tell(where, gateway, options, engine, told)
                    for way, max_batch in ((GROUP, None), (ALONE, 1)):
                        with serve(where, max_batch=max_batch) as gateway:
                            _post(where, gateway, options.seconds, way, posts)
                            if way == GROUP:
                                _post(where, gateway, options.seconds, REFUSED, posts)
                    for size in BATCHES:
                        batches.add(_batch(size), **{POSTED: _commit(where, size, options.seconds)})
                if engine == SQLITE:
                    _emit(members, options, told)
        if not options.quick:
            posts.expect(f"requests/s ÷ {ALONE}", posts.ratio(ALONE), at_least=1)
    return [told, *per_engine, comebacks, _rest(options, progress)]


def _tell(where: Place, gateway: Gateway, options: Options, engine: str, table: Table) -> None:
    """Each member is connected with a token of their own; one posts at a steady rate."""
    with Swarm(gateway.port) as swarm:
        _identify(swarm, where.tokens, len(where.tokens))
        _as_poster(swarm, where)
        load = swarm.emit(
            where.posts_path,
            body_bytes=BODY_BYTES,
            seconds=options.seconds * 2,
            warmup_s=1,
            rate=STEADY_RATE,
            pids=gateway.pids,
        )
    table.add(engine, **_told(load))


def _emit(members: int, options: Options, table: Table) -> None:
    """The same bytes at the same rate, by broadcast to as many listeners."""
    with Foyer().run() as server, Swarm(server.port) as swarm:
        swarm.listen(server.listen_path, members)
        load = swarm.emit(
            server.emit_path,
            body_bytes=server.body_bytes(FRAME_BYTES),
            seconds=options.seconds * 2,
            warmup_s=1,
            rate=STEADY_RATE,
            pids=server.pids,
        )
    table.add(EMITTED, **_told(load))


def _told(load: Load) -> dict[str, float | None]:
    return {
        "told p50 ms": load.latency_ms("p50"),
        "told p99 ms": load.latency_ms("p99"),
        "answered p50 ms": load.answer_ms("p50"),
        "answered p99 ms": load.answer_ms("p99"),
        "server CPU µs/delivery": load.cpu_us_per_delivery,
        **_cpu(load),
    }


def _post(where: Place, gateway: Gateway, seconds: float, way: str, table: Table) -> None:
    with Swarm(gateway.port) as swarm:
        _as_poster(swarm, where, kind=9 if way == REFUSED else 0)
        load = swarm.emit(
            where.posts_path, body_bytes=BODY_BYTES, seconds=seconds, senders=POSTERS, pids=gateway.pids
        )
    answered = load.result["answer"]["count"] if load.result["answer"] else 0
    if way != REFUSED and load.result["refused"]:
        raise RuntimeError(f"not every post was taken: {load.result}")
    table.add(
        way,
        **{
            "requests/s": answered / load.result["seconds"],
            "p50 ms": load.answer_ms("p50"),
            "p99 ms": load.answer_ms("p99"),
            "server CPU µs/request": load.server_cpu_s * 1e6 / max(1, answered),
            **_cpu(load),
        },
    )


def _commit(where: Place, batch: int, seconds: float) -> float:
    arguments = (where.channel, where.authors[0], batch, min(seconds, 2.0))
    return float(json.loads(run_program(where.env, "bench.figures.gateway_worker", *arguments)))


def _come_back(where: Place, gateway: Gateway, engine: str, table: Table) -> None:
    """The time from Identify to Ready, and to the last of what was missed: one at a time."""
    ready, everything = asyncio.run(_comebacks(gateway.port, where.tokens[0], len(where.tokens)))
    table.add(engine, **{"Ready alone, p50 ms": ready, "with all of them, p50 ms": everything})


async def _comebacks(port: int, token: str, missed: int) -> tuple[float, float]:
    """The medians in ms, without and with what was missed."""
    medians = []
    for after, count in ((None, 0), ("0", missed)):
        identify = {"op": 1, "token": token} | ({"after": after} if after is not None else {})
        took = []
        for _ in range(COMEBACKS):
            url = f"ws://127.0.0.1:{port}/gateway/"
            async with connect(url, proxy=None, compression=None, max_queue=None) as ws:
                await ws.recv()
                started = time.perf_counter()
                await ws.send(json.dumps(identify))
                for _ in range(1 + count):
                    await ws.recv(decode=False)
                took.append((time.perf_counter() - started) * 1000)
        medians.append(median(took))
    return medians[0], medians[1]


def _rest(options: Options, progress: Progress) -> Table:
    """All connections identified and silent, for one interval: each is asked once for a sign of life."""
    count, seconds = options.scaled(AT_REST), 2.0 if options.quick else INTERVAL_MS / 1000
    table = Table(f"{count:,} connections at rest")
    with address(SQLITE) as database, place(database, options.scaled(MEMBERS)) as where:
        for way, interval_ms in ((BEATS, INTERVAL_MS), (SILENT, HOUR_MS)):
            progress(f"gateway: {count} at rest, {way}")
            with serve(where, interval_ms=interval_ms) as gateway, Swarm(gateway.port) as swarm:
                opened = _identify(swarm, where.tokens, count)
                load = swarm.rest(seconds, pids=gateway.pids)
            if load.result["lost_listeners"]:
                raise RuntimeError(f"not everybody stayed: {load.result}")
            table.add(
                way,
                **{
                    "identified/s": opened,
                    "beats/s": load.result["beats"] / load.result["seconds"],
                    "in the busiest second": load.result["busiest"],
                    **_cpu(load),
                },
            )
    return table


def _identify(swarm: Swarm, tokens: Sequence[str], count: int) -> float:
    """Open so many connections, with each token in turn; gives how many a second."""
    for token in tokens:
        swarm.say(json.dumps({"op": 1, "token": token}, separators=(",", ":")), answer='"op":2')
    return float(count / swarm.listen("/gateway/", count, window=32)["seconds"])


def _as_poster(swarm: Swarm, where: Place, *, kind: int = 0) -> None:
    swarm.header("Authorization", f"Bearer {where.tokens[0]}")
    swarm.quote()
    swarm.wrap(f'{{"type":{kind},"content":"', '"}')


def _cpu(load: Load) -> dict[str, float]:
    return {
        "server CPU %": load.server_cpu * 100,
        "generator CPU %": load.result["generator_cpu"] * 100,
        "other CPU %": load.foreign_cpu * 100,
    }


def _batch(size: int) -> str:
    return f"{size} at once" if size > 1 else "one at a time"

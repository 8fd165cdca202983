"""The notifications: from Kafka to a person, messages a second through Kafka, and one message for 10,000.

What comes from Kafka is held against the same message over HTTP, storing messages together against each in a
transaction of its own, and telling everyone against broadcast's emit to as many listeners, with nothing kept.
"""

from __future__ import annotations

import json

from bench.peers.desk import POSTGRES, SQLITE
from bench.peers.foyer import Foyer
from bench.peers.gateway import run as run_program
from bench.peers.line import address
from bench.peers.notifications import SEND_PATH, Kafka, Server, Site, connect, send_to, serve, site
from bench.postgres import postgres_binaries
from bench.report import Options, Progress, Table
from bench.swarm import Load, Swarm

PEOPLE = 300
# Messages a second, each for one of them. The first is what HTTP can do as well, with time to spare.
STEADY_RATE, BUSY_RATE = 50, 200
# In the topic when its reader begins; one that stores each alone has fewer.
WAITING, FEW_WAITING = 10_000, 500
# As many as the reader takes (`notifications.services.kafka.worker.MAX_BATCH`).
BATCH = 200
EVERYONE = 10_000
# One message has the server to itself for so long.
TELLING_S = 3.0
BODY_BYTES, FRAME_BYTES = 100, 300

OVER_HTTP = f"HTTP, {STEADY_RATE}/s"
STORED = "messages/s"
TOGETHER, ALONE, AT_HAND = "from Kafka", "from Kafka, a transaction each", "at hand, without Kafka"
NOTIFIED, EMITTED = "a notification", "broadcast, nothing kept"
WORKER = "bench.figures.notifications_worker"
TOO_SLOW = "there is no Apache Kafka here, and its mock lets readers wait"


def run(options: Options, progress: Progress) -> list[Table]:
    people, everyone = options.scaled(PEOPLE), options.scaled(EVERYONE)
    per_engine: list[Table] = []
    kept = Table(f"One message for {everyone:,}, until it is committed")
    with Kafka() as kafka:
        for engine in (SQLITE, POSTGRES):
            told = Table(f"To one of {people} who are connected, {engine}", "told p50 ms", OVER_HTTP)
            stored = Table(f"Messages stored, {BATCH} in a transaction at most, {engine}", STORED, TOGETHER)
            per_engine += [told, stored]
            if engine == POSTGRES and postgres_binaries() is None:
                for table in (told, stored, kept):
                    table.left_out[engine] = "its server is not installed"
                continue
            with address(engine) as database, site(database, everyone, people) as where:
                kafka.is_for(where.users)
                for turn in range(options.rounds):
                    progress(f"notifications, round {turn + 1}: {engine}")
                    _tell(where, kafka, options, told)
                    _store(where, kafka, options, stored)
                    took_ms = _worker(where.env, "tell", 3)
                    kept.add(engine, **{"committed ms": took_ms, "rows/s": everyone / took_ms * 1000})
            if not options.quick:
                stored.expect(f"{STORED} ÷ {ALONE}", stored.ratio(ALONE), at_least=2)
    return [*per_engine, kept, _tell_everyone(everyone, options, progress)]


def _tell(where: Site, kafka: Kafka, options: Options, table: Table) -> None:
    """All are connected, with their list open; each message is for the next of them."""
    topic = kafka.topic(len(where.users))
    with serve(where.env | kafka.env(topic)) as server, Swarm(server.port) as swarm:
        connect(swarm, where.tokens)
        send_to(swarm, where, *(f'"users":["{user}"]' for user in where.users))
        if kafka.is_mock:
            table.left_out["Kafka"] = TOO_SLOW
        else:
            # What is loaded or made once.
            _from_kafka(swarm, server, kafka, topic, BUSY_RATE, 0.5)
            for rate in (STEADY_RATE, BUSY_RATE):
                load = _from_kafka(swarm, server, kafka, topic, rate, options.seconds)
                table.add(f"Kafka, {rate}/s", **_told(load))
        load = swarm.emit(
            SEND_PATH, body_bytes=BODY_BYTES, seconds=options.seconds, rate=STEADY_RATE, pids=server.pids
        )
        _check(load, load.result["total_answered"])
        table.add(OVER_HTTP, **_told(load))


def _from_kafka(swarm: Swarm, server: Server, kafka: Kafka, topic: str, rate: int, seconds: float) -> Load:
    load = swarm.hear(seconds, pids=server.pids, during=lambda: kafka.pace(topic, rate, seconds))
    _check(load, kafka.paced())
    return load


def _store(where: Site, kafka: Kafka, options: Options, table: Table) -> None:
    """A server that has nobody to tell reads a topic with messages in it; and the same rows without one."""
    many, few = options.scaled(WAITING), options.scaled(FEW_WAITING)
    for way, count, batch in ((TOGETHER, many, BATCH), (ALONE, few, 1)):
        env = where.env | kafka.env(kafka.topic(count))
        table.add(way, **{STORED: _worker(env, "drain", count, batch)})
    table.add(AT_HAND, **{STORED: _worker(where.env, "store", many, BATCH, *where.users)})


def _worker(env: dict[str, str], *arguments: object) -> float:
    return float(json.loads(run_program(env, WORKER, *arguments)))


def _tell_everyone(everyone: int, options: Options, progress: Progress) -> Table:
    """They connect once; each round is one message."""
    table = Table(f"One message for {everyone:,} who are connected, {SQLITE}", "last ms", NOTIFIED)
    progress(f"notifications: {everyone} are connected")
    with (
        address(SQLITE) as database,
        site(database, everyone, everyone) as where,
        serve(where.env) as server,
        Swarm(server.port) as swarm,
    ):
        table.add(NOTIFIED, **{"connected/s": connect(swarm, where.tokens)})
        send_to(swarm, where, '"everyone":true')
        for _ in range(options.rounds):
            table.add(NOTIFIED, **_once(swarm, SEND_PATH, BODY_BYTES, server.pids))
    with Foyer().run() as peer, Swarm(peer.port) as swarm:
        opened = swarm.listen(peer.listen_path, everyone)["seconds"]
        table.add(EMITTED, **{"connected/s": everyone / opened})
        for _ in range(options.rounds):
            table.add(EMITTED, **_once(swarm, peer.emit_path, peer.body_bytes(FRAME_BYTES), peer.pids))
    return table


def _once(swarm: Swarm, path: str, body_bytes: int, pids: tuple[int, ...]) -> dict[str, float | None]:
    """One event for all, and time for them to get it."""
    load = swarm.emit(
        path, body_bytes=body_bytes, seconds=TELLING_S, warmup_s=0, rate=0.5 / TELLING_S, senders=1, pids=pids
    )
    _check(load, load.result["listeners"])
    return {
        "first told ms": load.latency_ms("min"),
        "told p50 ms": load.latency_ms("p50"),
        "told p99 ms": load.latency_ms("p99"),
        "last ms": load.latency_ms("max"),
        "answered ms": load.answer_ms("max"),
        "server CPU µs/delivery": load.cpu_us_per_delivery,
        "other CPU %": load.foreign_cpu * 100,
    }


def _told(load: Load) -> dict[str, float | None]:
    return {
        "told p50 ms": load.latency_ms("p50"),
        "told p99 ms": load.latency_ms("p99"),
        "server CPU µs/message": load.cpu_us_per_delivery,
        "server CPU %": load.server_cpu * 100,
        "generator CPU %": load.result["generator_cpu"] * 100,
        "other CPU %": load.foreign_cpu * 100,
    }


def _check(load: Load, sent: int) -> None:
    """Everything was told, and once."""
    if load.result["total_deliveries"] != sent or load.result["lost_listeners"] or load.result["refused"]:
        raise RuntimeError(f"not everything was told: {sent} were to be, {load.result}")

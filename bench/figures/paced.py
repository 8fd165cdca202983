"""A busy channel: 1,000 events a second to 1,000 listeners, whatever the server does.

An open loop: event i is due at i ms and stamped so, also if no connection was free to send it then, so
a server that falls behind shows it as latency. Stock Channels is left out: it would need a hundred
times its speed.
"""

from __future__ import annotations

from bench.peers import Peer
from bench.peers.foyer import Foyer
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.report import Options, Progress, Table
from bench.swarm import Load, Swarm

PEERS: list[Peer] = [Foyer(), Nchan(), Node()]


def run(options: Options, progress: Progress) -> list[Table]:
    listeners = options.scaled(1000)
    rate = 100.0 if options.quick else 1000.0
    table = Table(f"{rate:,.0f} events/s paced to {listeners:,} listeners", "deliveries/s")
    for turn in range(options.rounds):
        for peer in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            progress(f"paced, round {turn + 1}: {peer.name}")
            with peer.run() as server, Swarm(server.port) as swarm:
                swarm.listen(server.listen_path, listeners)
                load = swarm.emit(
                    server.emit_path,
                    body_bytes=server.body_bytes(),
                    seconds=options.seconds,
                    warmup_s=1,
                    rate=rate,
                    senders=32,
                    pids=server.pids,
                )
            table.add(
                peer.name,
                **{
                    "deliveries/s": load.per_s,
                    "arrived %": 100 * _arrived(load) / (rate * options.seconds * listeners),
                    "p50 ms": load.latency_ms("p50"),
                    "p99 ms": load.latency_ms("p99"),
                    "emit answered p99 ms": load.answer_ms("p99"),
                    "server CPU %": load.server_cpu * 100,
                    "generator CPU %": load.result["generator_cpu"] * 100,
                    "other CPU %": load.foreign_cpu * 100,
                },
            )
    if not options.quick:
        table.notes.append(
            "*arrived*: of the events due in the window, up to 5 s after it; the latencies are theirs. "
            "A server far below 100 never caught up."
        )
        table.expect("deliveries/s", table.median("Foyer", "deliveries/s"), at_least=900_000)
        table.expect("p99 in ms", table.median("Foyer", "p99 ms"), at_most=30)
    return [table]


def _arrived(load: Load) -> int:
    return int(load.result["latency"]["count"]) if load.result["latency"] else 0

"""Clients that send as fast as the socket takes until they are cut off, and come again: who else notices.

100 events a second of 200 bytes to 100 listeners, while ten clients flood the server with small messages,
pings, large messages or the fragments of one that does not end. The floods are in nobody's channel; they run
on the generator's core, and give way to it.
"""

from __future__ import annotations

import sys

from bench.flood import KINDS
from bench.peers import Peer
from bench.peers.foyer import Foyer
from bench.peers.node import Node
from bench.report import Options, Progress, Table
from bench.swarm import Program, Swarm

PEERS: list[Peer] = [Foyer(), Node()]
LISTENERS = 100
RATE = 100.0
FLOODS = 10
# The largest messages wait in buffers, of both directions.
BOUND_MB = 20


def run(options: Options, progress: Progress) -> list[Table]:
    # At least a second more than a client that is cut off has to close.
    seconds = 1.0 if options.quick else max(8.0, options.seconds)
    table = Table(f"{RATE:.0f} events/s to {LISTENERS} listeners, {FLOODS} clients flooding", "p50 ms")
    table.reference = _subject("Foyer", None)
    for turn in range(min(3, options.rounds)):
        for peer in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            for kind in (None, *KINDS):
                progress(f"hostile, round {turn + 1}: {_subject(peer.name, kind)}")
                _measure(peer, kind, seconds, table)
    if not options.quick:
        for kind in KINDS:
            growth = table.median(_subject("Foyer", kind), "memory growth MB")
            table.expect(f"memory growth in MB under {kind}", growth, at_most=BOUND_MB)
    return [table]


def _subject(name: str, kind: str | None) -> str:
    return f"{name}, {kind or 'nobody flooding'}"


def _measure(peer: Peer, kind: str | None, seconds: float, table: Table) -> None:
    with peer.run() as server, Swarm(server.port) as swarm:
        swarm.listen(server.listen_path, LISTENERS)
        load_of = {
            "path": server.emit_path,
            "body_bytes": server.body_bytes(),
            "rate": RATE,
            "pids": server.pids,
        }
        swarm.emit(**load_of, seconds=0.5)  # type: ignore[arg-type]
        cut_off = None
        if kind is None:
            load = swarm.emit(**load_of, seconds=seconds, warmup_s=0)  # type: ignore[arg-type]
        else:
            path = server.listen_path.replace("bench", "flood")
            command = [
                "nice",
                "-n",
                "19",
                sys.executable,
                "-m",
                "bench.flood",
                server.port,
                path,
                kind,
                FLOODS,
            ]
            with Program(command, name="flood") as flood:
                load = swarm.emit(**load_of, seconds=seconds, warmup_s=1)  # type: ignore[arg-type]
                cut_off = flood.command("")["cut_off"]
    table.add(
        _subject(peer.name, kind),
        **{
            "p50 ms": load.latency_ms("p50"),
            "p99 ms": load.latency_ms("p99"),
            "server CPU %": load.server_cpu * 100,
            "memory growth MB": (load.memory_peak_bytes - load.memory_before_bytes) / 1e6,
            "cut off": cut_off,
        },
    )

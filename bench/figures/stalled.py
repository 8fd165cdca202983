"""Listeners that stop reading: what they cost the others, and what becomes of them.

500 events a second of 2,000 bytes to 100 listeners, of which none, one or ten stop reading: a stalled
one falls behind by a megabyte a second.
"""

from __future__ import annotations

from bench.peers import Peer
from bench.peers.foyer import Foyer
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.report import Options, Progress, Table
from bench.swarm import Swarm

PEERS: list[Peer] = [Foyer(), Nchan(), Node()]
LISTENERS = 100
STALLED = (0, 1, 10)
# A stalled client is cut some seconds after its backlog overflows (see realtime.server).
STALL_S = 12.0
RATE = 500.0
FRAME_BYTES = 2000
# A megabyte of backlog (realtime.outlet), the transport's 64 KiB, and as much again for the
# allocator. The kernel's share is not in the process.
BOUND_MB_PER_STALLED = 2.5


def run(options: Options, progress: Progress) -> list[Table]:
    seconds = 2.0 if options.quick else STALL_S
    table = Table(
        f"{RATE:.0f} events/s of {FRAME_BYTES:,} B to {LISTENERS} listeners, some stalled", "p99 ms"
    )
    table.reference = _subject("Foyer", 0)
    for turn in range(min(3, options.rounds)):
        for peer in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            for stalled in STALLED:
                progress(f"stalled, round {turn + 1}: {_subject(peer.name, stalled)}")
                _measure(peer, stalled, seconds, table)
    if not options.quick:
        for stalled in STALLED[1:]:
            subject = _subject("Foyer", stalled)
            ratio = table.ratio(subject)
            table.expect(f"others' p99 with {stalled} stalled ÷ with none", ratio and 1 / ratio, at_most=1.25)
            growth = table.median(subject, "memory growth MB")
            table.expect(
                f"memory growth in MB with {stalled} stalled",
                growth,
                at_most=5 + BOUND_MB_PER_STALLED * stalled,
            )
            table.expect(f"closed of {stalled} stalled", table.median(subject, "closed"), at_least=stalled)
    return [table]


def _subject(name: str, stalled: int) -> str:
    return f"{name}, {stalled} stalled" if stalled else f"{name}, none stalled"


def _measure(peer: Peer, stalled: int, seconds: float, table: Table) -> None:
    with peer.run() as server, Swarm(server.port) as swarm:
        swarm.listen(server.listen_path, LISTENERS)
        load_of = {
            "path": server.emit_path,
            "body_bytes": server.body_bytes(FRAME_BYTES),
            "rate": RATE,
            "senders": 16,
            "pids": server.pids,
        }
        swarm.emit(**load_of, seconds=0.5)  # type: ignore[arg-type]
        if stalled:
            swarm.stall(stalled)
        load = swarm.emit(**load_of, seconds=seconds, warmup_s=0)  # type: ignore[arg-type]
        fate = swarm.drain()
    table.add(
        _subject(peer.name, stalled),
        **{
            "p50 ms": load.latency_ms("p50"),
            "p99 ms": load.latency_ms("p99"),
            "memory growth MB": (load.memory_peak_bytes - load.memory_before_bytes) / 1e6,
            "closed": fate["closed"] if stalled else None,
            "cut by reset": fate["reset"] if stalled else None,
            "other CPU %": load.foreign_cpu * 100,
        },
    )

"""Listeners that say nothing: memory for each, and how fast they were accepted.

Ten thousand on one process, then fifty thousand on three (no process may have more than 20,000 files open
on many systems), each with a generator of its own.

Memory is the proportional set size of the server's processes, after minus before; the kernel's part of
a socket is the same for all and not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from bench.peers import Peer
from bench.peers.channels import Channels
from bench.peers.foyer import Foyer
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.peers.stock_uvicorn import StockUvicorn
from bench.process import cpu_s, memory_bytes
from bench.report import Options, Progress, Table
from bench.swarm import Swarm

CONNECTIONS = 10_000
MANY, PROCESSES = 50_000, 3
MEMORY = "kB/connection"
ACCEPTED = "accepted/s"

# The in-memory layer takes longer for each connection the more there are: 2,000 are enough to see it.
PEERS: list[tuple[Peer, int]] = [
    (Foyer(), CONNECTIONS),
    (Nchan(), CONNECTIONS),
    (Node(), CONNECTIONS),
    (StockUvicorn(), CONNECTIONS),
    (Channels("uvicorn", "Redis pub/sub"), CONNECTIONS),
    (Channels("daphne", "Redis pub/sub"), CONNECTIONS),
    (Channels("uvicorn", "memory"), 2_000),
]
MANY_PEERS: list[Peer] = [Foyer(), Nchan(), Node(), StockUvicorn()]


def run(options: Options, progress: Progress) -> list[Table]:
    table = Table(f"{options.scaled(CONNECTIONS):,} idle connections", MEMORY)
    for turn in range(min(3, options.rounds)):
        for peer, count in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            progress(f"idle, round {turn + 1}: {peer.name}")
            _measure(peer, options.scaled(count), table)
    many = Table(f"{options.scaled(MANY):,} idle connections on {PROCESSES} processes", MEMORY)
    for peer in MANY_PEERS:
        if why := peer.missing():
            many.left_out[peer.name] = why
            continue
        progress(f"idle, {options.scaled(MANY):,}: {peer.name}")
        _measure(peer, options.scaled(MANY), many, processes=PROCESSES)
    if not options.quick:
        for measured in (table, many):
            foyer = measured.median("Foyer", MEMORY)
            measured.expect("kB for an idle connection", foyer, at_most=3.5)
        table.expect("accepted/s of one core", table.median("Foyer", ACCEPTED), at_least=5_000)
    return [table, many]


def _measure(peer: Peer, count: int, table: Table, *, processes: int = 1) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(peer.run()) for _ in range(processes)]
        swarms = [stack.enter_context(Swarm(server.port)) for server in servers]
        pids = [pid for server in servers for pid in server.pids]
        # The first connections load what is loaded once; they are not what is measured.
        for server, swarm in zip(servers, swarms, strict=True):
            swarm.listen(server.listen_path, 20)
        before, cpu_before, seconds = memory_bytes(pids), cpu_s(pids), 0.0
        # One after the other: they share a core.
        for server, swarm, share in zip(servers, swarms, _shares(count, processes), strict=True):
            seconds += swarm.listen(server.listen_path, share)["seconds"]
        cpu = cpu_s(pids) - cpu_before
        after = memory_bytes(pids)
    table.add(
        peer.name,
        **{
            MEMORY: (after - before) / count / 1000,
            ACCEPTED: count / seconds,
            "server CPU µs/accept": cpu * 1e6 / count,
            "connections": count,
        },
    )


def _shares(count: int, processes: int) -> Sequence[int]:
    return [count // processes + (place < count % processes) for place in range(processes)]

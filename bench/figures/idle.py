"""Ten thousand listeners that say nothing: memory for each, and how fast they were accepted.

Memory is the proportional set size of the server's processes, after minus before; the kernel's part of
a socket is the same for all and not in it.
"""

from __future__ import annotations

from bench.peers import Peer
from bench.peers.channels import Channels
from bench.peers.foyer import Foyer
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.process import cpu_s, memory_bytes
from bench.report import Options, Progress, Table
from bench.swarm import Swarm

CONNECTIONS = 10_000
MEMORY = "kB/connection"

# The in-memory layer takes longer for each connection the more there are: 2,000 are enough to see it.
PEERS: list[tuple[Peer, int]] = [
    (Foyer(), CONNECTIONS),
    (Nchan(), CONNECTIONS),
    (Node(), CONNECTIONS),
    (Channels("uvicorn", "Redis pub/sub"), CONNECTIONS),
    (Channels("daphne", "Redis pub/sub"), CONNECTIONS),
    (Channels("uvicorn", "memory"), 2_000),
]


def run(options: Options, progress: Progress) -> list[Table]:
    table = Table(f"{options.scaled(CONNECTIONS):,} idle connections", MEMORY)
    for turn in range(min(3, options.rounds)):
        for peer, count in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            progress(f"idle, round {turn + 1}: {peer.name}")
            _measure(peer, options.scaled(count), table)
    if not options.quick:
        table.expect("kB for an idle connection", table.median("Foyer", MEMORY), at_most=26)
    return [table]


def _measure(peer: Peer, count: int, table: Table) -> None:
    with peer.run() as server, Swarm(server.port) as swarm:
        # The first connections load what is loaded once; they are not what is measured.
        swarm.listen(server.listen_path, 20)
        before, cpu_before = memory_bytes(server.pids), cpu_s(server.pids)
        accepted = swarm.listen(server.listen_path, count)
        cpu = cpu_s(server.pids) - cpu_before
        after = memory_bytes(server.pids)
    table.add(
        peer.name,
        **{
            MEMORY: (after - before) / count / 1000,
            "accepted/s": count / accepted["seconds"],
            "server CPU µs/accept": cpu * 1e6 / count,
            "connections": count,
        },
    )

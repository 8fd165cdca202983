"""Fan-out: one event of about 200 bytes to every listener of a channel, as fast as it goes.

A closed loop: the next event is sent when fewer than the wanted number are still on their way. *One at
a time* is the cost of a message; *eight in flight* is a busy channel, where a server may join messages.
"""

from __future__ import annotations

from bench.peers import Peer
from bench.peers.channels import Channels
from bench.peers.floor import Floor
from bench.peers.foyer import Foyer
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.report import Options, Progress, Table
from bench.swarm import Swarm

SIZES = (1000, 5000)
IN_FLIGHT = {1: "one at a time", 8: "eight in flight"}
FAST: list[Peer] = [Foyer(), Nchan(), Node(), Floor(), Floor(copies=8)]
# A hundredth of the others' speed: every second round is enough to place them.
SLOW: list[Peer] = [
    Channels("uvicorn", "Redis pub/sub"),
    Channels("daphne", "Redis pub/sub"),
    Channels("uvicorn", "memory"),
    Channels("daphne", "memory"),
]


def run(options: Options, progress: Progress) -> list[Table]:
    tables = []
    for size in SIZES:
        listeners = options.scaled(size)
        by_load = {
            inflight: Table(f"Fan-out to {listeners:,} listeners, {name}", "deliveries/s")
            for inflight, name in IN_FLIGHT.items()
        }
        # To 5,000 a round of stock Channels takes seconds for each message; its best server is enough.
        slow = SLOW if size == min(SIZES) else SLOW[:1]
        for turn in range(options.rounds):
            for peer in FAST + (slow if turn % 2 == 0 else []):
                if why := peer.missing():
                    for table in by_load.values():
                        table.left_out[peer.name] = why
                    continue
                progress(f"fan-out to {listeners}, round {turn + 1}: {peer.name}")
                _measure(peer, listeners, by_load, options)
        for table in by_load.values():
            if not options.quick and size == min(SIZES):
                table.expect("deliveries/s ÷ Nchan", table.ratio("Nchan"), at_least=1.1)
                stock = SLOW[0].name
                table.expect(f"deliveries/s ÷ {stock}", table.ratio(stock), at_least=30)
            tables.append(table)
    return tables


def _measure(peer: Peer, listeners: int, by_load: dict[int, Table], options: Options) -> None:
    with peer.run() as server, Swarm(server.port) as swarm:
        swarm.listen(server.listen_path, listeners)
        for inflight, table in by_load.items():
            load = swarm.emit(
                server.emit_path,
                body_bytes=server.body_bytes(),
                seconds=options.seconds,
                inflight=inflight,
                pids=server.pids,
            )
            table.add(
                peer.name,
                **{
                    "deliveries/s": load.per_s,
                    "server CPU µs/delivery": load.cpu_us_per_delivery,
                    "server CPU %": load.server_cpu * 100,
                    "generator CPU %": load.result["generator_cpu"] * 100,
                    "other CPU %": load.foreign_cpu * 100,
                    "bytes/frame": load.result["frame_bytes"],
                },
            )

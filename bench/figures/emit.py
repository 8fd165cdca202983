"""Emit requests: HTTP POSTs a second that a server takes, with no one listening.

32 keep-alive connections, each with its next request when the last is answered.
"""

from __future__ import annotations

from bench.peers import Peer
from bench.peers.channels import Channels
from bench.peers.foyer import Foyer, FoyerApi
from bench.peers.nchan import Nchan
from bench.peers.node import Node
from bench.report import Options, Progress, Table
from bench.swarm import Swarm

CONNECTIONS = 32
DRF = Channels("uvicorn", "memory", emit_path="/drf/emit", label="plain DRF view, uvicorn")
PEERS: list[Peer] = [
    Foyer(),
    FoyerApi(),
    DRF,
    Channels("uvicorn", "memory", emit_path="/django/emit", label="Django async view, uvicorn"),
    Channels("daphne", "memory", emit_path="/drf/emit", label="plain DRF view, daphne"),
    Node(),
    Nchan(),
]


def run(options: Options, progress: Progress) -> list[Table]:
    table = Table("Emit requests, no listeners", "requests/s")
    for turn in range(options.rounds):
        for peer in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            progress(f"emit, round {turn + 1}: {peer.name}")
            with peer.run() as server, Swarm(server.port) as swarm:
                if server.wrap:
                    swarm.wrap(*server.wrap)
                load = swarm.emit(
                    server.emit_path,
                    body_bytes=server.body_bytes(),
                    seconds=options.seconds,
                    senders=CONNECTIONS,
                    pids=server.pids,
                )
            result = load.result
            if result["refused"] or result["sender_errors"]:
                table.left_out[peer.name] = (
                    f"{result['refused']} requests refused, {result['sender_errors']} cut"
                )
                continue
            table.add(
                peer.name,
                **{
                    "requests/s": result["answered"] / result["seconds"],
                    "p50 ms": load.answer_ms("p50"),
                    "p99 ms": load.answer_ms("p99"),
                    "server CPU µs/request": load.server_cpu_s * 1e6 / max(1, result["answered"]),
                    "server CPU %": load.server_cpu * 100,
                    "generator CPU %": result["generator_cpu"] * 100,
                    "other CPU %": load.foreign_cpu * 100,
                },
            )
    if not options.quick:
        table.expect(f"requests/s ÷ {DRF.name}", table.ratio(DRF.name), at_least=10)
    return [table]

"""Clients that say something and wait for the answer: how many a second one core answers.

The same consumers on our WebSocket connections and on stock uvicorn's: a heartbeat of the gateway is answered
at once; a listener of broadcast who changes its presence is told so, as others might be. Node's ``ws`` just
sends back what it gets. What limits how much one connection may say is lifted for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.peers import Peer
from bench.peers.foyer import Foyer
from bench.peers.node import Node
from bench.peers.stock_uvicorn import StockUvicorn
from bench.report import Options, Progress, Table
from bench.swarm import Generator, Load

CLIENTS = 200
ANSWERED = "answered/s"

OURS = Foyer(tuned=True)
STOCK = StockUvicorn()
NODE = Node()
PEERS: list[Peer] = [OURS, STOCK, NODE]


@dataclass(frozen=True)
class Question:
    name: str
    text: str
    # Where it is asked; None for where the peer's listeners are.
    path: str | None


QUESTIONS = [
    Question("a heartbeat", '{"op":10,"time":1767225600000}', "/gateway/"),
    Question("a change of presence", '{"type":"PRESENCE","payload":{"name":"Ada","mood":"fine"}}', None),
]


class Asks(Generator):
    """Clients that ask (``load/asks.c``)."""

    program = "asks"

    def open(self, path: str, count: int) -> None:
        """Open so many connections; all must succeed."""
        answer: dict[str, Any] = self.command(f"open {path} {count}")
        if answer["failed"]:
            raise RuntimeError(f"{answer['failed']} of {count} clients could not connect to {path}")

    def ask(self, text: str, *, seconds: float, pids: tuple[int, ...]) -> Load:
        """Have all of them say `text` again and again, each when it has its answer."""
        return self.measure(f"ask {seconds} {text}", pids=pids)


def run(options: Options, progress: Progress) -> list[Table]:
    return [_table(question, options, progress) for question in QUESTIONS]


def _table(question: Question, options: Options, progress: Progress) -> Table:
    table = Table(f"{CLIENTS} clients that ask and wait: {question.name}", ANSWERED)
    for turn in range(options.rounds):
        for peer in PEERS:
            if why := peer.missing():
                table.left_out[peer.name] = why
                continue
            progress(f"answers, {question.name}, round {turn + 1}: {peer.name}")
            _measure(peer, question, options, table)
    if not options.quick:
        ratio = table.ratio(STOCK.name)
        table.expect("answered, Foyer ÷ the same on stock uvicorn", ratio, at_least=1.5)
    return table


def _measure(peer: Peer, question: Question, options: Options, table: Table) -> None:
    with peer.run() as server, Asks(server.port) as asks:
        path = server.listen_path if question.path is None or peer is NODE else question.path
        asks.open(path, options.scaled(CLIENTS))
        load = asks.ask(question.text, seconds=options.seconds, pids=server.pids)
    if load.result["lost"]:
        raise RuntimeError(f"{load.result['lost']} clients of {peer.name} lost their connection")
    table.add(
        peer.name,
        **{
            ANSWERED: load.per_s,
            "p50 ms": load.latency_ms("p50"),
            "p99 ms": load.latency_ms("p99"),
            "server CPU µs/answer": load.cpu_us_per_delivery,
            "server CPU %": load.server_cpu * 100,
            "generator CPU %": load.result["generator_cpu"] * 100,
            "other CPU %": load.foreign_cpu * 100,
        },
    )

"""The notifications as they are measured: people with tokens, a Kafka that feeds them, and a server."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers.foyer import environment
from bench.peers.gateway import run
from bench.postgres import new_database
from bench.process import BUILD, SERVER_CORE, family, free_port, running
from bench.swarm import Program, Swarm

SEND_PATH = "/api/notifications/"


@dataclass(frozen=True)
class Site:
    """People who can log in; of some their ids, and a token of each. `key` is an API key that may send."""

    env: dict[str, str]
    users: tuple[str, ...]
    tokens: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class Server:
    """A server of a site: where, and which processes it is."""

    port: int
    pids: tuple[int, ...]


class Kafka(Program):
    """A Kafka of our own, and a service that feeds it (`bench.peers.notifications_kafka`)."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "bench.peers.notifications_kafka"], name="kafka")
        started = self._answer()
        self.address: str = started["address"]
        self.is_mock: bool = started["mock"]
        self._topics = 0

    def is_for(self, users: Sequence[str]) -> None:
        """Messages are for these in turn, from now on."""
        self.command(f"users {' '.join(users)}")

    def topic(self, count: int) -> str:
        """A new topic with so many messages in it."""
        self._topics += 1
        topic = f"bench{self._topics}"
        self.command(f"fill {topic} {count}")
        return topic

    def env(self, topic: str) -> dict[str, str]:
        """Settings of those who read it, from its beginning."""
        return {"KAFKA_BROKERS": self.address, "KAFKA_TOPIC": topic, "KAFKA_GROUP": f"{topic}.readers"}

    def pace(self, topic: str, rate: float, seconds: float) -> None:
        """Begin to send so many a second; `paced` afterwards."""
        self._ask(f"pace {topic} {rate} {seconds}")

    def paced(self) -> int:
        """How many were sent, when all were."""
        return int(self._answer()["sent"])


@contextmanager
def site(database: str, people: int, tokens: int) -> Iterator[Site]:
    """A new database.

    Args:
        database: from `bench.peers.line.address`.
        people: so many can log in.
        tokens: so many of them have one.
    """
    with tempfile.TemporaryDirectory(prefix="foyer-bench-") as folder:
        env = {**os.environ, **environment(Path(folder))}
        if database:
            env["DATABASE_URL"] = new_database(database, "notifications")
        made = json.loads(run(env, "bench.peers.notifications_seed", people, tokens))
        yield Site(env, tuple(made["users"]), tuple(made["tokens"]), made["key"])


@contextmanager
def serve(env: dict[str, str]) -> Iterator[Server]:
    """A server, from when it reads Kafka, if it is meant to."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", "1"]
    wanted = {"database", "bus"} | ({"kafka"} if env.get("KAFKA_BROKERS") else set())
    log = BUILD / "notifications.log"
    with running(
        command, ready=lambda: wanted <= _ready(port), core=SERVER_CORE, env=env, log=log
    ) as process:
        yield Server(port, tuple(family(process.pid)))


def connect(swarm: Swarm, tokens: Sequence[str]) -> float:
    """Open a connection for each token, and its owner's list on it; gives how many a second."""
    options = [json.dumps({"authToken": token}) for token in tokens]
    swarm.say(
        *(f'{{"rid":1,"command":"authentication","options":{one}}}' for one in options),
        then='{"rid":2,"command":"getMyNotifications","options":{}}',
        answer='"status":"ok","payload":[',
    )
    return float(len(tokens) / swarm.listen("/notifications/", len(tokens), window=32)["seconds"])


def send_to(swarm: Swarm, where: Site, *to: str) -> None:
    """Events of the swarm are data of messages to each of these in turn: JSON, as ``"everyone":true``."""
    swarm.header("Authorization", f"Bearer {where.key}")
    for recipients in to:
        swarm.wrap(f'{{"type":"notification","document":{{{recipients},"type":"bench","data":', "}}")


def _ready(port: int) -> set[str]:
    """What the server says is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return {name for name, state in json.load(answer).items() if state == "ok"}
    except OSError:
        return set()

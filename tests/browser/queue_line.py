"""A server with a line for the tests of its page, other people in it, and a main server that can say no.

A test module asks for it with ``pytest_plugins = ["tests.browser.queue_line"]`` and gets the fixtures
`queue` (one server for the whole run, whose line is empty and has room when a test begins), `make_queue`
(for one test alone, with settings of its own) and `main_server`.

PYTEST_DONT_REWRITE: so that a module may also import classes from here before it names the plugin.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import Installation
from tests.e2e.seeds import add_demo
from tests.e2e.servers import Seed

# How long an answer may take on a busy machine before a test calls it missing.
PATIENCE_S = 15.0
LOGIN, TICKET = 1001, 1003


@dataclass(frozen=True, slots=True)
class QueueSeed:
    """A database with the demo's policy, to be copied for each installation, and a key for its API."""

    seed: Seed
    key: str


class QueueServer(Installation):
    """A running server with a line, and somebody who operates it by the API."""

    def __init__(self, queue_seed: QueueSeed, folder: Path, **env: str) -> None:
        super().__init__(queue_seed.seed, folder, env)
        self._key = queue_seed.key
        self._people = ExitStack()

    @property
    def page(self) -> str:
        return f"{self.url}/queue/"

    def come(self, client_id: str) -> Person:
        """Somebody else gets in line, or in."""
        url = f"{self.url.replace('http', 'ws', 1)}/queue/?platform=test&id={client_id}"
        # Nobody reads what this person is told, so what is not read must not hold up pings.
        options: dict[str, Any] = {"open_timeout": PATIENCE_S, "proxy": None, "max_queue": None}
        socket = self._people.enter_context(connect(url, ping_interval=None, **options))
        return Person(socket, client_id)

    def set_policy(self, **changes: Any) -> None:
        self._ask("PATCH", "policy", json=changes)

    def make_room(self, client_id: str) -> None:
        """This client's session ends."""
        for session in self._ask("GET", "sessions", params={"id": client_id})["results"]:
            if session["endedAt"] is None:
                self._ask("DELETE", f"sessions/{session['id']}")
                return
        raise AssertionError(f"{client_id} is not in")

    def ticket(self, client_id: str) -> dict[str, Any]:
        """The ticket with which this client waits."""
        found = self._ask("GET", "tickets", params={"id": client_id, "state": "waiting"})["results"]
        assert len(found) == 1, found
        ticket: dict[str, Any] = found[0]
        return ticket

    def take_out(self, client_id: str) -> None:
        self._ask("DELETE", f"tickets/{self.ticket(client_id)['ticketId']}")

    def connections(self) -> int:
        """How many clients of the line are connected."""
        for line in httpx.get(f"{self.url}/metrics", timeout=PATIENCE_S).text.splitlines():
            if line.startswith('foyer_connections{app="queue"}'):
                return int(float(line.split()[-1]))
        return 0

    def empty(self) -> None:
        """Nobody waits, nobody is in, and there is room."""
        self._people.close()
        self.set_policy(**_EMPTY)
        for ticket in self._ask("GET", "tickets", params={"state": "waiting"})["results"]:
            self._ask("DELETE", f"tickets/{ticket['ticketId']}")
        for session in self._ask("GET", "sessions")["results"]:
            if session["endedAt"] is None:
                self._ask("DELETE", f"sessions/{session['id']}")
        self.set_policy(paused=False)

    def close(self) -> None:
        self._people.close()
        super().close()

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = httpx.request(
            method, f"{self.url}/api/queue/{path}", headers=headers, timeout=PATIENCE_S, **request
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


# Paused while it is emptied: whoever still waits must not get in meanwhile.
_EMPTY = {"paused": True, "capacity": 100, "stats_interval_s": 1, "ticket_stale_s": 300, "message": ""}


class Person:
    """Another client, which has a ticket."""

    def __init__(self, socket: ClientConnection, client_id: str) -> None:
        self._socket = socket
        data = {"type": 4, "token": f"token of {client_id}"}
        socket.send(json.dumps({"eventCode": LOGIN, "eventData": data}))
        self.position: int = self.wait_for(TICKET)["position"]

    def wait_for(self, event_code: int) -> Any:
        """The data of the next such event; TimeoutError if none comes."""
        while True:
            event = json.loads(self._socket.recv(PATIENCE_S))
            if event["eventCode"] == event_code:
                return event["eventData"]

    def gets_in(self) -> None:
        """Wait until this client is let in."""
        assert self.wait_for(LOGIN)["jwt"]


class MainServer:
    """A main server that answers every login with `status` and `body`."""

    def __init__(self) -> None:
        self.status = 200
        self.body: dict[str, Any] = {"data": {"jwt": "a.token.of.the.main.server"}}
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                body = json.dumps(outer.body).encode()
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def main_server() -> Iterator[MainServer]:
    server = MainServer()
    yield server
    server.close()


@pytest.fixture(scope="package")
def queue_seed(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> QueueSeed:
    """The seeded database of all browser tests, and the demo in it."""
    database, made = add_demo(seed, tmp_path_factory)
    return QueueSeed(database, made["api_key"])


@pytest.fixture(scope="package")
def one_queue(queue_seed: QueueSeed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    server = QueueServer(queue_seed, tmp_path_factory.mktemp("queue"))
    yield server
    server.close()


@pytest.fixture
def queue(one_queue: QueueServer) -> QueueServer:
    """A line for all tests that do not stop its server; nobody is in it."""
    one_queue.empty()
    return one_queue


@pytest.fixture
def make_queue(queue_seed: QueueSeed, tmp_path: Path) -> Iterator[Callable[..., QueueServer]]:
    """Start servers with the demo's policy and settings of their own: ``make_queue(QUEUE_NEXT_URL="…")``."""
    made: list[QueueServer] = []

    def make(**env: str) -> QueueServer:
        made.append(QueueServer(queue_seed, tmp_path / str(len(made)), **env))
        return made[-1]

    yield make
    for server in made:
        server.close()

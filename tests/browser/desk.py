"""A server with a ticket desk for the tests of its pages, and other people at it.

A test module asks for it with ``pytest_plugins = ["tests.browser.desk"]`` and gets the fixtures `desk` (one
for the whole run: use visitors and tables that no other test expects to be free, and leave them as they
were) and `own_desk` (for one test alone, which may stop and start it). Devices need no token; with
``TICKETING_OPEN_DEVICES=0`` of `make_desk` they do.

PYTEST_DONT_REWRITE: so that a module may also import classes from here before it names the plugin.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.sync.client import connect

from tests.browser.conftest import Installation
from tests.e2e.seeds import add_to
from tests.e2e.servers import Seed

# How long a line may take on a busy machine before a test calls it missing.
PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff: the account to sign in with, and a token for sockets and the API."""

    id: int
    name: str
    username: str
    password: str
    token: str


@dataclass(frozen=True, slots=True)
class DeskSeed:
    """A database with a desk, to be copied for each installation."""

    seed: Seed
    people: tuple[Person, ...]
    kiosk_token: str
    display_token: str


class Wire:
    """Somebody else's socket, by the plain protocol: ``wire.ask("pick 3 …", "success pick")``."""

    def __init__(self, url: str) -> None:
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(url, open_timeout=PATIENCE_S, proxy=None))

    def send(self, line: str) -> None:
        self._socket.send(line)

    def wait_for(self, start: str) -> str:
        """The next line that starts so; those before it are dropped. TimeoutError if none comes."""
        while True:
            line = str(self._socket.recv(PATIENCE_S))
            if line.startswith(start):
                return line
            assert not line.startswith("error "), line

    def ask(self, line: str, answer: str) -> str:
        """Send a line; the answer, which starts with `answer`."""
        self.send(line)
        return self.wait_for(answer)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Desk(Installation):
    """A running server with a desk. What other people do there is done over sockets of their own."""

    def __init__(self, desk_seed: DeskSeed, folder: Path, **env: str) -> None:
        super().__init__(desk_seed.seed, folder, {"TICKETING_OPEN_DEVICES": "1"} | env)
        self.ana, self.ben, self.cho = desk_seed.people
        self.kiosk_token, self.display_token = desk_seed.kiosk_token, desk_seed.display_token

    def wire(self, page: str, query: str = "") -> Wire:
        """A socket of ``kiosk``, ``staff`` or ``display``."""
        return Wire(f"{self.url.replace('http', 'ws', 1)}/ticketing/{page}/{query}")

    def take_ticket(self, email: str = "ada@example.org", name: str = "Ada") -> dict[str, Any]:
        """Take a ticket at another kiosk; the ticket as the protocol has it."""
        with self.wire("kiosk") as kiosk:
            answer = kiosk.ask(f"new {email} {name}", "success new ")
        ticket: dict[str, Any] = json.loads(answer.removeprefix("success new "))
        return ticket

    def sit_down(self, person: Person, table: int) -> Wire:
        """`person` picks a table; `close` of what this gives is as a lost connection, ``unpick`` leaves."""
        staff = self.wire("staff")
        staff.ask(f"pick {table} {person.token}", "success pick ")
        return staff


@pytest.fixture(scope="package")
def desk_seed(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> DeskSeed:
    """The seeded database of all browser tests, and a desk in it."""
    database, made = add_to(seed, tmp_path_factory, "desk", "-m", "tests.browser.desk_seed")
    people = tuple(Person(**person) for person in made["people"])
    return DeskSeed(database, people, made["kiosk_token"], made["display_token"])


@pytest.fixture(scope="package")
def desk(desk_seed: DeskSeed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk for all tests that do not stop it."""
    desk = Desk(desk_seed, tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture
def make_desk(desk_seed: DeskSeed, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Start desks with settings of their own, for one test alone: ``make_desk(TICKETING_GRACE_S="0.2")``."""
    made: list[Desk] = []

    def make(**env: str) -> Desk:
        made.append(Desk(desk_seed, tmp_path / str(len(made)), **env))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def own_desk(make_desk: Callable[..., Desk]) -> Desk:
    """A desk for one test, which may stop and start it."""
    return make_desk()

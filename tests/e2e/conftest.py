"""Servers that tests share. Those that stop or starve a server start one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.channels import Channels
from tests.e2e.desk import Desk
from tests.e2e.seeds import make_seed
from tests.e2e.servers import STARTERS, Seed, Server, serve

OPEN_ENV = {
    "BROADCAST_ACK_TIMEOUT_S": "1",
    "BROADCAST_PING_INTERVAL_S": "1",
    "BROADCAST_PRESENCE_LIMIT": "6",
    "BROADCAST_CORS_ORIGINS": "https://shop.example",
    "ALLOWED_ORIGINS": "https://pages.example",
    "BROADCAST_EMIT_RATE": "100000",
    "BROADCAST_EMIT_BURST": "100000",
    "GATEWAY_POST_RATE": "100000",
    "GATEWAY_POST_BURST": "100000",
}
PRODUCTION_ENV = {
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-only-for-tests",
    "INSECURE_HTTP": "1",
    "ALLOWED_HOSTS": "127.0.0.1",
    "BROADCAST_EMIT_RATE": "5",
    "BROADCAST_EMIT_BURST": "20",
}

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """A migrated and seeded SQLite database."""
    return make_seed(tmp_path_factory)


@pytest.fixture(scope="session")
def channels() -> Channels:
    """Channel names that no other test uses."""
    return Channels()


def embedded(seed: Seed, folder: Path, start: StartServer, env: dict[str, str]) -> Iterator[Server]:
    """An installation of one process on SQLite. What it logged is checked at the end."""
    seed.copy_to(folder / "data")
    server = start({"DATA_DIR": str(folder / "data"), **env}, folder / "server.log")
    try:
        server.wait_ready()
        yield server
        assert server.process.poll() is None, f"the server ended:\n{server.log}"
    finally:
        server.stop()
    assert server.problems() == []


@pytest.fixture(scope="package")
def shared(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Gives a server by its name, in production or not: started once for all tests of this folder."""
    with ExitStack() as running:

        @cache
        def get(name: str, *, production: bool = False) -> Server:
            env = PRODUCTION_ENV if production else OPEN_ENV
            installed = contextmanager(embedded)(seed, tmp_path_factory.mktemp(name), STARTERS[name], env)
            return running.enter_context(installed)

        yield get


@pytest.fixture(scope="package", params=sorted(STARTERS))
def server(request: pytest.FixtureRequest, shared: Callable[..., Server]) -> Server:
    """Each server, DEBUG on: anyone may emit to channels without a policy."""
    return shared(request.param)


@pytest.fixture(scope="package", params=sorted(STARTERS))
def production(request: pytest.FixtureRequest, shared: Callable[..., Server]) -> Server:
    """Each server, DEBUG off: emitting takes an API key."""
    return shared(request.param, production=True)


@pytest.fixture(scope="package")
def desks(seed: Seed, shared: Callable[..., Server]) -> Iterator[Callable[[Server], Desk]]:
    """Gives the ticket desk of a shared server: furnished once, as the server is started once."""
    furnished: dict[int, Desk] = {}

    def get(server: Server) -> Desk:
        if server.port not in furnished:
            furnished[server.port] = Desk(server, seed.keys["site"])
        return furnished[server.port]

    yield get
    for desk in furnished.values():
        desk.close()


@pytest.fixture
def whole_desk(server: Server, desks: Callable[[Server], Desk]) -> Desk:
    """The ticket desk of `server`, where devices need no token. A test that asks for it leaves it empty."""
    return desks(server)


@pytest.fixture
def desk(whole_desk: Desk) -> Iterator[Desk]:
    """`whole_desk`, empty before and after."""
    yield whole_desk
    whole_desk.clear()


@pytest.fixture
def guarded_desk(production: Server, desks: Callable[[Server], Desk]) -> Desk:
    """The ticket desk of `production`, where devices need a token. A test leaves it empty."""
    return desks(production)


@pytest.fixture
def start_embedded(seed: Seed, tmp_path: Path) -> Iterator[StartServer]:
    """Start ``serve`` on SQLite with the given environment, for one test alone."""
    running: list[Server] = []

    def start(env: dict[str, str] | None = None, *, starter: StartServer = serve) -> Server:
        folder = tmp_path / str(len(running))
        seed.copy_to(folder / "data")
        server = starter({"DATA_DIR": str(folder / "data"), **(env or {})}, folder / "server.log")
        running.append(server)
        server.wait_ready()
        return server

    yield start
    for server in running:
        server.stop()
    assert [problem for server in running for problem in server.problems()] == []


@pytest.fixture(scope="package")
def exposed(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``serve`` for hostile clients: no PINGs, which they would not answer."""
    env = {**OPEN_ENV, "BROADCAST_PING_INTERVAL_S": "3600", "BROADCAST_PRESENCE_LIMIT": "1000"}
    yield from embedded(seed, tmp_path_factory.mktemp("exposed"), serve, env)

"""The gate in front of all sockets: limits, origins, hosts, and that nothing stays counted."""

import asyncio
from typing import Any

import pytest

from realtime import gate as gate_module
from realtime.gate import (
    ConnectionCounter,
    Gate,
    TooManyConnectionsError,
    client_address,
    header,
    no_such_service,
)


class App:
    """Runs until it is let go."""

    def __init__(self) -> None:
        self.running = 0
        self.go_on = asyncio.Event()
        self.failure: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.running += 1
        try:
            await self.go_on.wait()
            if self.failure:
                raise self.failure
        finally:
            self.running -= 1


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> ConnectionCounter:
    counter = ConnectionCounter()
    monkeypatch.setattr(gate_module, "connections", counter)
    return counter


@pytest.fixture
def app() -> App:
    return App()


def scope_of(address: str | None = "192.0.2.1", **headers: str) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/news/listen",
        "client": (address, 1234) if address else None,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "extensions": {"websocket.http.response": {}},
    }


async def call(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), 5)
    return sent


async def let_in(app: App, scope: dict[str, Any]) -> bool:
    """Whether the app gets to see such a connection."""
    app.go_on.clear()
    task = asyncio.ensure_future(call(Gate(app), scope))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen = app.running > 0
    app.go_on.set()
    answer = await task
    assert bool(answer) is not seen
    return seen


@pytest.mark.parametrize("ending", [None, LookupError("a bug"), asyncio.CancelledError()])
async def test_a_place_is_given_back_however_the_connection_ends(app, connections, ending):
    task = asyncio.ensure_future(call(Gate(app), scope_of()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert connections.total == 1
    app.failure = ending
    app.go_on.set()
    await asyncio.wait([task])
    assert task.cancelled() or repr(task.exception()) == repr(ending)
    assert connections.total == 0
    assert not connections._by_address


async def test_a_cancelled_connection_gives_its_place_back(app, connections):
    task = asyncio.ensure_future(call(Gate(app), scope_of()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert connections.total == 0


async def test_caps_for_an_address_and_for_the_process(app, connections, settings):
    settings.MAX_CONNECTIONS, settings.MAX_CONNECTIONS_PER_ADDRESS = 3, 2
    tasks = [asyncio.ensure_future(call(Gate(app), scope_of(a))) for a in ("192.0.2.1", "192.0.2.1")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    start, body = await call(Gate(app), scope_of("192.0.2.1"))
    assert start["status"] == 503
    assert b"this address" in body["body"]
    tasks.append(asyncio.ensure_future(call(Gate(app), scope_of("192.0.2.2"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    start, body = await call(Gate(app), scope_of("192.0.2.3"))
    assert start["status"] == 503
    assert b"this server" in body["body"]
    app.go_on.set()
    await asyncio.gather(*tasks)
    assert connections.total == 0
    assert await let_in(app, scope_of("192.0.2.1"))


async def test_the_counter_refuses_before_it_counts(settings):
    settings.MAX_CONNECTIONS = 0
    counter = ConnectionCounter()
    with pytest.raises(TooManyConnectionsError), counter.count("a"):
        pass
    assert counter.total == 0


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"host": "testserver"}, True),  # a native client sends no origin
        ({"host": "testserver", "origin": "http://testserver"}, True),
        ({"host": "testserver:8000", "origin": "http://testserver"}, False),
        ({"host": "testserver", "origin": "https://evil.example"}, False),
        ({"host": "testserver", "origin": "https://shop.example"}, True),
        ({"host": "testserver", "origin": "null"}, False),
        ({"host": "testserver", "cookie": "sessionid=x"}, False),  # with a cookie it must be known
        ({"host": "testserver", "cookie": "sessionid=x", "origin": "http://testserver"}, True),
        ({"host": "evil.example", "origin": "http://evil.example"}, False),  # a name that points at us
        ({"host": "evil.example"}, False),
        ({"host": "not a host"}, False),
        ({}, True),
    ],
)
async def test_who_may_open_a_socket(app, settings, headers, allowed):
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ALLOWED_ORIGINS = ["https://shop.example"]
    assert await let_in(app, scope_of(**headers)) is allowed


async def test_refusals_name_a_status_where_the_server_can(app, settings):
    scope = scope_of(host="testserver", origin="https://evil.example")
    assert [message.get("status") for message in await call(Gate(app), scope)] == [403, None]
    scope["extensions"] = {}
    assert await call(Gate(app), scope) == [{"type": "websocket.close"}]
    assert (await call(no_such_service, scope_of()))[0]["status"] == 404


def test_addresses_and_headers():
    assert client_address(scope_of("192.0.2.1")) == "192.0.2.1"
    assert client_address(scope_of(None)) == ""
    assert header(scope_of(origin="é"), b"origin") == "é"
    assert header(scope_of(), b"origin") is None

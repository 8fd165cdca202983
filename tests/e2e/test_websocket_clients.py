"""WebSocket clients that others have written, in a conversation with ``serve``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import require
from tests.e2e import clients
from tests.e2e.channels import Channels
from tests.e2e.clients import Client, EndedError
from tests.e2e.servers import Server, until
from tests.fetching import NotFetchedError

CLIENTS = [
    "websockets",
    "websocket-client",
    pytest.param("ws", marks=pytest.mark.node),
    pytest.param("chromium", marks=pytest.mark.chromium),
]


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Each of them."""
    match request.param:
        case "websockets":
            opened = clients.websockets()
        case "websocket-client":
            opened = clients.websocket_client()
        case "ws":
            require("node")
            try:
                opened = clients.node()
            except NotFetchedError as error:
                pytest.skip(str(error))
        case _:
            opened = clients.chromium(request.getfixturevalue("chromium_path"))
    with opened as client:
        yield client


def listen(client: Client, server: Server, channel: str) -> str:
    """Open a connection; gives its client ID."""
    assert client.open(f"{server.ws_url}/{channel}/listen") == 101
    connected = message(client)
    assert connected["type"] == "CONNECTED"
    client_id: str = connected["clientID"]
    return client_id


def message(client: Client) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(client.receive())
    return decoded


def ending(client: Client) -> tuple[int, str]:
    """Read to the end; gives the code and reason."""
    while True:
        try:
            client.receive()
        except EndedError as ended:
            return ended.code, ended.reason


SCRIPTS = "Zoë · Ωμέγα · Дмитрий · שלום · مرحبا · नमस्ते · 漢字かな · 한국어 · 👩‍👩‍👧 𝒳 \u0000\u0007\u2028"


@pytest.mark.parametrize("length", [1, 10, 11, 12, 13, 1_000, 65_400])
def test_texts_of_the_server(client: Client, exposed: Server, channels: Channels, length: int) -> None:
    """Of lengths around those where a frame's header changes, and the longest an event may have."""
    channel = channels()
    listen(client, exposed, channel)
    texts = ["x" * length, ("é" * length)[: length // 2], (SCRIPTS * length)[: length // 4]]
    with httpx.Client(base_url=exposed.url, trust_env=False) as site:
        for text in texts:
            body = json.dumps(text, ensure_ascii=False).encode()
            assert site.post(f"/{channel}/emit", content=body).status_code == 200
    assert [message(client)["payload"] for _ in texts] == texts
    client.close(1000, "")


def test_texts_of_the_client(client: Client, exposed: Server, channels: Channels) -> None:
    listen(client, exposed, channels())
    for text in ("", "x", SCRIPTS, "é" * 2_000):
        client.send(json.dumps({"type": "PRESENCE", "payload": {"name": text}}, ensure_ascii=False))
        assert message(client)["payload"]["presence"] == {"name": text}
    # 64 KiB, of any script, and not a byte more.
    start, end = '{"type":"PONG","x":"', '"}'
    for fill in ("x", "é", "漢"):
        count = (64 * 1024 - len(start) - len(end)) // len(fill.encode())
        client.send(start + fill * count + end)
        client.send('{"type":"PRESENCE","payload":{"still":"here"}}')
        assert message(client)["payload"]["presence"] == {"still": "here"}
        client.send(start + fill * (count + 1) + end)
        assert message(client)["payload"]["code"] == "TOO_LARGE"
    client.close(1000, "")


def test_pings(client: Client, exposed: Server, channels: Channels) -> None:
    listen(client, exposed, channels())
    for data in ("", "are you there?", "é" * 62):
        assert client.ping(data) in (data, None)
    client.close(1000, "")


def test_the_server_closes(client: Client, exposed: Server, channels: Channels) -> None:
    listen(client, exposed, channels())
    client.send(*['{"type":"PONG"}'] * 150)
    assert message(client)["payload"]["code"] == "RATE_LIMITED"
    assert ending(client) == (1008, "too many messages")


def test_the_client_closes(client: Client, exposed: Server, channels: Channels) -> None:
    client_id = listen(client, exposed, channels())
    client.close(4123, "bye — 再見")

    def told() -> bool:
        return any(
            line.get("event") == "connection.closed"
            and line["connection"] == client_id
            and line["code"] == 4123
            for line in exposed.log_lines()
        )

    until(told, within_s=clients.PATIENCE_S, what="the end of the connection")


@pytest.mark.parametrize(
    ("path", "status"), [("/locked-0/listen", 401), ("/closed-0/listen", 403), ("/no/such/service", 404)]
)
def test_a_refusal(client: Client, exposed: Server, path: str, status: int) -> None:
    assert client.open(exposed.ws_url + path) == status

"""``/<channel>/emit``, on both servers: payloads, targets, acknowledgements, and what is refused."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.e2e.channels import Channels
from tests.e2e.listener import crowd, emit, http, listen, listening
from tests.e2e.servers import Server


@pytest.mark.parametrize("payload", [{"a": 1}, [1, 2], "text", 0, False, 1.5, [], "", {"ü": "→\u2028"}])
async def test_any_json_value_is_delivered(server: Server, channels: Channels, payload: object) -> None:
    channel = channels()
    async with listening(server, channel) as listener:
        answer = await emit(server, channel, payload)
        assert answer["success"] is True
        assert answer["clients"] == 1
        data = await listener.next("DATA")
        assert (data["payload"], data["eventID"]) == (payload, answer["eventID"])


@pytest.mark.parametrize("body", ["", "{}", "null", " { } ", "\n"])
async def test_no_payload(server: Server, channels: Channels, body: str) -> None:
    async with http(server) as client:
        response = await client.post(f"/{channels()}/emit", content=body)
        assert response.status_code == 400
        assert response.json() == {"success": False, "error": "No payload provided."}


async def test_get_takes_its_parameters_as_the_payload(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as listener, http(server) as client:
        response = await client.get(
            f"/{channel}/emit?a=1&b=x%20y&b=%C3%BC&empty=&clients=1&require-ack=false"
        )
        assert response.status_code == 200, response.text
        assert (await listener.next("DATA"))["payload"] == {"a": "1", "b": ["x y", "ü"], "empty": ""}
        for query in ("", "?clients=1", "?require-ack=false"):
            response = await client.get(f"/{channel}/emit{query}")
            assert (response.status_code, response.json()["error"]) == (400, "No payload provided.")


@pytest.mark.parametrize(
    ("request_line", "body", "status"),
    [
        ("POST /c/emit", b"{", 400),
        ("POST /c/emit", b'{"a":1,"a":2}', 400),
        ("POST /c/emit", b'{"a":NaN}', 400),
        ("POST /c/emit", b'"\xff"', 400),
        ("POST /c/emit", b'"\\ud800"', 400),
        ("POST /c/emit", b"[" * 5_000, 400),
        ("POST /c/emit", b'"' + b"x" * 70_000 + b'"', 413),
        ("POST /c/emit?clients=0", b"1", 400),
        ("POST /c/emit?clients=", b"1", 400),
        ("POST /c/emit?clients=%2C%2C", b"1", 400),
        ("POST /c/emit?clients=99999999999999999999", b"1", 400),
        ("POST /c/emit?require-ack=maybe", b"1", 400),
        ("POST /c/emit?a=%FF", b"1", 400),
        ("GET /c/emit?a=%FF", b"", 400),
        ("GET /c/emit?" + "a=1&" * 200, b"", 400),
        ("PUT /c/emit", b"1", 405),
        ("DELETE /c/history", b"", 405),
        ("POST /c/members", b"1", 405),
        ("POST /static/emit", b"1", 404),
        ("POST /ticketing/emit", b"1", 404),
        ("GET /queue/members", b"", 404),
        ("POST /%00/emit", b"1", 404),
        ("POST /..%2F/emit", b"1", 404),
        ("GET /metrics/history", b"", 404),
        ("GET /" + "x" * 129 + "/members", b"", 404),
        ("GET /c/listen", b"", 426),
        ("GET /c/history?limit=0", b"", 400),
        ("GET /c/history?limit=x", b"", 400),
        ("GET /c/history?limit=100000", b"", 400),
    ],
)
async def test_refusals(
    server: Server, channels: Channels, request_line: str, body: bytes, status: int
) -> None:
    method, _, path = request_line.partition(" ")
    async with http(server) as client:
        response = await client.request(method, path.replace("/c/", f"/{channels()}/"), content=body)
    assert response.status_code == status, response.text
    if status not in (404, 405):
        assert response.json()["success"] is False
        assert response.json()["error"]
    if status == 405:
        assert "OPTIONS" in response.headers["allow"]
    if status == 426:
        assert response.headers["upgrade"] == "websocket"


async def test_a_browser_gets_the_page_of_a_channel(server: Server, channels: Channels) -> None:
    channel = channels()
    async with http(server) as client:
        response = await client.get(f"/{channel}/listen", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert channel in response.text


async def test_a_number_of_random_clients(server: Server, channels: Channels) -> None:
    channel = channels()
    async with crowd(server, channel, 5) as listeners:
        answer = await emit(server, channel, "some", clients="3")
        assert answer["clients"] == 3
        await emit(server, channel, "all")
        got = [(await listener.data(1))[0] for listener in listeners]
        assert sorted(got) == ["all", "all", "some", "some", "some"]
        async with http(server) as client:
            response = await client.post(f"/{channel}/emit?clients=6", json=1)
        assert (response.status_code, response.json()["error"]) == (400, "Not enough clients to target.")


async def test_named_clients(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as first, listening(server, channel) as second:
        await first.next("PRESENCE:JOINED")
        answer = await emit(server, channel, "you", clients=f"{second.client_id},client_nobody00")
        assert (answer["clients"], answer["missing"]) == (1, ["client_nobody00"])
        assert (await second.next("DATA"))["payload"] == "you"
        answer = await emit(server, channel, "both", clients=f"{first.client_id},{second.client_id}")
        assert answer["clients"] == 2
        assert "missing" not in answer
        assert (await first.next("DATA"))["payload"] == "both"
        async with http(server) as client:
            response = await client.post(f"/{channel}/emit?clients=client_nobody00", json=1)
        assert response.status_code == 400


async def test_acknowledged_by_all(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as slow, listening(server, channel, ack=True) as quick:
        emitting = asyncio.create_task(emit(server, channel, 1, **{"require-ack": "true"}))
        data = await slow.next_of("DATA")
        assert data["requires_ack"] is True
        await slow.ack("evt_another0")
        await quick.next("DATA")
        assert not emitting.done()
        await slow.ack(data["eventID"])
        await slow.ack(data["eventID"])
        answer = await emitting
        assert answer["success"] is True
        assert answer["clients"] == 2
        assert set(answer["acked"]) == {quick.client_id, slow.client_id}


async def test_a_missing_acknowledgement_is_a_408_that_says_whose(server: Server, channels: Channels) -> None:
    channel = channels()
    async with (
        listening(server, channel) as silent,
        listening(server, channel, ack=True) as good,
        http(server) as client,
    ):
        started = time.monotonic()
        response = await client.post(f"/{channel}/emit?require-ack=true", json=1)
        assert 1 <= time.monotonic() - started < 4  # BROADCAST_ACK_TIMEOUT_S is 1 here
        answer = response.json()
        assert response.status_code == 408
        assert answer["success"] is False
        assert answer["error"]
        assert (answer["acked"], answer["missing"]) == ([good.client_id], [silent.client_id])
        # Too late, and for nobody: ignored.
        await silent.ack((await silent.next_of("DATA"))["eventID"])
        answer = await emit(server, channel, 2, clients=good.client_id, **{"require-ack": "true"})
        assert answer["acked"] == [good.client_id]


async def test_who_leaves_is_not_waited_for(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel, ack=True) as good, http(server) as client:
        leaving = await listen(server, channel)
        started = time.monotonic()
        emitting = asyncio.create_task(client.post(f"/{channel}/emit?require-ack=true", json=1))
        await leaving.next("DATA")
        await leaving.close()
        response = await emitting
        assert time.monotonic() - started < 0.9, "it waited for the timeout"
        assert response.status_code == 408
        assert response.json()["missing"] == [leaving.client_id]
        assert response.json()["acked"] == [good.client_id]


async def test_with_nobody_there_is_nothing_to_wait_for(server: Server, channels: Channels) -> None:
    answer = await emit(server, channels(), 1, **{"require-ack": "true"})
    assert (answer["success"], answer["clients"], answer["acked"]) == (True, 0, [])


async def test_cors(server: Server, channels: Channels) -> None:
    path = f"/{channels()}/emit"
    async with http(server) as client:
        ours = {"Origin": "https://shop.example"}
        preflight = await client.options(path, headers={**ours, "Access-Control-Request-Method": "POST"})
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        answer = await client.post(path, json=1, headers=ours)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        refused = await client.post(path, content=b"{", headers=ours)
        assert refused.headers["access-control-allow-origin"] == "https://shop.example"
        for headers in ({}, {"Origin": "https://evil.example"}):
            answer = await client.post(path, json=1, headers=headers)
            assert "access-control-allow-origin" not in answer.headers

"""The listeners' socket, as any ASGI server drives it."""

import asyncio
import json
import logging
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from broadcast.services.listening import list_members
from config.asgi import websocket_application
from realtime.runtime import Runtime
from tests.broadcast.listeners import allow, listen
from tests.broadcast.test_emitting import say


@pytest.fixture(autouse=True)
def open_channels(rt: Runtime, caplog: pytest.LogCaptureFixture) -> Any:
    allow(rt)
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


class Client(WebsocketCommunicator):
    """A client of one channel."""

    def __init__(self, path: str = "/news/listen", headers: Any = None) -> None:
        super().__init__(websocket_application, path, headers)
        self.scope["extensions"] = {"websocket.http.response": {}}

    async def said(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.receive_json_from(5)
        return message

    async def come(self) -> dict[str, Any]:
        connected, _ = await self.connect(5)
        assert connected
        return await self.said()

    async def refused(self) -> int:
        await self.send_input({"type": "websocket.connect"})
        status: int = (await self.receive_output(5))["status"]
        return status

    async def closed(self) -> int:
        message = await self.receive_output(5)
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        await self.disconnect(code)
        return code


async def test_listening_until_it_leaves(rt: Runtime):
    client = Client("/news/listen?presence=%7B%22n%22%3A1%7D")
    connected = await client.come()
    assert connected["type"] == "CONNECTED"
    await say(b'{"hello":"world"}')
    data = await client.said()
    assert (data["type"], data["payload"], data["clientID"]) == (
        "DATA",
        {"hello": "world"},
        connected["clientID"],
    )
    (member,) = await list_members(channel="news")
    assert member.info == {"presence": {"n": 1}, "transport": "ws"}
    await client.disconnect()
    assert await list_members(channel="news") == []
    assert rt.hub.groups == {}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/listen", 404),
        ("/news/nothing", 404),
        ("/a%20b/listen", 404),
        ("/news/listen?presence=nonsense", 400),
        ("/news/listen?presence=[1]", 400),
        ("/news/listen?" + "&".join(f"a{n}=1" for n in range(50)), 400),
    ],
)
async def test_handshakes_that_are_refused(path, status):
    assert await Client(path).refused() == status


async def test_a_channel_that_needs_a_key(rt: Runtime):
    allow(rt, listen="key")
    assert await Client().refused() == 401
    assert await Client("/news/listen?key=nonsense").refused() == 401
    allow(rt, listen="closed")
    assert await Client().refused() == 403


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED"),
        ("[]", "MALFORMED"),
        ('{"type":"DANCE"}', "UNKNOWN_TYPE"),
        ('{"type":"PRESENCE","payload":{"a":"%s"}}' % ("x" * 5000), "TOO_LARGE"),
        ("x" * 70_000, "TOO_LARGE"),
    ],
)
async def test_bad_messages_are_answered_and_it_goes_on(text, code):
    client = Client()
    await client.come()
    await client.send_input({"type": "websocket.receive", "text": text})
    error = await client.said()
    assert (error["type"], error["payload"]["code"]) == ("ERROR", code)
    await say()
    assert (await client.said())["type"] == "DATA"
    await client.disconnect()


@pytest.mark.parametrize("kind", ["PRESENCE", "presence", "PrEsEnCe"])
async def test_presence_is_shown_to_all(kind):
    other = await listen()
    client = Client()
    name = (await client.come())["clientID"]
    await client.send_to(json.dumps({"type": kind, "payload": {"n": 2}}))
    updated = await client.said()
    assert (updated["type"], updated["payload"]) == (
        "PRESENCE:UPDATED",
        {"clientID": name, "presence": {"n": 2}},
    )
    assert other.types[-1] == "PRESENCE:UPDATED"
    await client.disconnect()


async def test_pings_measure_latency(settings, rt: Runtime):
    settings.BROADCAST_PING_INTERVAL_S = 0.3
    client = Client()
    assert (await client.come())["latency"] == 0
    await client.send_to('{"type":"PONG"}')  # unasked for: measures nothing
    ping = await client.said()
    assert (ping["type"], ping["payload"], ping["latency"]) == ("PING", {}, 0)
    await asyncio.wait_for(_clock_moves(rt, 0.02), 5)
    await client.send_to('{"type": "pong"}')
    second = await client.said()
    assert second["type"] == "PING"
    assert 20 <= second["latency"] < 2000
    await client.disconnect()


async def _clock_moves(rt: Runtime, seconds: float) -> None:
    moved = asyncio.Event()
    rt.loop.call_later(seconds, moved.set)
    await moved.wait()


async def test_two_pings_without_a_pong_end_it(settings):
    settings.BROADCAST_PING_INTERVAL_S = 0.1
    client = Client()
    await client.come()
    said = [await client.said() for _ in range(3)]
    assert [message["type"] for message in said] == ["PING", "PING", "ERROR"]
    assert said[-1]["payload"] == {
        "message": "Client did not respond to PING event",
        "code": "PING_TIMEOUT",
    }
    assert await client.closed() == 4408
    assert await list_members(channel="news") == []


async def test_acknowledging_many_events_is_not_flooding():
    client = Client()
    await client.come()
    for _ in range(250):
        emitting = asyncio.ensure_future(say(require_ack=True))
        data = await client.said()
        await client.send_to(json.dumps({"type": "Ack", "payload": {"eventID": data["eventID"]}}))
        assert (await asyncio.wait_for(emitting, 5)).acked == [data["clientID"]]
    await client.disconnect()


async def test_flooding_is_told_and_closed():
    client = Client()
    await client.come()
    for _ in range(130):
        await client.send_to('{"type":"ACK","payload":{"eventID":"evt_unknown"}}')
    assert (await client.said())["payload"]["code"] == "RATE_LIMITED"
    assert await client.closed() == 1008

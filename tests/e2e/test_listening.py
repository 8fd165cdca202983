"""The socket at ``/<channel>/listen``, on both servers: who is here, what is said, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.e2e.channels import Channels
from tests.e2e.listener import crowd, emit, eventually, listen, listen_url, listening, member_ids
from tests.e2e.servers import Server


async def test_connected_names_the_others_and_they_hear_of_the_newcomer(
    server: Server, channels: Channels
) -> None:
    channel = channels()
    async with listening(server, channel, presence={"username": "Cerulean"}) as first:
        assert first.connected["payload"] == {"members": []}
        async with listening(server, channel) as second:
            assert second.members == {first.client_id: {"username": "Cerulean"}}
            joined = await first.next("PRESENCE:JOINED")
            assert joined["payload"] == {"clientID": second.client_id, "presence": {}}
            assert joined["clientID"] == first.client_id
        left = await first.next("PRESENCE:LEFT")
        assert left["payload"] == {"clientID": second.client_id}
        assert first.waiting() == []


async def test_every_message_has_the_documented_members(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as listener:
        await listener.send("PRESENCE", {"mood": "good"})
        updated = await listener.next("PRESENCE:UPDATED")
        await listener.send("NONSENSE")
        error = await listener.next("ERROR")
        answer = await emit(server, channel, {"hello": "world"})
        data = await listener.next("DATA")
    assert data == {
        "type": "DATA",
        "payload": {"hello": "world"},
        "eventID": answer["eventID"],
        "clientID": listener.client_id,
        "latency": data["latency"],
        "requires_ack": False,
    }
    for message in (listener.connected, updated, error):
        assert set(message) == {"type", "payload", "eventID", "clientID", "latency"}
        assert message["clientID"] == listener.client_id
        assert isinstance(message["latency"], int)
        assert re.fullmatch(r"evt_[A-Za-z0-9_-]{8,}", message["eventID"])
    assert re.fullmatch(r"client_[A-Za-z0-9_-]{8,}", listener.client_id)
    assert listener.connected["latency"] == 0


async def test_presence_updates_reach_everyone_and_newcomers(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as first, listening(server, channel) as second:
        await first.next("PRESENCE:JOINED")
        await first.send("presence", {"seat": 4, "ü": [1, None, "→"]})  # types are compared without case
        for listener in (first, second):
            updated = await listener.next("PRESENCE:UPDATED")
            assert updated["payload"] == {
                "clientID": first.client_id,
                "presence": {"seat": 4, "ü": [1, None, "→"]},
            }
        async with listening(server, channel) as third:
            assert third.members == {
                first.client_id: {"seat": 4, "ü": [1, None, "→"]},
                second.client_id: {},
            }


async def test_a_crowd_is_counted_and_not_announced(server: Server, channels: Channels) -> None:
    channel = channels()
    async with crowd(server, channel, 7) as listeners:  # one above BROADCAST_PRESENCE_LIMIT
        assert listeners[-1].connected["payload"] == {"members": [], "count": 7}
        async with listening(server, channel) as eighth:
            assert eighth.connected["payload"] == {"members": [], "count": 8}
        await emit(server, channel, "after")
        first = listeners[0]
        messages = [await first.next("PRESENCE:JOINED") for _ in range(5)]
        assert [m["payload"]["clientID"] for m in messages] == [m.client_id for m in listeners[1:6]]
        await first.next("DATA")


async def test_an_unanswered_ping_ends_the_connection(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as other:
        silent = await listen(server, channel, pong=False)
        await other.next("PRESENCE:JOINED")
        error = await silent.next("ERROR")
        assert error["payload"] == {
            "message": "Client did not respond to PING event",
            "code": "PING_TIMEOUT",
        }
        assert await silent.closed() == 4408
        assert silent.pings == 2
        left = await other.next("PRESENCE:LEFT")
        assert left["payload"] == {"clientID": silent.client_id}
        assert other.pings >= 2, "who answers stays"


async def test_latency_is_that_of_the_last_ping(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel, pong=False) as listener:
        await eventually(lambda: listener.pings, what="a PING")
        await asyncio.sleep(0.05)  # the round trip to be measured
        await listener.send("PONG")
        await listener.send("PRESENCE", {})
        assert 50 <= (await listener.next("PRESENCE:UPDATED"))["latency"] < 1000


async def test_bad_messages_are_answered_and_the_connection_goes_on(
    server: Server, channels: Channels
) -> None:
    channel = channels()
    bad = {
        "{": "MALFORMED",
        "[]": "MALFORMED",
        '{"payload":{}}': "MALFORMED",
        '{"type":"ACK"}': "MALFORMED",
        '{"type":"PRESENCE","payload":[]}': "MALFORMED",
        '{"type":"PRESENCE","payload":{"a":1,"a":2}}': "MALFORMED",
        '{"type":"PRESENCE","payload":{"a":NaN}}': "MALFORMED",
        '{"type":"HELLO"}': "UNKNOWN_TYPE",
        '{"type":"PRESENCE","payload":{"a":"%s"}}' % ("x" * 5000): "TOO_LARGE",
        '{"type":"PRESENCE","payload":{"a":"%s"}}' % ("x" * 70_000): "TOO_LARGE",
        "[" * 60_000: "MALFORMED",
    }
    async with listening(server, channel) as listener:
        for text, code in bad.items():
            await listener.ws.send(text)
            error = await listener.next("ERROR")
            assert (error["payload"]["code"], text[:50]) == (code, text[:50])
            assert error["payload"]["message"]
        await listener.ack("evt_unknown0")  # ignored, as the page says
        await emit(server, channel, 1)
        assert (await listener.next("DATA"))["payload"] == 1


async def test_presence_of_the_url_is_checked_before_the_handshake(
    server: Server, channels: Channels
) -> None:
    channel = channels()
    for presence in ("{", "[]", "1", json.dumps({"a": "x" * 5000})):
        with pytest.raises(InvalidStatus) as refused:
            await connect(listen_url(server, channel, presence=presence), proxy=None)
        # daphne cannot answer a handshake with anything but 403.
        assert refused.value.response.status_code in (400, 403)
    assert await member_ids(server, channel) == set()


@pytest.mark.parametrize("path", ["admin/listen", "api/listen", "Static/listen", "a b/listen", "nothing"])
async def test_no_channel_is_there(server: Server, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws_url}/{path.replace(' ', '%20')}", proxy=None)
    assert refused.value.response.status_code in (403, 404)
    if server.is_serve:
        assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("origin", "headers", "admitted"),
    [
        ("https://evil.example", {}, False),
        ("null", {}, False),
        ("https://pages.example", {}, True),
        ("{own}", {}, True),
        (None, {}, True),
        (None, {"Cookie": "sessionid=x"}, False),
        ("{own}", {"Cookie": "sessionid=x"}, True),
    ],
)
async def test_origins(
    server: Server, channels: Channels, origin: str | None, headers: dict[str, str], admitted: bool
) -> None:
    if origin == "{own}":
        origin = server.url
    url = listen_url(server, channels())
    if origin:
        headers = {**headers, "Origin": origin}
    if admitted:
        async with connect(url, proxy=None, additional_headers=headers) as ws:
            assert json.loads(await ws.recv())["type"] == "CONNECTED"
    else:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, proxy=None, additional_headers=headers)
        assert refused.value.response.status_code == 403


async def test_one_message_reaches_many_once_and_in_order(server: Server, channels: Channels) -> None:
    channel = channels()
    async with crowd(server, channel, 20) as listeners:
        for number in range(50):
            await emit(server, channel, number)
        for listener in listeners:
            assert await listener.data(50) == list(range(50))
            assert [m for m in listener.waiting() if m["type"] == "DATA"] == []
    await eventually(lambda: no_members(server, channel), what="everyone's leaving")


async def no_members(server: Server, channel: str) -> bool:
    return await member_ids(server, channel) == set()

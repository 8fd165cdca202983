"""Channels that keep history, on both servers: ``history``, recovery with ``since``, event streams."""

from __future__ import annotations

import asyncio
import json

from tests.e2e.channels import Channels
from tests.e2e.listener import emit, eventually, http, listening, member_ids, streaming
from tests.e2e.servers import Server


async def test_history_lists_the_latest_oldest_first(server: Server, channels: Channels) -> None:
    channel = channels("kept")
    ids = [(await emit(server, channel, number))["eventID"] for number in range(5)]
    async with http(server) as client:
        answer = (await client.get(f"/{channel}/history?limit=3")).json()
        assert [event["payload"] for event in answer["events"]] == [2, 3, 4]
        assert [event["eventID"] for event in answer["events"]] == ids[2:]
        assert answer["gap"] is False
        answer = (await client.get(f"/{channel}/history?since={ids[1]}")).json()
        assert [event["payload"] for event in answer["events"]] == [2, 3, 4]
        answer = (await client.get(f"/{channel}/history?since=evt_unknown0")).json()
        assert (answer["gap"], len(answer["events"])) == (True, 5)
        answer = (await client.get(f"/{channels()}/history")).json()
        assert (answer["kept"], answer["events"]) == (0, [])


async def test_events_for_some_are_not_kept(server: Server, channels: Channels) -> None:
    channel = channels("kept")
    async with listening(server, channel) as listener:
        await emit(server, channel, "for one", clients="1")
        await emit(server, channel, "for all")
        assert await listener.data(2) == ["for one", "for all"]
        async with http(server) as client:
            events = (await client.get(f"/{channel}/history")).json()["events"]
        assert [event["payload"] for event in events] == ["for all"]


async def test_since_replays_in_order_and_goes_on_live(server: Server, channels: Channels) -> None:
    channel = channels("kept")
    ids = [(await emit(server, channel, number))["eventID"] for number in range(10)]
    async with listening(server, channel, since=ids[3]) as listener:
        await emit(server, channel, 10)
        messages = [await listener.next("DATA") for _ in range(7)]
        assert [message["payload"] for message in messages] == [4, 5, 6, 7, 8, 9, 10]
        assert [message["eventID"] for message in messages[:6]] == ids[4:]
    async with listening(server, channel, since=messages[-1]["eventID"]) as listener:
        await emit(server, channel, 11)
        assert (await listener.next("DATA"))["payload"] == 11


async def test_recovery_while_others_emit_has_no_hole_and_no_repeat(
    server: Server, channels: Channels
) -> None:
    channel = channels("kept")
    last_id = (await emit(server, channel, 0))["eventID"]

    async def emit_all() -> None:
        async with http(server) as client:
            for number in range(1, 200):
                await client.post(f"/{channel}/emit", json=number)

    emitting = asyncio.create_task(emit_all())
    got: list[int] = []
    while len(got) < 199:
        # Come, take some, go: again and again, as on a bad line.
        async with listening(server, channel, since=last_id) as listener:
            for _ in range(min(23, 199 - len(got))):
                message = await listener.next("DATA")
                got.append(message["payload"])
                last_id = message["eventID"]
    await emitting
    assert got == list(range(1, 200))


async def test_what_is_no_longer_kept_is_said_to_be_missing(server: Server, channels: Channels) -> None:
    channel = channels("short")  # keeps three
    ids = [(await emit(server, channel, number))["eventID"] for number in range(6)]
    for since in (ids[0], "evt_unknown0"):
        async with listening(server, channel, since=since) as listener:
            assert (await listener.next("ERROR"))["payload"]["code"] == "HISTORY_GAP"
            assert await listener.data(3) == [3, 4, 5]
    async with listening(server, channel, since=ids[2]) as listener:
        assert [(await listener.next("DATA"))["payload"] for _ in range(3)] == [3, 4, 5]
    async with listening(server, channels(), since=ids[2]) as listener:
        assert (await listener.next("ERROR"))["payload"]["code"] == "HISTORY_GAP"


async def test_events_grow_too_old(server: Server, channels: Channels) -> None:
    channel = channels("brief")  # for a second
    first = (await emit(server, channel, 0))["eventID"]
    await emit(server, channel, 1)

    async def nothing_left() -> bool:
        async with http(server) as client:
            return not (await client.get(f"/{channel}/history")).json()["events"]

    await eventually(nothing_left, what="the events' end")
    async with listening(server, channel, since=first) as listener:
        assert (await listener.next("ERROR"))["payload"]["code"] == "HISTORY_GAP"


async def test_a_nonsense_since_is_a_gap_and_nothing_worse(server: Server, channels: Channels) -> None:
    channel = channels("kept")
    await emit(server, channel, 0)
    for since in ("x", "'; DROP TABLE--", "evt_\x00", "ü" * 500, "%ff"):
        async with listening(server, channel, since=since) as listener:
            assert (await listener.next("ERROR"))["payload"]["code"] == "HISTORY_GAP"
            assert (await listener.next("DATA"))["payload"] == 0
        async with http(server) as client:
            response = await client.get(f"/{channel}/history", params={"since": since})
            assert response.json()["gap"] is True


async def test_event_stream(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel, presence={"a": 1}) as socket:
        async with streaming(server, channel) as stream:
            assert stream.response.status_code == 200
            assert stream.response.headers["content-type"] == "text/event-stream"
            connected = await stream.message("CONNECTED")
            assert connected["payload"]["members"] == [{"clientID": socket.client_id, "presence": {"a": 1}}]
            assert (await socket.next("PRESENCE:JOINED"))["payload"]["clientID"] == connected["clientID"]
            answer = await emit(server, channel, {"line": "one\ntwo"})
            data = await stream.message("DATA")
            assert data["payload"] == {"line": "one\ntwo"}
            assert (data["eventID"], data["clientID"]) == (answer["eventID"], connected["clientID"])
            assert answer["clients"] == 2
            await emit(server, channel, 1, clients=connected["clientID"])
            assert (await stream.message("DATA"))["payload"] == 1
        # A stream that ends is a listener that leaves; it never acknowledges, so nobody waits for it.
        await socket.next_of("PRESENCE:LEFT")
    await eventually(lambda: nobody(server, channel), what="everyone's leaving")


async def nobody(server: Server, channel: str) -> bool:
    return await member_ids(server, channel) == set()


async def test_nobody_waits_for_the_acknowledgement_of_a_stream(server: Server, channels: Channels) -> None:
    channel = channels()
    async with streaming(server, channel) as stream, listening(server, channel, ack=True) as socket:
        await stream.message("CONNECTED")
        answer = await emit(server, channel, 1, **{"require-ack": "true"})
        assert (answer["clients"], answer["acked"]) == (2, [socket.client_id])


async def test_an_event_stream_resumes_by_last_event_id(server: Server, channels: Channels) -> None:
    channel = channels("kept")
    async with streaming(server, channel) as stream:
        await stream.message("CONNECTED")
        await emit(server, channel, 0)
        event = await stream.next()
        assert event is not None
        assert json.loads(event["data"])["payload"] == 0
    for number in range(1, 4):
        await emit(server, channel, number)
    async with streaming(server, channel, headers={"Last-Event-ID": event["id"]}) as stream:
        await stream.message("CONNECTED")
        await emit(server, channel, 4)
        assert [(await stream.message("DATA"))["payload"] for _ in range(4)] == [1, 2, 3, 4]
    async with streaming(server, channel, since=event["id"]) as stream:
        await stream.message("CONNECTED")
        assert (await stream.message("DATA"))["payload"] == 1


async def test_an_event_stream_refuses_foreign_pages(server: Server, channels: Channels) -> None:
    for origin, status in (("https://evil.example", 403), ("https://shop.example", 200), (server.url, 200)):
        async with streaming(server, channels(), headers={"Origin": origin}) as stream:
            assert stream.response.status_code == status

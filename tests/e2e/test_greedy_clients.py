"""Clients that take more than their share of connections, time or memory, to ``serve``."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import httpx

from tests.e2e.channels import Channels
from tests.e2e.conftest import StartServer
from tests.e2e.listener import PATIENCE_S, crowd, eventually, http, listening, member_ids, streaming
from tests.e2e.offenders import OFFENCES, offend, open_sockets
from tests.e2e.rawsocket import RawSocket, handshake
from tests.e2e.servers import Server


async def test_a_handshake_has_a_deadline_and_headers_a_bound(exposed: Server, channels: Channels) -> None:
    async def silent() -> bytes:
        async with await RawSocket.dial(exposed) as raw:
            return await raw.ended(within_s=15)

    async def stops_half_way() -> bytes:
        async with await RawSocket.dial(exposed) as raw:
            await raw.send(handshake(exposed, channels())[:-2])
            return await raw.ended(within_s=15)

    async def drips() -> bytes:
        async with await RawSocket.dial(exposed) as raw:
            ending = asyncio.create_task(raw.ended(within_s=15))
            await raw.send(b"GET / HTTP/1.1\r\n")
            while not ending.done():
                await raw.send(b"X-A: b\r\n")
                await asyncio.wait([ending], timeout=0.5)
            return ending.result()

    async def never_stops() -> int:
        async with await RawSocket.dial(exposed) as raw:
            await raw.send(b"GET / HTTP/1.1\r\n")
            head = asyncio.create_task(raw.head())
            for _ in range(10_000):
                if head.done():
                    break
                await raw.send(b"X-A: " + b"b" * 1000 + b"\r\n")
                await asyncio.wait([head], timeout=0)
            return await head

    async def just_too_much(data: bytes) -> int:
        async with await RawSocket.dial(exposed) as raw:
            await raw.send(data)
            return await raw.head()

    started = time.monotonic()
    before = exposed.rss_bytes()
    *ended, endless, many, long = await asyncio.gather(
        silent(),
        stops_half_way(),
        drips(),
        never_stops(),
        just_too_much(b"GET / HTTP/1.1\r\n" + (b"X-A: " + b"b" * 1000 + b"\r\n") * 33),
        just_too_much(b"GET /" + b"x" * 33_000),
    )
    assert ended == [b"", b"", b""]
    assert time.monotonic() - started < 14
    assert (many, long) == (431, 431)
    # Who is still writing may be cut off before the answer is read.
    assert endless in (431, 0)
    assert exposed.rss_bytes() - before < 10_000_000


async def test_connections_are_capped_by_address_and_in_all(
    start_embedded: StartServer, channels: Channels
) -> None:
    server = start_embedded({"MAX_CONNECTIONS_PER_ADDRESS": "3", "MAX_CONNECTIONS": "5"})
    channel = channels()

    async def attempt(source: str) -> tuple[int, RawSocket]:
        raw = await RawSocket.dial(server, source=source)
        raw.writer.write(handshake(server, channel))
        return await raw.head(), raw

    async with AsyncExitStack() as stack:

        async def status(source: str) -> int:
            code, raw = await attempt(source)
            await stack.enter_async_context(raw)
            return code

        assert [await status("127.0.0.1") for _ in range(4)] == [101, 101, 101, 503]
        # Event streams count as well.
        async with streaming(server, channel) as stream:
            assert stream.response.status_code == 503
        assert [await status("127.0.0.2") for _ in range(3)] == [101, 101, 503]
        assert await status("127.0.0.3") == 503
        # Requests are not connections of this kind.
        async with http(server) as client:
            assert (await client.get("/healthz")).status_code == 200
    await eventually(lambda: admitted(server, channel), what="a place for a new one")


async def admitted(server: Server, channel: str) -> bool:
    async with await RawSocket.dial(server) as raw:
        raw.writer.write(handshake(server, channel))
        return await raw.head() == 101


async def test_who_stops_reading_is_closed_and_nobody_else_notices(
    exposed: Server, channels: Channels
) -> None:
    channel = channels()
    payload = "x" * 60_000
    count = 150  # 9 MB for each listener
    closed_before = exposed.metric("foyer_slow_clients_closed_total", app="broadcast")
    async with crowd(exposed, channel, 3) as readers, AsyncExitStack() as stack:
        stalled = [
            await stack.enter_async_context(await RawSocket.open(exposed, channel, receive_buffer_bytes=4096))
            for _ in range(5)
        ]
        await eventually(lambda: members(exposed, channel, 8), what="eight members")
        before = exposed.rss_bytes()
        peak = 0
        sent_s = []
        async with http(exposed) as client:
            for number in range(count):
                sent_s.append(time.monotonic())
                await client.post(f"/{channel}/emit", json=[number, payload])
                peak = max(peak, exposed.rss_bytes() - before)
        # A megabyte each is kept for them, and not for long.
        assert peak < 25_000_000, peak
        for reader in readers:
            assert [number for number, _ in await reader.data(count)] == list(range(count))
            # The first arrival is a JOINED or the first DATA; what matters is that none was late.
            arrivals = reader.arrivals[-count - 5 :]
            delays = sorted(min(a - s for s in sent_s if s <= a) for a in arrivals if a > sent_s[0])
            assert delays[-1] < 1.0, delays[-5:]
        await eventually(lambda: members(exposed, channel, 3), what="the end of those that do not read")
        closed = exposed.metric("foyer_slow_clients_closed_total", app="broadcast") - closed_before
        assert closed == 5
        # What they find when they look again: some messages, perhaps the close frame, and the end.
        codes = {await raw.close_code() for raw in stalled}
        assert codes <= {4410, None}


async def test_an_event_stream_that_is_not_read_is_ended(exposed: Server, channels: Channels) -> None:
    channel = channels()
    payload = "x" * 60_000
    before = exposed.rss_bytes()
    async with (
        listening(exposed, channel) as reader,
        await RawSocket.dial(exposed, receive_buffer_bytes=4096) as raw,
    ):
        await raw.send(
            f"GET /{channel}/listen HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        await reader.next("PRESENCE:JOINED")
        async with http(exposed) as client:
            for number in range(150):
                await client.post(f"/{channel}/emit", json=[number, payload])
        left = await reader.next_of("PRESENCE:LEFT")
        assert left["type"] == "PRESENCE:LEFT"
        await eventually(lambda: members(exposed, channel, 1), what="the end of the stream")
    assert exposed.rss_bytes() - before < 20_000_000


async def members(server: Server, channel: str, count: int) -> bool:
    return len(await member_ids(server, channel)) == count


async def test_who_sends_but_never_reads_does_not_fill_memory(exposed: Server, channels: Channels) -> None:
    """Answers to pings and errors go to a client that does not take them."""
    before = exposed.rss_bytes()
    async with AsyncExitStack() as stack:
        for _ in range(3):
            raw = await stack.enter_async_context(
                await RawSocket.open(exposed, channels(), receive_buffer_bytes=4096)
            )
            ping = bytes([0x89, 0xFD]) + bytes(4) + b"x" * 125
            try:
                async with asyncio.timeout(3):
                    for _ in range(20):
                        await raw.send(ping * 2_000)
            except TimeoutError:
                pass  # the server has stopped taking them, which is as good as hanging up
        assert exposed.rss_bytes() - before < 15_000_000


async def test_bodies_are_bounded_while_they_arrive(exposed: Server, channels: Channels) -> None:
    async def endless():
        for _ in range(2000):
            yield b"[" + b"1," * 30_000

    before = exposed.rss_bytes()
    async with http(exposed) as client:
        try:
            response = await client.post(f"/{channels()}/emit", content=endless())
        except httpx.TransportError:
            pass  # cut off while still sending
        else:
            assert response.status_code == 413
    assert exposed.rss_bytes() - before < 10_000_000


async def test_floods_are_ended_and_nobody_else_misses_an_answer(exposed: Server, channels: Channels) -> None:
    """All at once, until the server has hung up on each."""
    before, sockets = exposed.rss_bytes(), open_sockets(exposed)
    async with listening(exposed, channels()) as innocent:
        floods = {
            name: asyncio.create_task(offend(exposed, channels(), offence))
            for name, offence in OFFENCES.items()
        }
        asked = peak = 0
        while pending := [flood for flood in floods.values() if not flood.done()]:
            await innocent.send("PRESENCE", {"n": asked})
            updated = await innocent.next("PRESENCE:UPDATED")
            assert updated["payload"]["presence"] == {"n": asked}
            await asyncio.wait_for(await innocent.ws.ping(), PATIENCE_S)
            asked += 1
            peak = max(peak, exposed.rss_bytes() - before)
            # Within the limits that are there for everybody.
            await asyncio.wait(pending, timeout=0.2)
        codes = {name: await flood for name, flood in floods.items()}
    assert {name: code for name, code in codes.items() if code not in OFFENCES[name].codes} == {}
    assert peak < 30_000_000, peak
    await eventually(lambda: open_sockets(exposed) <= sockets, what="the end of every socket")
    assert exposed.problems() == []


async def test_those_who_never_read_are_cut_and_cost_little(exposed: Server, channels: Channels) -> None:
    """180 MB are emitted at clients that take none of it. Half of them have said that they say no more."""
    channel, size, count = channels(), 60_000, 30
    before, sockets = exposed.rss_bytes(), open_sockets(exposed)
    async with AsyncExitStack() as stack:
        deaf = [
            await stack.enter_async_context(await RawSocket.open(exposed, channel, receive_buffer_bytes=4096))
            for _ in range(100)
        ]
        await eventually(lambda: members(exposed, channel, len(deaf)), what="everybody's joining")
        peak = 0
        async with http(exposed) as client:
            for number in range(count):
                await client.post(f"/{channel}/emit", json=[number, "x" * size])
                peak = max(peak, exposed.rss_bytes() - before)
                if number == count // 2:
                    # They are behind by now.
                    for raw in deaf[::2]:
                        raw.end()
        # What the transport takes before it counts as behind, each; what waits behind it is there once.
        assert peak < 45_000_000, peak
        await eventually(lambda: members(exposed, channel, 0), what="the end of those that do not read")
        await eventually(lambda: open_sockets(exposed) <= sockets, what="the end of their sockets")

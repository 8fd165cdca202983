"""The load generator counts what was delivered, whatever way it arrives, and stamps what was due."""

import asyncio
import json
import math
import time
from collections.abc import Callable
from itertools import cycle, pairwise
from typing import Any

import pytest

from bench.swarm import COMPILER, Load, Swarm, build
from tests.bench.fake_server import FakeServer, frame

CONNECTED = frame(b'{"type":"CONNECTED","payload":{"members":[]},"eventID":"evt_1","clientID":"client_1"}')


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if COMPILER is None:
        pytest.skip("no C compiler (cc) is installed")
    build("swarm")


async def drive(server: FakeServer, work: Callable[[Swarm], Any]) -> Any:
    """Run the generator's blocking side in a thread while the server runs in this loop."""

    def run() -> Any:
        with Swarm(server.port) as swarm:
            return work(swarm)

    return await asyncio.to_thread(run)


def listen_and_emit(listeners: int = 3, **emit: Any) -> Callable[[Swarm], Load]:
    def work(swarm: Swarm) -> Load:
        assert swarm.listen("/x/listen", listeners)["opened"] == listeners
        options: dict[str, Any] = {"body_bytes": 100, "seconds": 0.2, "warmup_s": 0.0, **emit}
        return swarm.emit("/x/emit", **options)

    return work


def cut_at(*places: int) -> Callable[[bytes], list[bytes]]:
    def script(body: bytes) -> list[bytes]:
        data = frame(body)
        return [data[start:end] for start, end in pairwise((0, *places, len(data)))]

    return script


@pytest.mark.parametrize(
    ("script", "per_event"),
    [
        pytest.param(lambda body: [frame(body)], 1, id="one frame a segment"),
        pytest.param(lambda body: [frame(body) * 7], 7, id="seven frames a segment"),
        pytest.param(lambda body: [CONNECTED + frame(body) + CONNECTED], 1, id="among other messages"),
        pytest.param(cut_at(1), 1, id="cut in the header"),
        pytest.param(cut_at(2, 9, 12, 60), 1, id="cut in the stamp"),
        pytest.param(
            lambda body: [frame(b'{"payload":' + body + b',"pad":"' + b"y" * 60_000 + b'"}')], 1, id="long"
        ),
        pytest.param(
            lambda body: [frame(b'{"payload":' + body + b"}" + b" " * 66_000)], 1, id="64-bit length"
        ),
        pytest.param(lambda body: [], 0, id="nothing"),
    ],
)
async def test_every_delivery_is_counted_once(script: Callable[[bytes], list[bytes]], per_event: int) -> None:
    async with FakeServer(script, hello=CONNECTED) as server:
        load = await drive(server, listen_and_emit(3, rate=100.0))

    assert load.result["refused"] == load.result["sender_errors"] == load.result["lost_listeners"] == 0
    assert load.result["total_answered"] == len(server.events) > 0
    assert load.result["total_deliveries"] == len(server.events) * 3 * per_event


async def test_paced_events_are_stamped_when_they_were_due() -> None:
    async with FakeServer() as server:
        load = await drive(server, listen_and_emit(1, rate=200.0, body_bytes=321))

    stamps = [json.loads(event)["ns"] for event in server.events]
    assert {after - before for before, after in pairwise(stamps)} == {5_000_000}
    assert len(stamps) == pytest.approx(40, abs=2)
    assert {len(event) for event in server.events} == {321}
    assert load.result["frame_bytes"] == 321


async def test_a_closed_loop_waits_for_every_listener() -> None:
    async with FakeServer(lambda body: []) as server:
        load = await drive(server, listen_and_emit(2, inflight=3, senders=8))

    assert len(server.events) == 3
    assert load.result["deliveries"] == 0


async def test_without_listeners_a_closed_loop_waits_for_the_answer() -> None:
    async with FakeServer(
        answer=b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
    ) as server:
        load = await drive(server, lambda swarm: swarm.emit("/x/emit", body_bytes=50, seconds=0.1, senders=2))

    assert load.result["refused"] == len(server.events) > 2
    assert load.result["total_answered"] == 0
    assert load.answer_ms("p50") is not None
    assert load.latency_ms("p50") is None


async def test_pings_of_the_protocol_and_of_the_wire_are_answered() -> None:
    hello = frame(b'{"type":"PING","payload":{},"eventID":"evt_1"}') + frame(b"are you there", opcode=9)
    async with FakeServer(hello=hello) as server:

        def work(swarm: Swarm) -> None:
            swarm.listen("/x/listen", 1)
            # Answered while the generator waits for its next command.
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(server.got_frame.wait(), 5), loop).result()

        loop = asyncio.get_running_loop()
        await drive(server, work)

    assert b'{"type":"PONG"}' in server.received
    assert b"are you there" in server.received


async def test_a_stalled_listener_gets_nothing_and_its_end_is_noticed() -> None:
    async with FakeServer() as server:

        def work(swarm: Swarm) -> tuple[Load, dict[str, Any]]:
            swarm.listen("/x/listen", 3)
            swarm.stall(1)
            load = swarm.emit("/x/emit", body_bytes=100, seconds=0.1, warmup_s=0, rate=100.0)
            loop.call_soon_threadsafe(server.abort_listeners)
            return load, swarm.drain()

        loop = asyncio.get_running_loop()
        load, fate = await drive(server, work)

    assert load.result["listeners"] == 2
    assert load.result["total_deliveries"] == len(server.events) * 2
    assert fate["kept"] == 0
    assert fate["closed"] == fate["stalled"] == 1


async def test_headers_and_what_is_wanted_around_the_event_are_sent() -> None:
    async with FakeServer() as server:

        def work(swarm: Swarm) -> Load:
            swarm.header("Authorization", "Bearer abc")
            swarm.wrap('{"payload":', "}")
            return swarm.emit("/x/emit", body_bytes=70, seconds=0.05, warmup_s=0, senders=1)

        await drive(server, work)

    assert b"Authorization: Bearer abc\r\n" in server.heads[0]
    assert set(json.loads(server.events[0])["payload"]) == {"ns", "pad"}
    assert len(server.events[0]) == 70 + len('{"payload":}')


async def test_events_take_turns_with_what_is_around_them() -> None:
    async with FakeServer() as server:

        def work(swarm: Swarm) -> Load:
            for name in "abc":
                swarm.wrap(f'{{"to":"{name * 100}","data":', "}")
            return swarm.emit("/x/emit", body_bytes=50, seconds=0.05, warmup_s=0, senders=1, rate=200.0)

        await drive(server, work)

    turns = [json.loads(event)["to"][0] for event in server.events]
    assert len(turns) > 3
    assert turns == [name for name, _ in zip(cycle("abc"), turns, strict=False)]


async def test_events_within_a_text_are_found_there_again() -> None:
    def script(body: bytes) -> list[bytes]:
        return [frame(json.dumps({"op": 3, "message": json.loads(body)}).encode())]

    async with FakeServer(script) as server:

        def work(swarm: Swarm) -> Load:
            swarm.quote()
            swarm.wrap('{"type":0,"content":"', '"}')
            return listen_and_emit(2, rate=100.0)(swarm)

        load = await drive(server, work)

    content = json.loads(server.events[0])["content"]
    assert set(json.loads(content)) == {"ns", "pad"}
    assert len(json.dumps(content)) == 100 + len('""')
    assert load.result["total_deliveries"] == len(server.events) * 2 > 0
    assert load.latency_ms("p50") is not None


async def test_listeners_say_who_they_are_in_turn_and_answer_heartbeats() -> None:
    beat = frame(b'{"op":10,"time":1579276740336}')
    async with FakeServer(hello=frame(b'{"op":0}') + beat + frame(b'{"op":2,"user":"7"}')) as server:

        def work(swarm: Swarm) -> Load:
            for name in "ab":
                swarm.say(f'{{"op":1,"token":"{name}"}}', answer='"op":2')
            assert swarm.listen("/gateway/", 3)["opened"] == 3
            return swarm.measure("rest 0.5", during=lambda: loop.call_soon_threadsafe(server.tell, beat * 2))

        loop = asyncio.get_running_loop()
        load = await drive(server, work)

    assert (load.result["beats"], load.result["busiest"], load.result["listeners"]) == (6, 6, 3)
    assert [server.received.count(b'"token":"%s"' % name) for name in (b"a", b"b")] == [2, 1]
    assert server.received.count(b'{"op":11,"time":1579276740336}') >= 6


async def test_listeners_say_something_long_and_something_after_it() -> None:
    async with FakeServer(hello=frame(b'{"rid":1}') + frame(b'{"rid":2}')) as server:

        def work(swarm: Swarm) -> None:
            swarm.say("a" * 125, "b" * 126, "c" * 900, answer='"rid":2', then="and this")
            assert swarm.listen("/x/", 3)["opened"] == 3
            # What they said is there when this is told, and they are told nothing before.
            swarm.hear(0.1, during=lambda: None)

        await drive(server, work)

    # Clients mask what they say, with zeros here.
    then = b"\x81\x88\0\0\0\0and this"
    for head, said in (
        (b"\x81\xfd", b"a" * 125),
        (b"\x81\xfe\x00\x7e", b"b" * 126),
        (b"\x81\xfe\x03\x84", b"c" * 900),
    ):
        assert head + bytes(4) + said + then in server.received


async def test_what_somebody_else_sends_is_heard_to_its_end() -> None:
    async with FakeServer() as server:

        def emit() -> None:
            stamp = time.monotonic_ns()
            for delay_s in (0.0, 0.3):  # the second comes when the window is over
                data = frame(b'{"data":{"ns":%d}}' % stamp)
                loop.call_soon_threadsafe(loop.call_later, delay_s, server.tell, data)

        def work(swarm: Swarm) -> Load:
            swarm.listen("/x/listen", 2)
            return swarm.hear(0.2, during=emit)

        loop = asyncio.get_running_loop()
        load = await drive(server, work)

    assert load.result["sent"] == len(server.events) == 0
    assert (load.result["deliveries"], load.result["total_deliveries"]) == (2, 4)
    assert load.result["latency"]["count"] == 4


async def test_a_server_that_does_not_answer_is_an_error() -> None:
    async with FakeServer() as server:
        port = server.port
    with Swarm(port) as swarm, pytest.raises(RuntimeError, match="could not connect"):
        swarm.listen("/x/listen", 2)


async def test_percentiles_are_at_most_one_percent_high() -> None:
    delay_s = 0.02

    class Late(FakeServer):
        async def _fan_out(self, body: bytes) -> None:
            stamp = json.loads(body)["ns"] - round(delay_s * 1e9)
            await super()._fan_out(b'{"ns":%d}' % stamp)

    async with Late() as server:
        load = await drive(server, listen_and_emit(1, rate=100.0))

    # Stamps moved into the past fall before the window for its first two events.
    latency = load.result["latency"]
    assert latency["min_us"] >= delay_s * 1e6
    assert latency["min_us"] <= latency["p50_us"] <= latency["p99_us"] <= latency["max_us"]
    assert math.isclose(latency["p99_us"], latency["max_us"], rel_tol=0.01)

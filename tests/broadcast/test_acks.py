"""Acknowledgements between processes: who owes whom, and nothing owed for ever."""

import asyncio
from typing import Any

import pytest

from broadcast.rules import Everyone
from broadcast.services.acks import Acks
from broadcast.services.emitting import Deliveries, Emitted, emit
from realtime.presence import Member
from realtime.runtime import Runtime
from tests.broadcast.listeners import allow, listen


@pytest.fixture(autouse=True)
def open_channels(rt: Runtime) -> None:
    allow(rt)


async def say(*, require_ack: bool) -> Emitted:
    return await emit(channel="news", payload=b"1", target=Everyone(), require_ack=require_ack)


async def test_acks_travel_to_the_process_that_emitted(rt: Runtime, monkeypatch):
    sent: list[Any] = []
    monkeypatch.setattr(rt.bus, "send", lambda *what: sent.append(what))
    listener = await listen()
    sent.clear()
    message = {
        "head": b'{"clientID":"',
        "event_id": "evt_1",
        "seq": 0,
        "only": None,
        "expect": {rt.process_id: [listener.client_id, "client_gone"], "proc_third": ["client_third"]},
        "origin": "proc_other",
    }
    rt.part(Deliveries)._on_event("broadcast:news", message)
    listener.acknowledge("evt_1")
    assert sent == [
        ("process.proc_other", "broadcast.acks", {"event_id": "evt_1", "client_id": name, "acked": acked})
        for name, acked in (("client_gone", False), (listener.client_id, True))
    ]
    assert not rt.part(Acks)._owed


async def test_an_emit_waits_for_clients_of_other_processes(rt: Runtime, monkeypatch):
    async def members(room: str) -> list[Member]:
        return [Member(f"client_{n}", "proc_other", {"transport": "ws"}) for n in range(2)]

    sent: list[Any] = []
    monkeypatch.setattr(rt.presence, "members", members)
    monkeypatch.setattr(rt.bus, "send", lambda *what: sent.append(what))
    emitting_ = asyncio.ensure_future(say(require_ack=True))
    while not sent:
        await asyncio.sleep(0)
    ((_, _, message),) = sent
    assert message["expect"] == {"proc_other": ["client_0", "client_1"]}
    for n, acked in ((0, False), (1, True), (7, True)):
        report = {"event_id": message["event_id"], "client_id": f"client_{n}", "acked": acked}
        rt._deliver("", "broadcast.acks", report)
    emitted = await asyncio.wait_for(emitting_, 2)
    assert (emitted.acked, emitted.missing) == (["client_1"], ["client_0"])
    rt._deliver("", "broadcast.acks", {"event_id": message["event_id"], "client_id": "x", "acked": True})


async def test_what_is_owed_is_forgotten_after_the_timeout(rt: Runtime, settings):
    settings.BROADCAST_ACK_TIMEOUT_S = 0.01
    await listen()
    await say(require_ack=True)
    assert rt.part(Acks)._owed
    rt.wheel.advance(rt.loop.time())
    rt.wheel.advance(rt.loop.time() + 60)
    assert not rt.part(Acks)._owed


async def test_an_emitter_that_goes_away_is_forgotten(rt: Runtime):
    listener = await listen()
    emitting_ = asyncio.ensure_future(say(require_ack=True))
    while not listener.payloads:
        await asyncio.sleep(0)
    emitting_.cancel()
    await asyncio.wait([emitting_])
    assert not rt.part(Acks)._waits
    listener.acknowledge(listener.messages[-1]["eventID"])

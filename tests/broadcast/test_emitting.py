"""Emitting: to whom, what is kept, and who is waited for."""

import asyncio
import json
from typing import Any

import pytest

from broadcast.models import Event
from broadcast.rules import Everyone, NamedClients, RandomClients
from broadcast.services import emitting
from broadcast.services.emitting import Deliveries, Emitted, emit
from broadcast.services.policies import PolicyBook
from realtime.db import in_db_thread
from realtime.errors import Refused
from realtime.runtime import Runtime
from tests.broadcast.listeners import allow, listen


@pytest.fixture(autouse=True)
def open_channels(rt: Runtime) -> None:
    allow(rt)


async def say(payload: bytes = b'{"n":1}', target: Any = None, **options: Any) -> Emitted:
    return await emit(channel="news", payload=payload, target=target or Everyone(), **options)


async def test_everyone_gets_the_payload_as_it_is():
    listeners = [await listen() for _ in range(3)]
    emitted = await say(b'{"z":1,"a":[1.50,"\xc3\xa9"]}')
    assert emitted == Emitted(emitted.event_id, clients=3)
    for listener in listeners:
        data = listener.messages[-1]
        assert data["eventID"] == emitted.event_id
        assert data["requires_ack"] is False
        assert data["clientID"] == listener.client_id
        assert b'"payload":{"z":1,"a":[1.50,"\xc3\xa9"]},' in listener.out.got[-1]


async def test_nobody_there_is_no_error():
    assert (await say()).clients == 0
    emitted = await say(require_ack=True)
    assert (emitted.clients, emitted.acked, emitted.missing, emitted.timed_out) == (0, [], None, False)


@pytest.mark.parametrize("payload", [b"", b"{}", b"null"])
async def test_an_empty_payload_is_refused(payload):
    with pytest.raises(Refused) as refusal:
        await say(payload)
    assert (refusal.value.code, refusal.value.message) == ("NO_PAYLOAD", "No payload provided.")


@pytest.mark.parametrize("payload", [b"0", b"false", b'""', b"[]", b'{"a":{}}'])
async def test_other_values_are_payloads(payload):
    listener = await listen()
    await say(payload)
    assert listener.payloads == [json.loads(payload)]


async def test_random_clients_are_distinct_and_refused_if_too_few():
    listeners = [await listen() for _ in range(4)]
    emitted = await say(target=RandomClients(3))
    assert emitted.clients == 3
    assert sum(listener.payloads == [{"n": 1}] for listener in listeners) == 3
    with pytest.raises(Refused, match="Not enough clients to target"):
        await say(target=RandomClients(5))


async def test_named_clients_and_who_of_them_is_missing():
    one, two = await listen(), await listen()
    emitted = await say(target=NamedClients((one.client_id, "client_gone")))
    assert (emitted.clients, emitted.missing) == (1, ["client_gone"])
    assert (one.payloads, two.payloads) == ([{"n": 1}], [])
    with pytest.raises(Refused):
        await say(target=NamedClients(("client_gone",)))


async def test_ack_from_everyone():
    one, two = await listen(), await listen()
    emitting_ = asyncio.ensure_future(say(require_ack=True))
    while not two.payloads:
        await asyncio.sleep(0)
    event_id = one.messages[-1]["eventID"]
    assert one.messages[-1]["requires_ack"] is True
    assert one.asked_for_ack == two.asked_for_ack == 1
    two.acknowledge(event_id)
    two.acknowledge(event_id)
    one.acknowledge("evt_of_nobody")
    await asyncio.sleep(0)
    assert not emitting_.done()
    one.acknowledge(event_id)
    emitted = await asyncio.wait_for(emitting_, 5)
    assert emitted == Emitted(event_id, 2, acked=[two.client_id, one.client_id])
    one.acknowledge(event_id)  # too late, and ignored


async def test_who_leaves_while_waited_for_is_missing_at_once():
    one, two = await listen(), await listen()
    emitting_ = asyncio.ensure_future(say(require_ack=True))
    while not two.payloads:
        await asyncio.sleep(0)
    one.acknowledge(one.messages[-1]["eventID"])
    await two.leave()
    emitted = await asyncio.wait_for(emitting_, 2)
    assert (emitted.acked, emitted.missing, emitted.timed_out) == ([one.client_id], [two.client_id], True)


async def test_silence_is_a_timeout(settings):
    settings.BROADCAST_ACK_TIMEOUT_S = 0.02
    one, two = await listen(), await listen()
    target = NamedClients((one.client_id, two.client_id, "client_gone"))
    emitted = await say(target=target, require_ack=True)
    assert emitted.timed_out
    assert (emitted.acked, emitted.missing) == ([], ["client_gone", one.client_id, two.client_id])


async def test_a_stream_is_not_waited_for():
    await listen(transport="sse")
    emitted = await asyncio.wait_for(say(require_ack=True), 2)
    assert (emitted.clients, emitted.acked, emitted.timed_out) == (1, [], False)


async def test_a_member_whose_connection_just_ended_counts_as_missing(rt: Runtime):
    await rt.presence.join("broadcast:news", "client_ghost", {"presence": {}, "transport": "ws"}, limit=10)
    emitted = await asyncio.wait_for(say(require_ack=True), 2)
    assert emitted.missing == ["client_ghost"]


async def test_a_newcomer_can_acknowledge_what_it_gets_before_it_is_told_it_is_connected(rt, monkeypatch):
    """Presence knows it already, so the emitter expects it."""
    entered, go_on = asyncio.Event(), asyncio.Event()
    join = rt.presence.join

    async def slow(*arguments: Any, **options: Any) -> Any:
        joined = await join(*arguments, **options)
        entered.set()
        await go_on.wait()
        return joined

    monkeypatch.setattr(rt.presence, "join", slow)
    joining = asyncio.ensure_future(listen())
    await asyncio.wait_for(entered.wait(), 5)
    emitting_ = asyncio.ensure_future(say(require_ack=True))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not emitting_.done()
    go_on.set()
    listener = await joining
    listener.acknowledge(listener.messages[-1]["eventID"])
    assert (await asyncio.wait_for(emitting_, 2)).acked == [listener.client_id]


async def test_an_event_id_that_is_waited_for_is_not_given_twice(monkeypatch):
    ids = iter(["evt_same", "evt_same", "evt_other"])
    listener = await listen()
    monkeypatch.setattr(emitting, "new_event_id", lambda length=8: next(ids))
    both = [asyncio.ensure_future(say(require_ack=True)) for _ in range(2)]
    while len(listener.payloads) < 2:
        await asyncio.sleep(0)
    for message in listener.messages[-2:]:
        listener.acknowledge(message["eventID"])
    assert [(await asyncio.wait_for(task, 2)).event_id for task in both] == ["evt_same", "evt_other"]


@pytest.mark.django_db(transaction=True)
class TestKept:
    async def test_kept_before_it_is_delivered(self, rt: Runtime, monkeypatch):
        allow(rt, history_size=10)
        rows_at_delivery: list[int] = []
        offer = Deliveries.send

        def counting(self: Deliveries, *arguments: Any, **options: Any) -> None:
            rows_at_delivery.append(options["seq"])
            offer(self, *arguments, **options)

        monkeypatch.setattr(Deliveries, "send", counting)
        listener = await listen()
        emitted = await say()
        (row,) = await in_db_thread(lambda: list(Event.objects.all()))
        assert (row.event_id, row.seq, row.payload) == (emitted.event_id, 1, '{"n":1}')
        assert rows_at_delivery == [1]
        assert listener.messages[-1]["eventID"] == emitted.event_id

    async def test_what_cannot_be_kept_is_not_delivered(self, rt: Runtime, monkeypatch):
        allow(rt, history_size=10)
        listener = await listen()

        def broken(rows: Any) -> Any:
            raise ConnectionError("database away")

        monkeypatch.setattr(rt.part(Deliveries).writer, "_commit", broken)
        with pytest.raises(ConnectionError):
            await say()
        assert listener.payloads == []

    async def test_what_is_for_a_few_is_not_kept_but_for_its_place(self, rt: Runtime):
        allow(rt, history_size=10)
        listener = await listen()
        await say(target=RandomClients(1))
        last_seen = await say(target=NamedClients((listener.client_id,)))
        assert len(listener.payloads) == 2
        assert await in_db_thread(lambda: set(Event.objects.values_list("payload", flat=True))) == {""}
        assert (await listen(since="evt_before")).payloads == []
        # Whoever saw it last has missed nothing, and gets what came after.
        assert (await listen(since=last_seen.event_id)).types == ["CONNECTED"]
        await say()
        assert (await listen(since=last_seen.event_id)).types == ["CONNECTED", "DATA"]

    async def test_kept_and_acknowledged(self, rt: Runtime):
        allow(rt, history_size=10)
        listener = await listen()
        emitting_ = asyncio.ensure_future(say(require_ack=True))
        async with asyncio.timeout(5):
            while not listener.payloads:
                await asyncio.sleep(0.001)
        listener.acknowledge(listener.messages[-1]["eventID"])
        assert (await asyncio.wait_for(emitting_, 5)).acked == [listener.client_id]

    async def test_many_at_once_arrive_in_the_order_of_their_numbers(self, rt: Runtime):
        allow(rt, history_size=1000)
        listener = await listen()
        emitted = await asyncio.gather(*[say(b"%d" % n) for n in range(50)])
        rows = await in_db_thread(lambda: list(Event.objects.order_by("seq")))
        assert [message["eventID"] for message in listener.messages[1:]] == [row.event_id for row in rows]
        assert {one.event_id for one in emitted} == {row.event_id for row in rows}

    async def test_old_events_are_forgotten(self, rt: Runtime):
        allow(rt, history_size=10)
        await say()
        rt.part(PolicyBook)._policies = {}
        await rt.part(Deliveries)._forget()
        assert await in_db_thread(Event.objects.count) == 0

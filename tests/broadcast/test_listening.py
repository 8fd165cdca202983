"""Listening: what a newcomer is told, what the others are told, and replays without hole or repeat."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from broadcast import selectors
from broadcast.models import Event
from broadcast.rules import Everyone
from broadcast.services import feeds as feeds_module
from broadcast.services import listening
from broadcast.services.emitting import Deliveries, emit
from broadcast.services.feeds import Feeds
from broadcast.services.history import NewEvent, commit_events
from broadcast.services.listening import Listeners, kick, list_channels, list_members
from broadcast.services.rosters import Change, Rosters
from realtime import runtime
from realtime.apikeys import create_api_key
from realtime.db import in_db_thread
from realtime.errors import InternalError
from realtime.presence import Member
from realtime.runtime import Runtime
from tests.broadcast.listeners import TestListener, allow, listen


@pytest.fixture(autouse=True)
def open_channels(rt: Runtime) -> None:
    allow(rt)


async def say(payload: Any, channel: str = "news") -> str:
    emitted = await emit(channel=channel, payload=json.dumps(payload).encode(), target=Everyone())
    return emitted.event_id


# --- coming and going -------------------------------------------------------------------------------


async def test_connected_comes_first_with_the_others_only():
    first = await listen(presence={"name": "A"})
    second = await listen(presence={"name": "B"})
    assert first.messages[0]["payload"] == {"members": []}
    connected = second.messages[0]
    assert connected["type"] == "CONNECTED"
    assert connected["payload"] == {"members": [{"clientID": first.client_id, "presence": {"name": "A"}}]}
    assert connected["clientID"] == second.client_id
    assert connected["latency"] == 0
    assert connected["eventID"].startswith("evt_")


async def test_the_others_hear_who_comes_changes_and_goes():
    first = await listen()
    second = await listen(presence={"n": 1})
    await second.show({"n": 2})
    assert second.types == ["CONNECTED", "PRESENCE:UPDATED"]
    await second.leave()
    told = [(message["type"], message["payload"], message["clientID"]) for message in first.messages[1:]]
    name = second.client_id
    assert told == [
        ("PRESENCE:JOINED", {"clientID": name, "presence": {"n": 1}}, first.client_id),
        ("PRESENCE:UPDATED", {"clientID": name, "presence": {"n": 2}}, first.client_id),
        ("PRESENCE:LEFT", {"clientID": name}, first.client_id),
    ]


async def test_channels_are_apart():
    one, other = await listen("one"), await listen("other")
    await say({"n": 1}, "one")
    assert (one.payloads, other.payloads) == ([{"n": 1}], [])
    assert other.types == ["CONNECTED"]


async def test_leaving_leaves_nothing(rt: Runtime):
    listener = await listen()
    await listener.leave()
    await listener.leave()
    assert rt.hub.groups == {}
    assert rt.part(Listeners)._by_channel == {}
    assert await list_members(channel="news") == []
    assert await list_channels() == {}


async def test_members_and_channels_are_listed():
    one = await listen("one", presence={"n": 1})
    await listen("one", transport="sse")
    await listen("two")
    members = await list_members(channel="one")
    assert members[0] == Member(
        one.client_id, runtime.current().process_id, {"presence": {"n": 1}, "transport": "ws"}
    )
    assert await list_channels() == {"one": 2, "two": 1}


async def test_a_crowd_is_counted_and_not_announced(settings):
    settings.BROADCAST_PRESENCE_LIMIT = 2
    first, second = await listen(), await listen()
    third = await listen()
    assert third.messages[0]["payload"] == {"members": [], "count": 3}
    await third.show({"n": 1})
    assert third.types == ["CONNECTED", "PRESENCE:UPDATED"]
    await third.leave()
    assert first.types == ["CONNECTED", "PRESENCE:JOINED"]
    await second.leave()
    assert first.types[-1] == "PRESENCE:LEFT"


async def test_who_left_while_changing_is_not_heard_of_again(rt: Runtime, monkeypatch):
    other, leaver = await listen(), await listen()
    counting, go_on = asyncio.Event(), asyncio.Event()
    count = rt.presence.count

    async def slow(room: str) -> int:
        counting.set()
        await go_on.wait()
        return await count(room)

    monkeypatch.setattr(rt.presence, "count", slow)
    showing = asyncio.ensure_future(leaver.show({"n": 1}))
    await asyncio.wait_for(counting.wait(), 5)
    await leaver.leave()
    go_on.set()
    await asyncio.wait_for(showing, 5)
    assert other.types[-1] == "PRESENCE:LEFT"


async def test_a_member_lost_with_its_process_is_announced(rt: Runtime):
    listener = await listen()
    rt.part(Rosters).announce("news", Change("joined", "client_lost"))
    rt.part(Listeners)._on_lost("broadcast:news", Member("client_lost", "proc_lost"))
    rt.part(Listeners)._on_lost("other:news", Member("client_foreign", "proc_lost"))
    assert [message["payload"] for message in listener.messages[2:]] == [{"clientID": "client_lost"}]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_an_id_that_is_taken_is_replaced_by_a_longer_one(rt: Runtime, where, monkeypatch):
    if where == "here":
        first = await listen(client_id="client_taken")
    else:
        await rt.presence.join("broadcast:news", "client_taken", {}, limit=10)
    ids = iter(["client_taken", "client_new"])
    monkeypatch.setattr(listening, "new_client_id", lambda length: next(ids))
    second = await listen(client_id="client_taken")
    assert second.client_id == "client_new"
    assert second.messages[0]["clientID"] == "client_new"
    await say({"n": 1})
    assert second.payloads == [{"n": 1}]
    if where == "here":
        assert first.payloads == [{"n": 1}]


async def test_two_who_come_with_one_id_at_once_both_listen(rt: Runtime, monkeypatch):
    go_on = asyncio.Event()

    async def slow(group: str) -> None:
        await go_on.wait()

    monkeypatch.setattr(rt.bus, "subscribed", slow)
    pair = [TestListener("news", client_id="client_same") for _ in range(2)]
    joining = [asyncio.ensure_future(listener.join(None)) for listener in pair]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(asyncio.gather(*joining), 5)
    assert pair[0].client_id != pair[1].client_id
    await say({"n": 1})
    assert [listener.payloads for listener in pair] == [[{"n": 1}]] * 2


async def test_without_a_free_id_nobody_is_let_in(rt: Runtime, monkeypatch):
    await listen(client_id="client_taken")
    monkeypatch.setattr(listening, "new_client_id", lambda length: "client_taken")
    listener = TestListener("news", client_id="client_taken")
    with pytest.raises(InternalError):
        await listener.join(None)
    await listener.leave()
    assert len(rt.hub.groups["broadcast:news"].members) == 1
    assert len(rt.part(Listeners).on_channel("news")) == 1


# --- the presence proof -----------------------------------------------------------------------------


def apply(state: dict[str, Any], message: dict[str, Any]) -> None:
    """What a client does with CONNECTED and the PRESENCE messages."""
    payload = message["payload"]
    match message["type"]:
        case "CONNECTED":
            state.update({member["clientID"]: member["presence"] for member in payload["members"]})
        case "PRESENCE:JOINED" | "PRESENCE:UPDATED":
            state[payload["clientID"]] = payload["presence"]
        case "PRESENCE:LEFT":
            state.pop(payload["clientID"], None)


@given(
    actions=st.lists(
        st.tuples(st.sampled_from(["join", "leave", "show"]), st.integers(0, 5), st.integers(0, 3)),
        max_size=25,
    )
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_old_state_and_events_equal_the_state_of_a_newcomer(actions):
    """Everyone's list, kept by events, is what a fresh connection is told, with all of it at once."""

    async def scenario() -> None:
        rt = runtime.current()
        allow(rt)
        try:
            slots: dict[int, TestListener] = {}

            async def act(action: str, slot: int, number: int) -> None:
                listener = slots.get(slot)
                if action == "join" and listener is None:
                    slots[slot] = await listen(presence={"n": number})
                elif action == "leave" and listener is not None:
                    del slots[slot]
                    await listener.leave()
                elif action == "show" and listener is not None:
                    await listener.show({"n": number + 10})

            for index in range(0, len(actions), 3):
                # Three at a time, of three clients, so that they meet in the middle of one another.
                together = {
                    slot: (action, slot, number) for action, slot, number in actions[index : index + 3]
                }
                await asyncio.gather(*[act(*arguments) for arguments in together.values()])
            fresh = await listen()
            for listener in slots.values():
                kept: dict[str, Any] = {}
                for message in listener.messages:
                    apply(kept, message)
                told: dict[str, Any] = {}
                apply(told, fresh.messages[0])
                told[fresh.client_id] = {}
                # Nobody is announced to itself, until it changes what it shows.
                assert {**kept, listener.client_id: None} == {**told, listener.client_id: None}
        finally:
            await rt.stop()

    asyncio.run(scenario())


# --- closing ----------------------------------------------------------------------------------------


async def test_kick_closes_one_listener(rt: Runtime):
    one, other = await listen(), await listen()
    await asyncio.to_thread(kick, channel="news", client_id=one.client_id)
    await asyncio.to_thread(kick, channel="news", client_id="client_unknown")
    await asyncio.sleep(0)
    assert (one.out.closes, other.out.closes) == ([4403], [])


@pytest.mark.parametrize(("listen_policy", "code"), [("key", 4401), ("closed", 4403)])
async def test_a_policy_that_no_longer_lets_in_closes(rt: Runtime, listen_policy, code):
    listener = await listen()
    allow(rt, listen=listen_policy)
    rt.handle(runtime.EVERY_PROCESS, "apikeys.changed", {})
    while not listener.out.closes:
        await asyncio.sleep(0)
    assert listener.out.closes == [code]
    await listener.leave()


@pytest.mark.django_db(transaction=True)
async def test_a_revoked_key_closes_its_listeners(rt: Runtime):
    allow(rt, listen="key")
    row, key = await in_db_thread(create_api_key, name="k", scopes=["broadcast:listen:news"])
    listener = await listen(key=key)
    await rt.part(Listeners)._recheck()
    assert listener.out.closes == []
    row.revoked = True
    await in_db_thread(row.save)
    async with asyncio.timeout(5):
        while not listener.out.closes:
            await asyncio.sleep(0.001)
    assert listener.out.closes == [4401]


# --- history ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestReplay:
    async def test_what_was_missed_comes_after_connected_and_before_what_is_live(self, rt: Runtime):
        allow(rt, history_size=100)
        ids = [await say({"n": n}) for n in range(5)]
        listener = await listen(since=ids[1])
        await say({"n": 5})
        assert listener.types == ["CONNECTED", *["DATA"] * 4]
        assert listener.payloads == [{"n": n} for n in (2, 3, 4, 5)]
        assert [message["eventID"] for message in listener.messages[1:4]] == ids[2:]

    async def test_nothing_missed_is_no_gap(self, rt: Runtime):
        allow(rt, history_size=100)
        last = [await say({"n": n}) for n in range(2)][-1]
        assert (await listen(since=last)).types == ["CONNECTED"]

    @pytest.mark.parametrize("since", ["evt_unknown", "nonsense", "\0", "evt_" + "x" * 100])
    async def test_an_unknown_place_is_a_gap_and_brings_all_there_is(self, rt: Runtime, since):
        allow(rt, history_size=2)
        for n in range(3):
            await say({"n": n})
        listener = await listen(since=since)
        assert listener.types == ["CONNECTED", "ERROR", "DATA", "DATA"]
        assert listener.messages[1]["payload"]["code"] == "HISTORY_GAP"
        assert listener.payloads == [{"n": 1}, {"n": 2}]

    async def test_a_place_too_far_back_is_a_gap(self, rt: Runtime):
        allow(rt, history_size=2)
        ids = [await say({"n": n}) for n in range(4)]
        assert (await listen(since=ids[0])).types == ["CONNECTED", "ERROR", "DATA", "DATA"]
        assert (await listen(since=ids[1])).types == ["CONNECTED", "DATA", "DATA"]

    async def test_what_is_too_old_is_a_gap(self, rt: Runtime):
        allow(rt, history_size=100, history_age_s=60)
        ids = [await say({"n": n}) for n in range(3)]
        old = timezone.now() - timedelta(seconds=120)
        await in_db_thread(lambda: Event.objects.filter(event_id__in=ids[:2]).update(created_at=old))
        assert (await listen(since=ids[0])).types == ["CONNECTED", "ERROR", "DATA"]
        assert (await listen(since=ids[1])).types == ["CONNECTED", "DATA"]

    async def test_without_history_there_is_only_a_gap(self, rt: Runtime):
        assert (await listen(since="evt_12345678")).types == ["CONNECTED", "ERROR"]

    async def test_a_client_ahead_of_this_process_gets_nothing_twice(self, rt: Runtime):
        allow(rt, history_size=100)
        early = await listen()
        # Committed and delivered in another process, whose message has not come here yet.
        numbered = await in_db_thread(commit_events, [NewEvent("news", b"%d" % n) for n in range(3)])
        listener = await listen(since=numbered[1].event_id)
        await rt.part(Feeds).check()
        await say(3)
        assert listener.payloads == [2, 3]
        assert early.payloads == [0, 1, 2, 3]

    async def test_replays_while_events_are_emitted_have_no_hole_and_no_repeat(self, rt: Runtime):
        allow(rt, history_size=1_000)
        first = await say(0)
        # Each with the number of the event that it said it had.
        visits: list[tuple[int, TestListener]] = []

        async def emitter() -> None:
            for n in range(1, 60):
                await say(n)

        async def visitor() -> None:
            since, number = first, 0
            for _ in range(6):
                listener = await listen(since=since)
                visits.append((number, listener))
                for message in listener.messages:
                    if message["type"] == "DATA":
                        since, number = message["eventID"], message["payload"]

        await asyncio.gather(emitter(), *[visitor() for _ in range(4)])
        for number, listener in visits:
            assert listener.payloads == list(range(number + 1, 60))
            assert "ERROR" not in listener.types

    async def test_leaving_closes_the_feed(self, rt: Runtime):
        allow(rt, history_size=10)
        one, two = await listen(), await listen(since="evt_12345678")
        await one.leave()
        assert set(rt.part(Feeds)._feeds) == {"news"}
        await two.leave()
        assert rt.part(Feeds)._feeds == {}

    async def test_a_replay_that_fails_leaves_nothing(self, rt: Runtime, monkeypatch):
        allow(rt, history_size=10)

        def broken(*arguments: Any, **options: Any) -> Any:
            raise ConnectionError("database away")

        monkeypatch.setattr(selectors, "get_replay", broken)
        listener = TestListener("news")
        with pytest.raises(ConnectionError):
            await listener.join("evt_12345678")
        await listener.leave()
        assert rt.hub.groups == {}
        assert rt.part(Feeds)._feeds == {}
        assert await list_members(channel="news") == []


def test_parts_are_made_with_the_runtime():
    async def scenario() -> None:
        rt = runtime.current()
        assert Deliveries in rt._parts
        assert feeds_module.Feeds in rt._parts
        await rt.stop()

    asyncio.run(scenario())


@pytest.mark.django_db(transaction=True)
async def test_the_first_listener_misses_nothing_while_the_bus_is_not_heard_yet(rt: Runtime, monkeypatch):
    allow(rt, history_size=10)

    async def subscribed(group: str) -> None:
        await in_db_thread(commit_events, [NewEvent("news", b"1")])  # elsewhere: its hint is not heard

    monkeypatch.setattr(rt.bus, "subscribed", subscribed)
    listener = await listen()
    async with asyncio.timeout(3):  # well before the periodic check
        while listener.payloads != [1]:
            await asyncio.sleep(0.01)

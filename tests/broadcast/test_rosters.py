"""Who is there, as listeners were told it: kept right by events, and put right after they were lost."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.events import group_of
from broadcast.services import rosters as rosters_module
from broadcast.services.rosters import CHECK, PRESENCE, Change, Rosters
from realtime import runtime
from realtime.runtime import Runtime
from tests.broadcast.listeners import TestListener, allow, listen

GROUP = group_of("news")


def told(listener: TestListener) -> dict[str, Any]:
    """What a client knows after applying everything it was told, in order, about the others."""
    state: dict[str, Any] = {}
    for message in listener.messages:
        payload = message["payload"]
        match message["type"]:
            case "CONNECTED":
                state = {member["clientID"]: member["presence"] for member in payload["members"]}
            case "PRESENCE:JOINED" | "PRESENCE:UPDATED":
                state[payload["clientID"]] = payload["presence"]
            case "PRESENCE:LEFT":
                state.pop(payload["clientID"], None)
    state.pop(listener.client_id, None)
    return state


class Remote:
    """Listeners of another process: they are in the presence, and their announcements may get lost."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt

    def announce(self, kind: Any, client_id: str, presence: dict[str, Any]) -> None:
        message = {"kind": kind, "client_id": client_id, "presence": presence, "event_id": "evt_1"}
        self.rt.part(Rosters)._on_presence(GROUP, message)

    async def join(self, client_id: str, presence: dict[str, Any], *, lost: bool = False) -> None:
        await self.rt.presence.join(GROUP, client_id, {"presence": presence}, limit=1000)
        if not lost:
            self.announce("joined", client_id, presence)

    async def update(self, client_id: str, presence: dict[str, Any], *, lost: bool = False) -> None:
        await self.rt.presence.update(GROUP, client_id, {"presence": presence})
        if not lost:
            self.announce("updated", client_id, presence)

    async def leave(self, client_id: str, *, lost: bool = False) -> None:
        await self.rt.presence.leave(GROUP, client_id)
        if not lost:
            self.announce("left", client_id, {})


@pytest.fixture
def remote(rt: Runtime) -> Remote:
    allow(rt)
    return Remote(rt)


async def test_what_was_told_is_not_told_again(remote: Remote):
    listener = await listen()
    await remote.join("client_x", {"n": 1})
    remote.announce("joined", "client_x", {"n": 1})
    await remote.leave("client_x")
    remote.announce("left", "client_x", {})
    assert listener.types == ["CONNECTED", "PRESENCE:JOINED", "PRESENCE:LEFT"]


async def test_an_update_is_told_each_time_and_to_the_client_itself(remote: Remote):
    listener = await listen()
    for _ in range(2):
        await listener.show({"n": 1})
    assert listener.types == ["CONNECTED", "PRESENCE:UPDATED", "PRESENCE:UPDATED"]


async def test_a_check_tells_what_was_lost(rt: Runtime, remote: Remote):
    await remote.join("client_stays", {})
    await remote.join("client_changes", {"n": 1})
    await remote.join("client_goes", {})
    listener = await listen()
    await remote.update("client_changes", {"n": 2}, lost=True)
    await remote.leave("client_goes", lost=True)
    await remote.join("client_comes", {"n": 3}, lost=True)
    assert listener.types == ["CONNECTED"]
    await rt.part(Rosters).check()
    assert told(listener) == {"client_stays": {}, "client_changes": {"n": 2}, "client_comes": {"n": 3}}
    assert sorted(listener.types[1:]) == ["PRESENCE:JOINED", "PRESENCE:LEFT", "PRESENCE:UPDATED"]
    await rt.part(Rosters).check()
    assert len(listener.types) == 4


async def test_what_a_newcomer_learns_is_news_for_the_older_ones(remote: Remote):
    older = await listen()
    await remote.join("client_x", {}, lost=True)
    newcomer = await listen()
    assert told(older) == {"client_x": {}, newcomer.client_id: {}}
    assert newcomer.types == ["CONNECTED"]


async def test_what_happens_while_members_are_read_is_not_undone(rt: Runtime, remote: Remote, monkeypatch):
    await remote.join("client_goes", {})
    listener = await listen()
    read, members = asyncio.Event(), rt.presence.members

    async def slow(room: str) -> Any:
        found = await members(room)
        await read.wait()
        return found

    monkeypatch.setattr(rt.presence, "members", slow)
    checking = asyncio.ensure_future(rt.part(Rosters).check())
    while not rt.part(Rosters)._rosters["news"].reads:
        await asyncio.sleep(0)
    await remote.leave("client_goes")
    await remote.join("client_comes", {})
    read.set()
    await asyncio.wait_for(checking, 5)
    assert told(listener) == {"client_comes": {}}
    assert listener.types == ["CONNECTED", "PRESENCE:LEFT", "PRESENCE:JOINED"]


async def test_a_read_that_may_know_this_process_only_changes_nothing(rt: Runtime, remote: Remote):
    await remote.join("client_far", {})
    listener = await listen()
    await remote.leave("client_far", lost=True)
    rt.bus.state = "down"
    await rt.part(Rosters).check()
    await listen()
    assert told(listener).keys() >= {"client_far"}


async def test_a_crowd_is_not_compared(rt: Runtime, remote: Remote, settings):
    settings.BROADCAST_PRESENCE_LIMIT = 2
    listener = await listen()
    for number in range(4):
        await remote.join(f"client_{number}", {}, lost=True)
    await rt.part(Rosters).check()
    assert listener.types == ["CONNECTED"]


async def test_nothing_is_remembered_of_a_channel_without_listeners(rt: Runtime, remote: Remote):
    listener = await listen()
    await remote.join("client_x", {})
    await listener.leave()
    await remote.leave("client_x", lost=True)
    assert rt.part(Rosters)._rosters == {}
    assert told(await listen()) == {}


@pytest.mark.parametrize("trigger", ["resync", "returned"])
async def test_an_outage_is_followed_by_one_check(rt: Runtime, remote: Remote, monkeypatch, trigger):
    monkeypatch.setattr(rosters_module, "CHECK_DELAY_S", 0.1)
    listener = await listen()
    await remote.join("client_x", {}, lost=True)
    for _ in range(3):
        if trigger == "resync":
            rt.part(Rosters)._check_soon()
        else:
            rt.handle(runtime.EVERY_PROCESS, CHECK, {})
    async with asyncio.timeout(5):
        while told(listener) != {"client_x": {}}:
            await asyncio.sleep(0.01)
    assert listener.types == ["CONNECTED", "PRESENCE:JOINED"]


async def test_announcements_carry_one_id_to_every_process(rt: Runtime, remote: Remote, monkeypatch):
    sent: list[Any] = []
    monkeypatch.setattr(rt.bus, "send", lambda group, kind, message: sent.append((kind, message)))
    older = await listen()
    rt.part(Rosters).announce("news", Change("joined", "client_x", {"n": 1}))
    kind, message = sent[-1]
    assert kind == PRESENCE
    assert older.messages[-1]["eventID"] == message["event_id"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "update", "leave", "check", "listen", "stop listening"]),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=100, deadline=None)
def test_after_a_check_every_listener_knows_who_is_there(steps):
    """The proof for presence: what a client was told, applied in order, is what is."""

    async def scenario() -> None:
        rt = runtime.current()
        allow(rt)
        remote = Remote(rt)
        there: dict[str, Any] = {}
        listeners: list[TestListener] = [await listen()]
        serial = 0
        try:
            for action, number, lost in steps:
                client_id = sorted(there)[number % len(there)] if there else ""
                serial += 1
                if action == "join":
                    await remote.join(f"client_{serial}", {"n": number}, lost=lost)
                    there[f"client_{serial}"] = {"n": number}
                elif action == "update" and client_id:
                    there[client_id] = {"n": serial}
                    await remote.update(client_id, {"n": serial}, lost=lost)
                elif action == "leave" and client_id:
                    del there[client_id]
                    await remote.leave(client_id, lost=lost)
                elif action == "check":
                    await rt.part(Rosters).check()
                elif action == "listen":
                    listeners.append(await listen())
                elif action == "stop listening" and len(listeners) > 1:
                    await listeners.pop(number % len(listeners)).leave()
            await rt.part(Rosters).check()
            everyone = {**there, **{listener.client_id: {} for listener in listeners}}
            for listener in listeners:
                others = {key: value for key, value in everyone.items() if key != listener.client_id}
                assert told(listener) == others
        finally:
            await rt.stop()

    asyncio.run(scenario())

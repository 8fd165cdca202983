"""Groups and fan-out: order, the window, joining in the middle, and everything against a plain model."""

import asyncio
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from realtime import outlet as outlet_module
from realtime.hub import WINDOW_S, Group, Hub, Window
from realtime.outlet import Batch
from tests.realtime.fakes import FakeBus, FakeLoop, FakeOutlet


def make_group() -> tuple[Any, Group]:
    loop: Any = FakeLoop()
    return loop, Group("app:room", Window(loop))


def test_a_quiet_group_sends_at_once_and_a_busy_one_once_a_window():
    loop, group = make_group()
    member = FakeOutlet("a")
    group.add(member)
    group.send(b"1")
    assert member.got == [b"1"]
    group.send(b"2")
    group.send(b"3")
    assert member.got == [b"1"]
    loop.advance(WINDOW_S * 2)
    assert member.got == [b"1", b"2", b"3"]
    assert member.batches == [1, 2]
    loop.advance(1)
    group.send(b"4")
    assert member.got[-1] == b"4"


def test_the_window_begins_when_the_fan_out_is_over():
    """Else one that takes longer than a window would be followed by the next at once, for ever."""
    loop, group = make_group()

    class Slow(FakeOutlet):
        def _write(self, batch: Batch) -> None:
            super()._write(batch)
            loop.now_s += 0.5

    group.add(Slow("a"))
    group.send(b"1")
    group.send(b"2")
    ((when_s, _),) = loop.calls
    assert when_s >= loop.now_s + WINDOW_S


def test_who_joins_in_a_window_gets_only_what_comes_after():
    loop, group = make_group()
    early, late = FakeOutlet("early"), FakeOutlet("late")
    group.add(early)
    for head in (b"0", b"1", b"2"):
        group.send(head)
    group.add(late)
    group.send(b"3")
    loop.advance(1)
    assert early.got == [b"0", b"1", b"2", b"3"]
    assert late.got == [b"3"]


def test_a_direct_message_comes_after_what_waits_for_the_group():
    loop, group = make_group()
    member, other = FakeOutlet("a"), FakeOutlet("b")
    group.add(member)
    group.add(other)
    group.send(b"0")
    group.send(b"1")
    member.send(b"direct")
    group.send(b"2")
    assert member.got == [b"0", b"1", b"direct"]
    loop.advance(1)
    assert member.got == [b"0", b"1", b"direct", b"2"]
    assert other.got == [b"0", b"1", b"2"]


def test_a_new_tail_does_not_change_what_waits():
    loop, group = make_group()
    member = FakeOutlet("a")
    member.tail = b"/old"
    group.add(member)
    group.send(b"0")
    group.send(b"1")
    member.set_tail(b"/new")
    group.send(b"2")
    loop.advance(1)
    assert member.got == [b"0/old", b"1/old", b"2/new"]


def test_the_excluded_miss_that_message_only():
    loop, group = make_group()
    member, other = FakeOutlet("a"), FakeOutlet("b")
    group.add(member)
    group.add(other)
    for head, excluded in ((b"0", ()), (b"1", ()), (b"2", ("a", "nobody")), (b"3", ())):
        group.send(head, excluded)
    loop.advance(1)
    group.send(b"4", ("b",))
    loop.advance(1)
    assert member.got == [b"0", b"1", b"3", b"4"]
    assert other.got == [b"0", b"1", b"2", b"3"]


def test_an_overflow_in_the_middle_of_a_fan_out_spares_the_others(monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 0)

    async def scenario() -> None:
        _, group = make_group()
        members = [FakeOutlet(str(n), readable=n != 1) for n in range(4)]
        for member in members:
            group.add(member)
        group.send(b"1")
        await asyncio.sleep(0)
        assert [member.got for member in members] == [[b"1"], [], [b"1"], [b"1"]]
        assert members[1].overflows == 1

    asyncio.run(scenario())


def test_messages_out_are_counted_once_for_each_client():
    def counted() -> float:
        return REGISTRY.get_sample_value("foyer_messages_out_total", {"app": "counting"}) or 0.0

    loop: Any = FakeLoop()
    group = Group("counting:room", Window(loop))
    before = counted()
    for name in "abc":
        group.add(FakeOutlet(name))
    group.send(b"1")
    group.send_to(b"2", ["a", "b", "nobody"])
    assert counted() - before == 5


# --- against a model -----------------------------------------------------------------------------------

NAMES = "abcd"
operations = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(NAMES)),
        st.tuples(st.just("leave"), st.sampled_from(NAMES)),
        st.tuples(st.just("send"), st.frozensets(st.sampled_from(NAMES), max_size=2)),
        st.tuples(st.just("send_to"), st.frozensets(st.sampled_from(NAMES), max_size=3)),
        st.tuples(st.just("direct"), st.sampled_from(NAMES)),
        st.tuples(st.just("stall"), st.sampled_from(NAMES)),
        st.tuples(st.just("read"), st.sampled_from(NAMES)),
        st.tuples(st.just("flush"), st.none()),
        st.tuples(st.just("advance"), st.sampled_from([0.001, 0.004, 0.1])),
    ),
    max_size=60,
)


@given(operations=operations)
@settings(max_examples=300)
def test_every_member_gets_exactly_what_was_sent_while_it_was_one(operations):
    loop, group = make_group()
    outlets = {name: FakeOutlet(name) for name in NAMES}
    model: dict[str, list[bytes]] = {name: [] for name in NAMES}
    # Whoever leaves gets no more of what waited; a model without a window knows no waiting, so for
    # those who left only the order and the absence of anything foreign are compared.
    left: set[str] = set()
    for number, (action, argument) in enumerate(operations):
        head = b"%d" % number
        match action:
            case "join" if argument not in group.members and argument not in left:
                group.add(outlets[argument])
            case "leave" if argument in group.members:
                group.discard(outlets[argument])
                left.add(argument)
            case "send":
                group.send(head, argument)
                for name in group.members.keys() - argument:
                    model[name].append(head)
            case "send_to":
                group.send_to(head, argument)
                for name in group.members.keys() & argument:
                    model[name].append(head)
            case "direct":
                outlets[argument].send(head)
                model[argument].append(head)
            case "stall":
                outlets[argument].stall()
            case "read":
                outlets[argument].read()
            case "flush":
                group.flush()
            case "advance":
                loop.advance(argument)
    loop.advance(1)
    for name, outlet in outlets.items():
        outlet.read()
        if name in left:
            missing = iter(model[name])
            assert all(head in missing for head in outlet.got)
        else:
            assert outlet.got == model[name]
    assert not group.window._pending
    assert not group.window._cursors


ROOMS = (0, 1, 2)
moves = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "send", "send", "send", "direct", "flush", "advance"]),
        st.sampled_from(ROOMS),
        st.sampled_from(NAMES),
    ),
    max_size=60,
)


@given(moves=moves)
@settings(max_examples=300)
def test_groups_that_share_a_window_keep_one_order(moves):
    """Whatever a member has, it has all that was sent before it, to whichever of its groups."""
    loop: Any = FakeLoop()
    window = Window(loop)
    rooms = [Group(f"app:{number}", window) for number in ROOMS]
    outlets = {name: FakeOutlet(name) for name in NAMES}
    model: dict[str, list[bytes]] = {name: [] for name in NAMES}
    for number, (action, place, name) in enumerate(moves):
        head, room, outlet = b"%d" % number, rooms[place], outlets[name]
        match action:
            case "join" if name not in room.members:
                room.add(outlet)
            case "leave" if name in room.members:
                room.catch_up(outlet)
                room.discard(outlet)
            case "send":
                excluded = {name} if place == 0 else set()
                room.send(head, excluded)
                for member in room.members.keys() - excluded:
                    model[member].append(head)
            case "direct":
                outlet.send(head)
                model[name].append(head)
            case "flush":
                room.flush()
            case "advance":
                loop.advance(0.004)
        for member, one in outlets.items():
            assert one.got == model[member][: len(one.got)]
    loop.advance(1)
    assert {name: outlet.got for name, outlet in outlets.items()} == model
    assert not window._pending
    assert not window._cursors


# --- the hub -----------------------------------------------------------------------------------------------


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
async def hub(bus: FakeBus) -> Hub:
    return Hub(asyncio.get_running_loop(), bus)


async def test_the_bus_hears_of_the_first_member_and_the_last(hub: Hub, bus: FakeBus):
    first, second = FakeOutlet("1"), FakeOutlet("2")
    await hub.join("app:a", first)
    await hub.join("app:a", second)
    hub.leave(first)
    assert bus.calls == [("subscribe", "app:a")]
    hub.leave(second)
    assert bus.calls == [("subscribe", "app:a"), ("unsubscribe", "app:a")]
    assert not any((hub.groups, first.groups, second.groups))


async def test_leave_takes_an_outlet_out_of_all_its_groups(hub: Hub):
    outlet, other = FakeOutlet("1"), FakeOutlet("2")
    for name in ("app:a", "app:b"):
        await hub.join(name, outlet)
    await hub.join("app:b", other)
    hub.leave(outlet)
    hub.leave(outlet)
    hub.deliver("app:a", b"x")
    hub.deliver("app:b", b"y")
    assert (outlet.got, other.got) == ([], [b"y"])
    assert set(hub.groups) == {"app:b"}


async def test_who_is_in_thousands_of_groups_leaves_at_once(hub: Hub):
    """Nobody else is served meanwhile. With a look at each group for each group this takes many seconds."""
    outlet = FakeOutlet("1")
    for number in range(20_000):
        hub.join_here(f"app:{number}", outlet)
    started_s = process_time()
    hub.leave(outlet)
    assert process_time() - started_s < 2
    assert not any((hub.groups, outlet.groups))


async def test_join_returns_only_when_other_processes_are_heard(hub: Hub, bus: FakeBus):
    bus.gate.clear()
    outlet = FakeOutlet("1")
    joining = asyncio.ensure_future(hub.join("app:a", outlet))
    await asyncio.sleep(0)
    hub.deliver("app:a", b"heard already")
    assert not joining.done()
    bus.gate.set()
    await asyncio.wait_for(joining, 5)
    assert outlet.got == [b"heard already"]


async def test_a_room_that_empties_and_fills_again_starts_afresh(hub: Hub):
    before, after = FakeOutlet("1"), FakeOutlet("1")
    await hub.join("app:a", before)
    hub.deliver("app:a", b"0")
    hub.deliver("app:a", b"1")
    old = hub.groups["app:a"]
    hub.leave(before)
    await hub.join("app:a", after)
    hub.deliver("app:a", b"2")
    old.flush()  # its timer still runs
    assert (before.got, after.got) == ([b"0"], [b"2"])


async def test_publish_delivers_here_and_sends_the_same_to_the_others(hub: Hub, bus: FakeBus):
    there = Hub(asyncio.get_running_loop(), FakeBus())
    here = {name: FakeOutlet(name) for name in "abc"}
    elsewhere = {name: FakeOutlet(name) for name in "ade"}
    for outlet in here.values():
        await hub.join("app:a", outlet)
    for outlet in elsewhere.values():
        await there.join("app:a", outlet)

    hub.publish("app:a", b"all")
    hub.publish("app:a", b"only", only=("b", "d"))
    hub.publish("app:a", b"but", excluded=("a",))
    for group, kind, message in bus.sent:
        assert kind == "deliver"
        there.on_deliver(group, message)
    hub.flush()
    there.flush()
    assert {name: outlet.got for name, outlet in here.items()} == {
        "a": [b"all"],
        "b": [b"all", b"only", b"but"],
        "c": [b"all", b"but"],
    }
    assert {name: outlet.got for name, outlet in elsewhere.items()} == {
        "a": [b"all"],
        "d": [b"all", b"only", b"but"],
        "e": [b"all", b"but"],
    }


async def test_delivering_to_nobody_is_no_error(hub: Hub, bus: FakeBus):
    hub.deliver("app:nobody", b"1")
    hub.publish("app:nobody", b"2")
    assert hub.groups == {}
    assert [message["head"] for _, _, message in bus.sent] == [b"2"]


# --- groups that this process alone sends to -------------------------------------------------------------


async def test_who_joins_here_is_reached_at_once_and_the_bus_hears_nothing(hub: Hub, bus: FakeBus):
    bus.gate.clear()
    first, second = FakeOutlet("1"), FakeOutlet("2")
    hub.join_here("app:a", first)
    hub.deliver("app:a", b"1")
    hub.join_here("app:a", second)
    hub.deliver("app:a", b"2", excluded=("1",))
    hub.flush()
    assert (first.got, second.got) == ([b"1"], [b"2"])
    assert [call for call in bus.calls if call[0] == "subscribe"] == []
    hub.leave(first)
    hub.leave(second)
    assert hub.groups == {}
    assert bus.sent == []


async def test_who_moves_on_takes_along_what_the_old_group_owes_and_hears_the_new_one_from_there(hub: Hub):
    mover, old, new = FakeOutlet("mover"), FakeOutlet("old"), FakeOutlet("new")
    for outlet in (mover, old):
        hub.join_here("app:old", outlet)
    hub.join_here("app:new", new)
    for name in ("app:old", "app:new"):
        # The first goes at once, the second waits for the end of the window.
        hub.deliver(name, b"1")
        hub.deliver(name, b"2")
    mover.catch_up()
    assert (mover.got, old.got) == ([b"1", b"2"], [b"1"])
    hub.leave(mover)
    hub.join_here("app:new", mover)
    for name in ("app:old", "app:new"):
        hub.deliver(name, b"3")
    hub.flush()
    assert mover.got == [b"1", b"2", b"3"]
    assert old.got == new.got == [b"1", b"2", b"3"]

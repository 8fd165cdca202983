"""The bus between processes: over a layer that is told to fail, and over the one Channels brings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from realtime import bus as bus_module
from realtime.bus import LayerBus, LocalBus, layer_group, layer_message

Heard = list[tuple[str, str, dict[str, Any]]]


class Layer:
    """A channel layer whose failures and delays are the test's: every process on it shares `groups`."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {}
        self.queues: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.failing: set[str] = set()
        self.failures = 0
        self.discards = 0
        # A call of that name waits before it does anything.
        self.gates: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}

    async def _enter(self, call: str) -> None:
        if (gate := self.gates.get(call)) is not None:
            self.reached.setdefault(call, asyncio.Event()).set()
            await gate.wait()
        if call in self.failing:
            self.failures += 1
            raise ConnectionError(f"{call} refused")

    async def new_channel(self) -> str:
        await self._enter("new_channel")
        name = f"channel.{len(self.queues)}"
        self.queues[name] = asyncio.Queue()
        return name

    async def receive(self, channel: str) -> dict[str, Any]:
        await self._enter("receive")
        return await self.queues[channel].get()

    async def group_add(self, group: str, channel: str) -> None:
        await self._enter("group_add")
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self.discards += 1
        await self._enter("group_discard")
        self.groups.get(group, set()).discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._enter("group_send")
        self.sent.append((group, message))
        for channel in self.groups.get(group, ()):
            self.queues[channel].put_nowait(message)


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "PROBE_INTERVAL_S", 0.02)
    monkeypatch.setattr(bus_module, "PROBE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(bus_module, "SUBSCRIBE_TIMEOUT_S", 1.0)
    monkeypatch.setattr(bus_module, "RETRY_S", 0.01)


@pytest.fixture
def layer() -> Layer:
    return Layer()


@pytest.fixture
async def make(layer: Layer) -> AsyncIterator[Callable[..., tuple[LayerBus, Heard]]]:
    buses: list[LayerBus] = []

    def make(process_id: str, on: Any = None) -> tuple[LayerBus, Heard]:
        heard: Heard = []
        bus = LayerBus(on or layer, process_id, lambda *what: heard.append(what))
        buses.append(bus)
        bus.start()
        return bus, heard

    yield make
    for bus in buses:
        await bus.stop()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


async def joined(bus: LayerBus, group: str) -> None:
    bus.subscribe(group)
    await asyncio.wait_for(bus.subscribed(group), 5)


async def test_local_bus_has_nobody_to_talk_to():
    bus = LocalBus()
    bus.on_resync(lambda: None)
    bus.start()
    bus.subscribe("g")
    await bus.subscribed("g")
    bus.send("g", "kind", {})
    bus.unsubscribe("g")
    await bus.stop()
    assert bus.state == "ok"


@pytest.mark.parametrize("make_layer", [Layer, InMemoryChannelLayer])
async def test_the_others_hear_it_once_and_the_sender_does_not(make, make_layer):
    layer = make_layer()
    (one, heard_1), (two, heard_2), (_, heard_3) = (make(f"proc_{n}", on=layer) for n in (1, 2, 3))
    for bus in (one, two):
        await joined(bus, "app:room é/" + "x" * 200)  # a layer's own names are short and plain
    for n in range(3):
        one.send("app:room é/" + "x" * 200, "kind", {"n": n, "bytes": b"\0\xff", "none": None})
    await until(lambda: len(heard_2) == 3)
    two.send("app:room é/" + "x" * 200, "back", {})
    await until(lambda: heard_1)
    assert [message["n"] for _, _, message in heard_2] == [0, 1, 2]
    assert heard_2[0] == ("app:room é/" + "x" * 200, "kind", {"n": 0, "bytes": b"\0\xff", "none": None})
    assert [kind for _, kind, _ in heard_1] == ["back"]
    assert heard_3 == []


async def test_what_waits_leaves_together(make, layer):
    one, _ = make("proc_1")
    two, heard = make("proc_2")
    await joined(two, "g")
    layer.gates["group_send"] = asyncio.Event()
    for n in range(100):
        one.send("g", "kind", {"n": n})
    layer.gates.pop("group_send").set()
    await until(lambda: len(heard) == 100)
    assert [message["n"] for _, _, message in heard] == list(range(100))
    assert len([group for group, _ in layer.sent if group == layer_group("g")]) <= 2


async def test_what_waits_is_bounded_and_the_oldest_goes_first(make, layer, monkeypatch):
    monkeypatch.setattr(bus_module, "MAX_WAITING", 10)
    one, _ = make("proc_1")
    two, heard = make("proc_2")
    for group in ("old", "new"):
        await joined(two, group)
    layer.gates["group_send"] = asyncio.Event()
    one.send("plug", "kind", {})
    await until(lambda: "group_send" in layer.reached)
    for group in ("old", "new"):
        for n in range(8):
            one.send(group, "kind", {"n": n})
    assert sum(map(len, one._waiting.values())) <= 10
    layer.gates.pop("group_send").set()
    await until(lambda: len([1 for group, _, _ in heard if group == "new"]) == 8)
    assert not [1 for group, _, _ in heard if group == "old"]


async def test_a_message_from_code_without_a_process_reaches_everyone(make, layer):
    buses = [make("proc_1"), make("proc_2")]
    for bus, _ in buses:
        await joined(bus, "g")
    await layer.group_send(layer_group("g"), layer_message("thread", "g", [("kind", {"n": 1})]))
    for _, heard in buses:
        await until(partial(heard.__eq__, [("g", "kind", {"n": 1})]))


async def test_unsubscribed_groups_are_not_heard(make, layer):
    one, _ = make("proc_1")
    two, heard = make("proc_2")
    await joined(two, "g")
    two.unsubscribe("g")
    await until(lambda: not layer.groups[layer_group("g")])
    one.send("g", "kind", {})
    await joined(two, "h")
    one.send("h", "after", {})
    await until(lambda: heard)
    assert [group for group, _, _ in heard] == ["h"]


async def test_subscribed_waits_for_the_layer_but_not_for_ever(make, layer, monkeypatch, caplog):
    monkeypatch.setattr(bus_module, "SUBSCRIBE_TIMEOUT_S", 0.05)
    one, _ = make("proc_1")
    await joined(one, "first")
    layer.gates["group_add"] = asyncio.Event()
    one.subscribe("g")
    await asyncio.wait_for(one.subscribed("g"), 5)
    assert "bus.subscribe_timeout" in caplog.text
    layer.gates.pop("group_add").set()
    await joined(one, "g")


async def test_leaving_while_somebody_waits_ends_the_wait(make, layer):
    one, _ = make("proc_1")
    await joined(one, "first")
    layer.gates["group_add"] = asyncio.Event()
    one.subscribe("g")
    waiting = asyncio.ensure_future(one.subscribed("g"))
    await until(lambda: one._arrived)
    one.unsubscribe("g")
    await asyncio.wait_for(waiting, 0.5)
    assert not one._arrived


@pytest.mark.parametrize("others", [(), ("h",)], ids=["being dropped", "about to be dropped"])
async def test_back_while_the_subscription_is_being_dropped_waits_for_a_new_one(make, layer, others):
    """Otherwise the room's first visitor after its last would be told it hears everyone, and not."""
    one, _ = make("proc_1")
    for group in ("g", *others):
        await joined(one, group)
    layer.gates["group_discard"] = asyncio.Event()
    for group in ("g", *others):
        one.unsubscribe(group)
    await until(lambda: "group_discard" in layer.reached)
    for group in ("g", *others):
        one.subscribe(group)
    waiting = [asyncio.ensure_future(one.subscribed(group)) for group in ("g", *others)]
    layer.gates.pop("group_discard").set()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert layer.discards == 1  # the other was never let go of, so nothing was missed
    for group in ("g", *others):
        assert layer.groups[layer_group(group)]


@pytest.mark.parametrize("call", ["new_channel", "receive", "group_add", "group_send"])
async def test_down_with_the_layer_and_up_with_it(make, layer, call):
    layer.failing.add(call)
    one, _ = make("proc_1")
    two, heard = make("proc_2")
    resyncs = []
    one.on_resync(lambda: resyncs.append(1))
    await until(lambda: one.state == two.state == "down")
    for bus in (one, two):  # nobody is held up: the connection is served by this process alone
        bus.subscribe("g")
        await asyncio.wait_for(bus.subscribed("g"), 0.5)
    assert resyncs == []
    layer.failing.clear()
    await until(lambda: one.state == two.state == "ok")
    await until(lambda: len(layer.groups.get(layer_group("g"), ())) == 2)
    assert resyncs == [1]
    one.send("g", "kind", {"n": 1})
    await until(lambda: ("g", "kind", {"n": 1}) in heard)


async def test_down_when_messages_do_not_arrive_though_nothing_fails(make, layer):
    one, _ = make("proc_1")
    await joined(one, "g")
    members = layer.groups.copy()
    layer.groups.clear()
    await until(lambda: one.state == "down")
    layer.groups.update(members)
    await until(lambda: one.state == "ok")


async def test_subscriptions_are_made_good_after_failures(make, layer):
    one, _ = make("proc_1")
    await joined(one, "leaves")
    await joined(one, "returns")
    layer.failing |= {"group_add", "group_discard"}
    one.subscribe("comes")
    one.unsubscribe("leaves")
    one.unsubscribe("returns")
    await until(lambda: layer.failures > 2)
    layer.failing.discard("group_add")
    await until(lambda: layer.groups.get(layer_group("comes")))
    failures = layer.failures
    await until(lambda: layer.failures > failures)
    one.subscribe("returns")
    layer.failing.clear()
    await until(lambda: not layer.groups[layer_group("leaves")])
    await joined(one, "returns")
    assert layer.groups[layer_group("returns")]
    assert one._wanted == one._actual


async def test_dropping_a_group_that_is_wanted_again_and_fails_does_not_lose_it(make, layer):
    one, _ = make("proc_1")
    await joined(one, "g")
    layer.gates["group_discard"] = asyncio.Event()
    layer.failing.add("group_discard")
    one.unsubscribe("g")
    await until(lambda: "group_discard" in layer.reached)
    one.subscribe("g")
    layer.gates.pop("group_discard").set()
    await asyncio.wait_for(one.subscribed("g"), 5)
    await until(lambda: layer_group("g") in layer.groups and one._wanted == one._actual)


async def test_a_resync_that_fails_does_not_keep_the_others_from_theirs(make, layer, caplog):
    one, _ = make("proc_1")
    resyncs = []

    def fail() -> None:
        raise LookupError("a bug")

    one.on_resync(fail)
    one.on_resync(lambda: resyncs.append(1))
    layer.failing.add("receive")
    await until(lambda: one.state == "down")
    layer.failing.clear()
    await until(lambda: resyncs)
    assert one.state == "ok"
    assert "bus.resync_failed" in caplog.text


async def test_stop_leaves_no_task(make, layer):
    before = asyncio.all_tasks()
    one, _ = make("proc_1")
    await joined(one, "g")
    await one.stop()
    assert asyncio.all_tasks() == before

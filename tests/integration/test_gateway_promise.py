"""Ready, what was missed and live are together the channels' messages, while processes come and go."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from config import BASE_DIR
from tests.e2e.listener import PATIENCE_S, eventually
from tests.e2e.servers import Server, clean_environment, serve
from tests.integration.conftest import Cluster
from tests.integration.gateway_people import (
    Device,
    Message,
    Person,
    membership_of,
    open_channel,
    posts_of,
    register,
)

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
Pair = tuple[Server, Server]
# The most that is sent of what was missed.
REPLAYED = 1_000
EXPECTED_ERRORS = {
    "api.database_failed",
    "broadcast.database_failed",
    "bus.down",
    "runtime.periodic_work_failed",
    "Service Unavailable: /readyz",
    "Unexpected exception in receive task",
}
BACK_WITHIN_S = 20.0
# It was not all peace and quiet: so many posts around each outage, and so many connections of each device.
POSTS = 60
CONNECTIONS = 4
# A busy machine takes its time; nothing is measured here.
LIFE_GOES_ON_WITHIN_S = 120.0


async def test_two_people_meet_and_one_is_away_for_a_while(pair: Pair) -> None:
    ann, ben = await register(pair[0], "promise.ann"), await register(pair[1], "promise.ben")
    channel = await open_channel(pair[0], ann, type=1, title="Talk")
    phone, desk = Device(ann, "phone"), Device(ben, "desk")
    async with ann.api(pair[0]) as as_ann, ben.api(pair[1]) as as_ben, phone.online(pair[1]):
        async with desk.online(pair[0]):
            first = await ben.post(as_ben, channel, "hello")
            posted = [first, await ann.post(as_ann, channel, "hello yourself")]
            for device in (phone, desk):
                await asyncio.wait_for(device.has(posted[-1] or ""), PATIENCE_S)
                assert device.ids() == posted
                assert [message["author"] for message in device.told] == [ben.id, ann.id]
        missed = [await ann.post(as_ann, channel, f"missed {number}") for number in range(3)]
        async with desk.online(pair[1]):
            await asyncio.wait_for(desk.has(missed[-1] or ""), PATIENCE_S)
            posted += [*missed, await ben.post(as_ben, channel, "here again")]
            for device in (phone, desk):
                await asyncio.wait_for(device.has(posted[-1] or ""), PATIENCE_S)
                assert device.ids() == posted


async def test_who_was_away_for_more_than_is_replayed_gets_the_rest_over_http(
    pair: Pair, cluster: Cluster
) -> None:
    cat = await register(pair[0], "promise.cat")
    channels = [await open_channel(pair[0], cat, type=1, title=title) for title in ("One", "Two")]
    posted = await asyncio.to_thread(post_many, cluster, REPLAYED + 100, cat, channels)
    device = Device(cat, "tablet")
    async with cat.api(pair[0]) as client, device.online(pair[1]):
        live = await cat.post(client, channels[0], "and live again")
        assert live is not None
        await asyncio.wait_for(device.has(live), PATIENCE_S)
    assert device.gaps == 1
    assert device.ids() == [*posted[:REPLAYED], live]
    # What is missing is between the last that was replayed and the first that came live.
    pages = [await cat.history(pair[0], channel, after=posted[REPLAYED - 1]) for channel in channels]
    rest = {message["id"] for page in pages for message in page}
    assert sorted(rest | set(device.ids()), key=int) == [*posted, live]


def post_many(cluster: Cluster, number: int, author: Person, channels: list[str]) -> list[str]:
    """Post so many messages, in turn in each channel; gives their ids."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.e2e.gateway_seed", "many", str(number), author.id, *channels],
        cwd=BASE_DIR,
        env=clean_environment(cluster.env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    ids: list[str] = json.loads(result.stdout)
    return ids


async def test_more_may_post_at_once_than_the_database_has_connections_for(pair: Pair) -> None:
    dan = await register(pair[0], "promise.dan")
    channel = await open_channel(pair[0], dan, type=1, title="Busy")
    async with dan.api(pair[0]) as client:
        posted = await asyncio.gather(*(dan.post(client, channel, f"{number}") for number in range(40)))
    assert len(set(posted) - {None}) == 40


# --- everything at once -----------------------------------------------------------------------------------


class Town:
    """The people and channels of one run, and the three servers: two that stay, one that is killed."""

    def __init__(self, pair: Pair, doomed: Server, dice: random.Random) -> None:
        self.servers = [*pair, doomed]
        self.dice = dice
        self.people: list[Person] = []
        self.devices: list[Device] = []
        # Who is a member of them from the beginning to the end.
        self.channels: dict[str, list[Person]] = {}
        # An open channel, and who joins and leaves it all the time.
        self.square = ""
        self.wanderers: list[Person] = []

    async def settle(self) -> None:
        here = self.servers[0]
        self.people = [await register(here, f"town.{number}") for number in range(6)]
        self.devices = [Device(person, f"{person.name}.{n}") for person in self.people for n in range(3)]
        first, second, *_ = self.people
        for title in ("Square", "Talk", "More"):
            self.channels[await open_channel(here, first, type=1, title=title)] = [first]
        self.square, *rooms = self.channels
        self.wanderers = self.people[4:]
        for channel, members in ((rooms[0], self.people[1:]), (rooms[1], self.people[1:4])):
            for person in members:
                async with person.api(here) as client:
                    (await client.put(membership_of(channel))).raise_for_status()
            self.channels[channel] += members
        direct = await open_channel(here, first, type=2, members=[second.id])
        self.channels[direct] = [first, second]

    def posted(self) -> int:
        return sum(len(person.posted) for person in self.people)

    def running(self) -> list[Server]:
        return [server for server in self.servers if server.process.poll() is None]

    async def talk(self, person: Person) -> None:
        """Post in any of one's channels, over any server, for ever. Nothing is tried twice."""
        mine = [channel for channel, members in self.channels.items() if person in members]
        for number in count():
            async with person.api(self.dice.choice(self.running())) as client:
                for part in range(self.dice.randrange(1, 10)):
                    await person.post(client, self.dice.choice(mine), f"{person.name} {number}.{part}")
                    await asyncio.sleep(self.dice.random() * 0.05)

    async def wander(self, person: Person) -> None:
        """Join and leave the square, for ever."""
        while True:
            with suppress(httpx.TransportError):
                await self.membership(person, self.dice.choice(["PUT", "DELETE"]))
            await asyncio.sleep(self.dice.random() * 0.3)

    async def membership(self, person: Person, method: str) -> None:
        async with person.api(self.dice.choice(self.running())) as client:
            await client.request(method, membership_of(self.square))


async def outages(town: Town, cluster: Cluster) -> None:
    """A server is killed, and Redis, and a server, and PostgreSQL, and a server again, while life goes on."""

    async def all_back() -> None:
        for server in town.servers:
            await eventually(
                lambda server=server: set(server.readiness().values()) == {"ok"},
                within_s=BACK_WITHIN_S,
                what="readiness",
            )

    async def kill_a_server() -> None:
        doomed = town.servers[-1]
        doomed.kill()
        town.servers[-1] = serve(cluster.env, doomed.log_path, port=doomed.port)
        town.servers[-1].expected_errors = doomed.expected_errors

    async def kill_redis() -> None:
        cluster.redis.stop(signal.SIGKILL)
        await eventually(lambda: town.servers[0].readiness().get("bus") == "down", what="the bus to be down")
        await asyncio.to_thread(cluster.redis.start)

    async def kill_postgres() -> None:
        await asyncio.to_thread(cluster.postgres.stop, signal.SIGQUIT)
        await asyncio.to_thread(cluster.postgres.start)

    life_goes_on = partial(eventually, within_s=LIFE_GOES_ON_WITHIN_S, what="posts and connections")
    for trouble in (kill_a_server, kill_redis, kill_a_server, kill_postgres, kill_a_server):
        enough = town.posted() + POSTS
        await trouble()
        await all_back()
        await life_goes_on(lambda enough=enough: town.posted() >= enough)
    await life_goes_on(lambda: min(device.connections for device in town.devices) >= CONNECTIONS)


async def meanwhile(work: Awaitable[None], *others: Coroutine[Any, Any, None]) -> None:
    """Do `work` while the others go on; they end with it, and fail it if they fail."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        await work
        for task in tasks:
            task.cancel()


@pytest.fixture
async def town(pair: Pair, extra: Callable[..., Server]) -> AsyncIterator[Town]:
    town = Town(pair, await asyncio.to_thread(extra), random.Random(2020))
    await town.settle()
    paths = {
        f"Service Unavailable: {path(channel)}"
        for path in (posts_of, membership_of)
        for channel in town.channels
    }
    for server in town.servers:
        server.expected_errors |= EXPECTED_ERRORS | paths
    yield town
    town.servers[-1].stop()


async def test_whatever_happens_everybody_has_what_the_channels_have(town: Town, cluster: Cluster) -> None:
    await meanwhile(
        outages(town, cluster),
        *(town.talk(person) for person in town.people),
        *(town.wander(person) for person in town.wanderers),
        *(device.come_and_go(town.running, town.dice) for device in town.devices),
    )
    stays, leaves = town.wanderers
    await town.membership(stays, "PUT")
    await town.membership(leaves, "DELETE")
    last = await the_end(town, stays)

    ids: dict[str, list[str]] = {}
    posts: dict[str, Message] = {}
    for channel, members in town.channels.items():
        history = await members[0].history(town.servers[0], channel)
        ids[channel] = [message["id"] for message in history]
        posts |= {message["id"]: message for message in history}
        assert ids[channel] == sorted(ids[channel], key=int)
    assert {some[-1] for some in ids.values()} == set(last)
    assert len({post["content"] for post in posts.values()}) == len(posts), "posted twice"
    for person in town.people:
        assert person.posted.items() <= {name: post["content"] for name, post in posts.items()}.items()
    for device in town.devices:
        name, got = device.name, device.ids()
        assert got == sorted(set(got), key=int), f"{name}: out of order, or twice"
        assert all(posts[message["id"]] == message for message in device.told)
        for channel, members in town.channels.items():
            if device.owner in members:
                assert device.ids(channel) == ids[channel], name
        if device.owner in town.wanderers:
            since = moved_last(cluster, town.square, device.owner)
            later = [one for one in ids[town.square] if int(one) > since]
            got = [one for one in device.ids(town.square) if int(one) > since]
            assert got == (later if device.owner is stays else []), name


async def the_end(town: Town, stays: Person) -> list[str]:
    """Everybody comes back and waits for a last post in each of their channels; gives the ids of those."""
    async with AsyncExitStack() as stack:
        for device in town.devices:
            await stack.enter_async_context(device.online(town.dice.choice(town.servers)))
        last: list[str] = []
        for channel, members in town.channels.items():
            async with members[0].api(town.servers[0]) as client:
                message_id = await members[0].post(client, channel, f"the end of {channel}")
                assert message_id is not None
                last.append(message_id)
            for device in town.devices:
                if device.owner in members or (channel == town.square and device.owner is stays):
                    async with asyncio.timeout(PATIENCE_S):
                        await device.has(message_id)
    return last


def moved_last(cluster: Cluster, channel: str, person: Person) -> int:
    """The last message that was posted in a channel before somebody joined or left it for the last time."""
    statement = """
        select coalesce(max(message_id), 0) from gateway_journalentry where seq <
            (select max(seq) from gateway_journalentry where channel_id = %s and account_id = %s)
    """
    ((message_id,),) = cluster.query(statement, int(channel), int(person.id))
    return int(message_id)

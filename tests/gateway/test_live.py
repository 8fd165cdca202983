"""Ready, what was missed, and live: together everything, in order, once, whatever the timing."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.models import Account, Channel, Message
from gateway.protocol.messages import MAX_REPLAY
from gateway.selectors import messages
from gateway.selectors.messages import load_memberships
from gateway.services import ledger, live, sockets
from gateway.services.channels import leave_channel
from gateway.services.live import LiveGateway
from gateway.services.posts import NewPost, commit_posts
from gateway.services.tokens import issue_token, revoke_all
from realtime.db import in_db_thread
from realtime.runtime import EVERY_PROCESS, Runtime
from realtime.user_tokens import ACCESS_CHANGED
from tests.gateway.people import Connection, post, somebody, stream

pytestmark = pytest.mark.django_db(transaction=True)


async def settle(rt: Runtime) -> None:
    """Everything that is committed by now has been told here."""
    gateway = rt.part(LiveGateway)
    await gateway.reach(0)
    await gateway._follower.catch_up()


@pytest.fixture
async def ann() -> Account:
    return await in_db_thread(somebody, "ann")


@pytest.fixture
async def ben() -> Account:
    return await in_db_thread(somebody, "ben")


@pytest.fixture
async def channel(ann: Account) -> Channel:
    return await in_db_thread(stream, ann)


async def connection(account: Account, name: str = "connection") -> Connection:
    token = await in_db_thread(issue_token, account=account)
    return Connection(token, f"{name} of {account.pk}")


async def said(channel: Channel, author: Account) -> int:
    message: Message = await in_db_thread(post, channel, author)
    return message.pk


async def test_members_are_told_and_nobody_else(
    rt: Runtime, ann: Account, ben: Account, channel: Channel
) -> None:
    first, second, other = [await connection(one, str(n)) for n, one in enumerate((ann, ann, ben))]
    for one in (first, second, other):
        assert await one.identify()
    message = await said(channel, ann)
    await settle(rt)
    assert first.told(rt) == second.told(rt) == ["ready", message]
    assert other.told(rt) == ["ready"]
    joins = await said(channel, ben)
    await settle(rt)
    assert other.told(rt) == ["ready", joins], "whoever posts is a member, and told of the post itself"
    await in_db_thread(leave_channel, channel=channel, account_id=ben.pk)
    await settle(rt)
    last = await said(channel, ann)
    await settle(rt)
    assert other.told(rt) == ["ready", joins]
    assert first.told(rt)[-1] == last


async def test_what_was_missed_comes_between_ready_and_live(
    rt: Runtime, ann: Account, channel: Channel
) -> None:
    ids = [await said(channel, ann) for _ in range(4)]
    back = await connection(ann)
    await back.identify(after=ids[1])
    ids.append(await said(channel, ann))
    await settle(rt)
    assert back.told(rt) == ["ready", *ids[2:]]


async def test_messages_of_several_channels_come_in_the_order_of_their_ids(
    rt: Runtime, ann: Account, channel: Channel
) -> None:
    """The last id a client has stands for all its channels: whatever is lower must have come before."""
    other = await in_db_thread(stream, ann, "Another")
    one = await connection(ann)
    await one.identify()
    # The second of a channel waits for the others of its window, the first of the other channel for none.
    posts = [NewPost(where.pk, ann.pk, 0, "x") for where in (channel, channel, other, channel, other, other)]
    ids = [message.pk for message in await in_db_thread(commit_posts, posts)]  # type: ignore[union-attr]
    await settle(rt)
    assert one.told(rt) == ["ready", *ids]


async def test_a_channel_joined_in_the_middle_of_it_is_heard(
    rt: Runtime, ann: Account, ben: Account, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, ask = await connection(ben), sockets.ask_database

    async def join_after_reading(function: Any, *arguments: Any) -> Any:
        result = await ask(function, *arguments)
        if function is load_memberships:
            await said(channel, ben)
            await settle(rt)
        return result

    monkeypatch.setattr(sockets, "ask_database", join_after_reading)
    await one.identify()
    message = await said(channel, ann)
    await settle(rt)
    assert one.told(rt) == ["ready", message]


async def test_channels_read_later_than_the_place_in_the_journal_are_not_heard_too_early(
    rt: Runtime, ann: Account, ben: Account, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others post, and the account joins, between the two readings: only the second sees it."""
    one, read, ids = await connection(ben), messages.last_seq, []

    def read_and_go_on() -> int:
        seq = read()
        if not ids:
            ids.extend(post(channel, author).pk for author in (ann, ann, ben))
        return seq

    await settle(rt)
    # As when they are of other processes, and the bus is late.
    monkeypatch.setattr(ledger, "announce", lambda hint: None)
    monkeypatch.setattr(messages, "last_seq", read_and_go_on)
    await one.identify()
    ids.append(await said(channel, ann))
    await settle(rt)
    assert one.told(rt) == ["ready", ids[-1]]


async def test_who_missed_too_much_is_told_of_the_gap(rt: Runtime, ann: Account, channel: Channel) -> None:
    many = [NewPost(channel.pk, ann.pk, 0, "x") for _ in range(MAX_REPLAY + 1)]
    ids = [message.pk for message in await in_db_thread(commit_posts, many)]  # type: ignore[union-attr]
    back = await connection(ann)
    await back.identify(after=0)
    assert back.told(rt) == ["ready", *ids[:-1], "gap"]
    exact = await connection(ann, "exact")
    await exact.identify(after=ids[0])
    assert exact.told(rt) == ["ready", *ids[1:]]


async def test_what_is_replayed_is_bounded_in_bytes_as_well(
    rt: Runtime, ann: Account, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each connection that does not read would keep a thousand of the longest messages in memory."""
    monkeypatch.setattr(sockets, "MAX_REPLAY_BYTES", 5_000)
    long = [NewPost(channel.pk, ann.pk, 0, "x" * 2_000) for _ in range(4)]
    ids = [message.pk for message in await in_db_thread(commit_posts, long)]  # type: ignore[union-attr]
    back = await connection(ann)
    await back.identify(after=0)
    assert back.told(rt) == ["ready", *ids[:2], "gap"]
    again = await connection(ann, "again")
    await again.identify(after=ids[1])
    assert again.told(rt) == ["ready", *ids[2:]]


async def test_a_token_that_is_not_good_gets_nothing(rt: Runtime, ann: Account) -> None:
    one = await connection(ann)
    one.token += "x"
    assert not await one.identify()
    assert one.told(rt) == []


async def test_whose_token_is_revoked_is_let_go(rt: Runtime, ann: Account, ben: Account) -> None:
    one, other = await connection(ann), await connection(ben)
    await one.identify()
    await other.identify()
    await in_db_thread(revoke_all, account=ann)
    await rt.part(LiveGateway)._recheck()
    assert (one.lost_access, other.lost_access) == (True, False)


async def test_many_who_log_out_at_once_are_looked_for_together(
    rt: Runtime, ann: Account, ben: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look asks for every connection: as many as there are logouts would be work for nothing."""
    one, other = await connection(ann), await connection(ben)
    await one.identify()
    await other.identify()
    looks: list[set[str]] = []
    look = live.valid_digests
    monkeypatch.setattr(live, "valid_digests", lambda digests: looks.append(digests) or look(digests))
    for _ in range(20):
        rt.handle(EVERY_PROCESS, ACCESS_CHANGED, {})
    await in_db_thread(revoke_all, account=ann)
    async with asyncio.timeout(5):
        while not one.lost_access:
            await asyncio.sleep(0.001)
    assert not other.lost_access
    assert 1 <= len(looks) <= 3


async def test_nothing_is_kept_of_who_has_left(rt: Runtime, ann: Account, channel: Channel) -> None:
    one = await connection(ann)
    await one.identify()
    one.socket.leave()
    rt.hub.leave(one.out)
    assert not rt.part(LiveGateway)._sockets
    assert not rt.hub.groups


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_replay_and_live_meet_without_hole_or_repeat(
    seed: int, rt: Runtime, ann: Account, ben: Account
) -> None:
    """Posts go on while somebody comes back again and again: all of it together is the channels' posts."""
    dice = random.Random(seed)
    channels = [await in_db_thread(stream, ann, f"{seed}.{number}") for number in range(2)]
    got: list[int] = []
    posted: list[int] = []

    async def talk() -> None:
        for _ in range(12):
            posted.append(await said(dice.choice(channels), dice.choice([ann, ben])))
            await pause(dice)

    async def come_and_go() -> None:
        after = 0
        for turn in range(4):
            one = await connection(ann, f"{seed}.{turn}")
            await one.identify(after=after)
            await pause(dice)
            # The connection breaks: what waits for the end of a window is gone.
            told = [what for what in one.received if what != "ready"]
            one.socket.leave()
            rt.hub.leave(one.out)
            got.extend(told)
            after = max([after, *told])

    delay = sockets.ask_database

    async def slowly(function: Any, *arguments: Any) -> Any:
        await pause(dice)
        result = await delay(function, *arguments)
        await pause(dice)
        return result

    sockets.ask_database = slowly  # type: ignore[assignment]
    try:
        await asyncio.gather(talk(), come_and_go())
    finally:
        sockets.ask_database = delay
    last = await connection(ann, f"{seed}.last")
    await last.identify(after=max([0, *got]))
    await settle(rt)
    got.extend(what for what in last.told(rt) if what != "ready")
    last.socket.leave()
    rt.hub.leave(last.out)
    before = await in_db_thread(
        lambda: list(Message.objects.filter(channel__in=channels).order_by("id").values_list("id", flat=True))
    )
    assert [one for one in got if one in set(before)] == before
    assert sorted(posted) == before


async def pause(dice: random.Random) -> None:
    """Let others go first, for a moment of any length."""
    for _ in range(dice.randrange(6)):
        await asyncio.sleep(0)
    if dice.random() < 0.3:
        await asyncio.sleep(dice.random() / 200)

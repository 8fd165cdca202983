"""Live connections in the admin, over all processes: who is there, and what the admin does at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from gateway.admin import connections
from gateway.models import Account, Channel
from gateway.protocol.messages import HeartbeatAck
from gateway.services.live import LiveGateway
from gateway.services.tokens import issue_token
from realtime import survey
from realtime.db import in_db_thread
from realtime.runtime import Runtime
from tests.gateway.admin_pages import ACCOUNTS, CHANNELS, DISCONNECT, LIVE
from tests.gateway.people import Connection, post, somebody, stream
from tests.realtime.admin_pages import page_of
from tests.realtime.second_process import running, second_process

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def ann() -> Account:
    return await in_db_thread(somebody, "ann")


@pytest.fixture
async def ben() -> Account:
    return await in_db_thread(somebody, "ben")


@pytest.fixture
async def boss(transactional_db: None) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(User.objects.create_superuser)("boss"))
    return client


@pytest.fixture
async def other(rt: Runtime) -> AsyncIterator[Runtime]:
    """A second process."""
    async with second_process(rt) as process:
        yield process


async def connect(process: Runtime, account: Account, name: str) -> Connection:
    """A connection of somebody to that process."""
    token = await in_db_thread(issue_token, account=account)
    with running(process):
        connection = Connection(token, name)
    assert await connection.identify()
    return connection


def shown(page: str) -> list[str]:
    """The connections in a list."""
    return re.findall(r'name="connection" value="([^"]+)"', page)


async def test_the_list_has_those_of_every_process(
    rt: Runtime,
    other: Runtime,
    boss: AsyncClient,
    ann: Account,
    ben: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = await connect(rt, ann, "gateway_here")
    there = await connect(other, ben, "gateway_there")
    here.socket.since_ms, there.socket.since_ms = 1_000, 2_000
    there.socket.session.beat(5_000)
    there.socket.session.receive(HeartbeatAck(5_000), 5_023)
    page = page_of(await boss.get(LIVE))
    assert shown(page) == ["gateway_there", "gateway_here"], "the newest first"
    assert "2 connections in 2 processes" in page
    assert "23 ms" in page
    assert "1970-01-01 00:00:02 UTC" in page
    assert other.process_id in page
    assert shown(page_of(await boss.get(LIVE, {"q": "BEN"}))) == ["gateway_there"]
    assert "Nobody with" in page_of(await boss.get(LIVE, {"q": "nobody"}))
    assert shown(page_of(await boss.get(f"{ACCOUNTS}{ben.pk}/change/"))) == ["gateway_there"]
    monkeypatch.setattr(connections, "MAX_SHOWN", 1)
    page = page_of(await boss.get(LIVE))
    assert shown(page) == ["gateway_there"]
    assert "And 1 more" in page
    here.out.close(1000, "")
    there.socket.leave()
    assert "Nobody is connected" in page_of(await boss.get(LIVE))


async def test_a_process_that_does_not_answer_is_missed(
    rt: Runtime, other: Runtime, boss: AsyncClient, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connect(rt, ann, "gateway_here")
    monkeypatch.setattr(survey, "TIMEOUT_S", 0.02)
    monkeypatch.setattr(other, "_deliver", lambda *message: None)
    page = page_of(await boss.get(LIVE))
    assert "1 process of this server did not answer" in page
    assert shown(page) == ["gateway_here"]


async def test_one_connection_is_ended_in_whichever_process_it_is(
    rt: Runtime, other: Runtime, boss: AsyncClient, ann: Account
) -> None:
    here, there = await connect(rt, ann, "gateway_here"), await connect(other, ann, "gateway_there")
    form = {"account": ann.pk, "connection": "gateway_there", "q": "ann"}
    response = await boss.post(DISCONNECT, form)
    assert response["Location"] == f"{LIVE}?q=ann"
    page = page_of(await boss.get(LIVE))
    assert "A connection of ann was ended." in page
    assert shown(page) == ["gateway_here"]
    assert (here.out.closes, there.out.closes) == ([], [1012])
    page = page_of(await boss.post(DISCONNECT, form, follow=True))
    assert "This connection had ended already." in page
    response = await boss.post(DISCONNECT, form | {"connection": "gateway_here", "to_account": "1"})
    assert response["Location"] == f"{ACCOUNTS}{ann.pk}/change/"
    for nonsense in ({"account": "x"}, {"account": "9" * 40}, {}):
        assert (await boss.post(DISCONNECT, nonsense)).status_code == 302
    await boss.get(LIVE)
    assert here.out.closes == [1012]


async def test_what_the_admin_does_is_heard_at_once_in_both_processes(
    rt: Runtime, other: Runtime, boss: AsyncClient, ann: Account, ben: Account
) -> None:
    channel: Channel = await in_db_thread(stream, ann)
    pair = [(rt, await connect(rt, ben, "here")), (other, await connect(other, ben, "there"))]
    path = f"{CHANNELS}{channel.pk}/"

    async def told() -> list[list[object]]:
        for process, _ in pair:
            await process.part(LiveGateway)._follower.catch_up()
        return [one.told(process) for process, one in pair]

    await boss.post(path + "add-member/", {"account": ben.pk})
    await told()
    await boss.post(path + "post/", {"content": "hi", "type": 0})
    first = [[what for what in one if what != "ready"] for one in await told()]
    assert [len(one) for one in first] == [1, 1]
    await boss.post(path + "remove-member/", {"account": ben.pk})
    await told()
    await in_db_thread(post, channel, ann)
    assert [[what for what in one if what != "ready"] for one in await told()] == first
    await boss.post(f"{ACCOUNTS}{ben.pk}/revoke/")
    async with asyncio.timeout(5):
        while not all(one.lost_access for _, one in pair):
            await asyncio.sleep(0)

"""Policies: which holds, who may, and how soon a change is followed."""

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from broadcast import selectors
from broadcast.models import ChannelPolicy
from broadcast.rules import Policy
from broadcast.services import policies
from broadcast.services.policies import PolicyBook, authorize, delete_policy, save_policy
from realtime.apikeys import create_api_key
from realtime.db import in_db_thread
from realtime.errors import Refused
from realtime.runtime import Runtime

pytestmark = pytest.mark.django_db(transaction=True)


def policy(channel: str, **fields: Any) -> ChannelPolicy:
    return ChannelPolicy(channel=channel, **fields)


async def save(row: ChannelPolicy) -> ChannelPolicy:
    saved = await in_db_thread(lambda: save_policy(policy=row))
    await asyncio.sleep(0)  # the announcement comes from the other thread
    return saved


async def test_a_channels_own_policy_then_the_default_then_the_built_in_one(rt: Runtime, settings):
    settings.BROADCAST_OPEN = False
    book = rt.part(PolicyBook)
    assert await book.policy("a") == Policy("key", "open")
    settings.BROADCAST_OPEN = True
    assert await book.policy("a") == Policy("open", "open")
    await save(policy("*", emit="closed", history_size=3, history_age_s=0))
    await save(policy("a", emit="open", listen="key", history_age_s=0))
    assert await book.policy("a") == Policy("open", "key", 0, 0)
    assert await book.policy("b") == Policy("closed", "open", 3, 0)
    assert set(book.all) == {"*", "a"}


async def test_changes_are_followed_at_once_and_memory_serves_between_them(rt: Runtime, monkeypatch):
    reads: list[int] = []
    read = selectors.list_policies

    def counting() -> Any:
        reads.append(1)
        return read()

    monkeypatch.setattr(selectors, "list_policies", counting)
    book = rt.part(PolicyBook)
    for _ in range(5):
        await book.policy("a")
    assert len(reads) == 1
    row = await save(policy("a", emit="closed"))
    assert (await book.policy("a")).emit == "closed"
    await in_db_thread(lambda: delete_policy(policy=row))
    await asyncio.sleep(0)
    assert (await book.policy("a")).emit != "closed"
    assert len(reads) == 3


async def test_a_change_nobody_heard_of_is_followed_after_a_while(rt: Runtime, monkeypatch):
    book = rt.part(PolicyBook)
    await book.policy("a")
    await in_db_thread(policy("a", emit="closed").save)
    assert (await book.policy("a")).emit != "closed"
    monkeypatch.setattr(policies, "MAX_AGE_S", -1.0)
    assert (await book.policy("a")).emit == "closed"


async def test_callers_at_once_share_a_query_and_a_change_meanwhile_is_read_again(rt: Runtime, monkeypatch):
    book = rt.part(PolicyBook)
    answers = [{"a": Policy("old", "open")}, {"a": Policy("new", "open")}]
    reading, go_on = asyncio.Event(), asyncio.Event()
    reads: list[Any] = []

    async def slow(function: Any) -> Any:
        reads.append(answers[len(reads)])
        reading.set()
        await go_on.wait()
        return reads[-1]

    monkeypatch.setattr(policies, "in_db_thread", slow)
    asking = [asyncio.ensure_future(book.policy("a")) for _ in range(5)]
    await asyncio.wait_for(reading.wait(), 5)
    rt.handle("every-process", policies.POLICIES_CHANGED, {})
    go_on.set()
    assert [answer.emit for answer in await asyncio.wait_for(asyncio.gather(*asking), 5)] == ["new"] * 5
    assert len(reads) == 2


async def test_a_caller_that_goes_away_does_not_end_the_load_for_the_others(rt: Runtime, monkeypatch):
    book = rt.part(PolicyBook)
    go_on = asyncio.Event()

    async def slow(function: Any) -> Any:
        await go_on.wait()
        return {}

    monkeypatch.setattr(policies, "in_db_thread", slow)
    leaver, stayer = (asyncio.ensure_future(book.policy("a")) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.wait([leaver])
    go_on.set()
    assert await asyncio.wait_for(stayer, 5) == Policy("open", "open")


async def test_a_load_that_fails_is_tried_again(rt: Runtime, monkeypatch):
    book = rt.part(PolicyBook)
    with monkeypatch.context() as patch:
        patch.setattr(selectors, "list_policies", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await book.policy("a")
    assert await book.policy("a") == Policy("open", "open")


@pytest.mark.parametrize("action", ["emit", "listen"])
async def test_who_may(rt: Runtime, action):
    await save(policy("open", emit="open", listen="open"))
    await save(policy("closed", emit="closed", listen="closed"))
    await save(policy("key", emit="key", listen="key"))
    _, right = await in_db_thread(create_api_key, name="r", scopes=[f"broadcast:{action}:k*"])
    _, wrong = await in_db_thread(create_api_key, name="w", scopes=[f"broadcast:{action}:other"])

    async def refusal(channel: str, key: str | None) -> str:
        with pytest.raises(Refused) as refused:
            await authorize(action, channel, key)
        return refused.value.code

    assert await authorize(action, "open", None) is None
    grant = await authorize(action, "key", right)
    assert grant is not None
    assert grant.name == "r"
    assert await refusal("closed", right) == "FORBIDDEN"
    assert await refusal("key", None) == "UNAUTHORIZED"
    assert await refusal("key", "nonsense") == "UNAUTHORIZED"
    assert await refusal("key", wrong) == "FORBIDDEN"


async def test_what_is_wrong_is_not_stored():
    for wrong in (policy("a b"), policy("a", emit="nobody"), policy("a", history_size=10_001)):
        with pytest.raises(ValidationError):
            await save(wrong)
    await in_db_thread(lambda: save_policy(policy=policy("a")))
    with pytest.raises(ValidationError):
        await in_db_thread(lambda: save_policy(policy=policy("a")))
    assert await in_db_thread(ChannelPolicy.objects.count) == 1

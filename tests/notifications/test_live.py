"""Lists, and what is told of them from then on."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async

from gateway.models import Account
from gateway.services.tokens import revoke_all
from notifications.backends import Backends
from notifications.services.live import LiveNotifications
from realtime.errors import Refused
from realtime.people import directory
from realtime.runtime import EVERY_PROCESS, Runtime
from realtime.user_tokens import ACCESS_CHANGED
from tests.notifications.clients import Client, feed, refusal, send, somebody, token_of, update

PATIENCE_S: Final = 10.0
pytestmark = pytest.mark.django_db(transaction=True)


async def user(rt: Runtime, *names: str, of: str = "ann") -> tuple[str, list[Client]]:
    """The id of a new user, and connections that have authenticated."""
    account = await sync_to_async(somebody)(of)
    clients = [Client(rt, name) for name in names]
    for client in clients:
        await client.authenticate(await sync_to_async(token_of)(account))
    return str(account.pk), clients


async def caught_up(rt: Runtime) -> None:
    """Return when this process has told everything that is committed."""
    await asyncio.sleep(0)
    live = rt.part(LiveNotifications)
    await live.follow()
    await live._follower.catch_up()


async def pushed_soon(client: Client) -> list[dict[str, Any]]:
    """What is pushed after something was fetched again."""
    async with asyncio.timeout(PATIENCE_S):
        while not (pushed := client.pushed()):
            await asyncio.sleep(0.01)
    return pushed


async def test_a_notification_is_in_the_list_and_is_pushed(rt: Runtime) -> None:
    ann, (tab, other) = await user(rt, "tab", "other")
    await sync_to_async(send)(feed(users=[ann], type="news", title="First", data={"a": [1]}))
    (first,) = await tab.list()
    assert (first["type"], first["title"], first["data"], first["status"]) == (
        "news",
        "First",
        {"a": [1]},
        "unseen",
    )
    await sync_to_async(send)(feed(users=[ann], type="offer", body="Second"))
    await caught_up(rt)
    (push,) = tab.pushed()
    assert (push["status"], push["payload"]["body"]) == ("update", "Second")
    assert await tab.list() == [push["payload"], first]
    assert other.pushed() == [], "it never asked"


async def test_a_subscription_is_of_its_types(rt: Runtime) -> None:
    ann, (tab,) = await user(rt, "tab")
    answer = await tab.ask("getMyNotifications", where={"types": ["b", "a"]})
    again = await tab.ask("getMyNotifications", where={"types": ["a", "b", "a"]}, params={"limit": 5})
    assert answer["event"] == again["event"]
    for kind in ("a", "c", "b"):
        await sync_to_async(send)(feed(users=[ann], type=kind))
    await caught_up(rt)
    pushed = tab.pushed()
    assert [one["payload"]["type"] for one in pushed] == ["a", "b"]
    assert {one["event"] for one in pushed} == {answer["event"]}
    await tab.ask("subscription", ids=[answer["event"]], action="unsubscribe")
    await sync_to_async(send)(feed(users=[ann], type="a"))
    await caught_up(rt)
    assert tab.pushed() == []


async def test_what_is_marked_is_told_to_the_other_sessions(rt: Runtime) -> None:
    ann, (tab, other) = await user(rt, "tab", "other")
    for number in range(3):
        await sync_to_async(send)(feed(users=[ann], type="news", title=str(number)))
    ids = [one["id"] for one in await tab.list()]
    await other.list()
    await tab.mark("read", ids[0], ids[2])
    await caught_up(rt)
    assert tab.pushed() == []
    told = [(one["payload"]["id"], one["payload"]["status"]) for one in other.pushed()]
    assert told == [(ids[2], "read"), (ids[0], "read")]
    assert [await tab.count(status) for status in ("unseen", "unread", "read")] == [1, 1, 2]


async def test_what_somebody_has_read_meanwhile_stays_read(rt: Runtime) -> None:
    ann, (tab, other) = await user(rt, "tab", "other")
    for number in range(2):
        await sync_to_async(send)(feed(users=[ann], type="news", title=str(number)))
    ids = [one["id"] for one in await tab.list()]
    await other.mark("read", ids[0])
    where = {"notifications": ids, "status": "unseen"}
    await tab.ask("updateNotifications", where=where, status="unread")
    assert [one["status"] for one in await tab.list()] == ["read", "unread"]


async def test_marking_very_many_has_lists_fetched_again(rt: Runtime) -> None:
    ann, (tab, other) = await user(rt, "tab", "other")
    for _ in range(60):
        await sync_to_async(send)(feed(users=[ann], type="news"))
    await other.list(limit=2)
    await tab.ask("updateNotifications", where={"types": []}, status="unread")
    await caught_up(rt)
    (push,) = await pushed_soon(other)
    assert push["status"] == "reload"
    assert [one["status"] for one in push["payload"]] == ["unread", "unread"]


async def test_updates_of_subscriptions(rt: Runtime) -> None:
    _, (tab,) = await user(rt, "tab")
    event = (await tab.ask("getMyNotifications"))["event"]
    await sync_to_async(send)(update(event, "unknown", data={"score": "1:0"}))
    await caught_up(rt)
    assert tab.pushed() == [{"rid": -1, "event": event, "status": "update", "payload": {"score": "1:0"}}]
    await sync_to_async(send)(update(event, reload=True))
    await caught_up(rt)
    assert await pushed_soon(tab) == [{"rid": -1, "event": event, "status": "reload", "payload": []}]


async def test_lists_that_are_asked_for_at_once_are_each_their_own(rt: Runtime) -> None:
    ann, (tab,) = await user(rt, "tab")
    for number in range(3):
        await sync_to_async(send)(feed(users=[ann], type="news", title=str(number)))
    last = (await tab.list())[0]["id"]
    asked = [{"limit": 2}, {"since": last}, {"limit": 1}, {"sort": "createdAt"}]
    found = await asyncio.gather(*(tab.list(**params) for params in asked))
    assert [[one["title"] for one in items] for items in found] == [["2", "1"], [], ["2"], ["0", "1", "2"]]


async def test_who_was_away_asks_for_what_came_since(rt: Runtime) -> None:
    ann, (tab,) = await user(rt, "tab")
    for number in range(5):
        await sync_to_async(send)(feed(users=[ann], type="news", title=str(number)))
    titles = {one["title"]: one["id"] for one in await tab.list()}
    assert [one["title"] for one in await tab.list(since=titles["1"], limit=2)] == ["2", "3"]
    assert [one["title"] for one in await tab.list(since=titles["3"])] == ["4"]
    assert [one["title"] for one in await tab.list(before=titles["3"], limit=2)] == ["2", "1"]
    assert [one["title"] for one in await tab.list(skip=1, limit=2, sort="createdAt")] == ["1", "2"]


async def test_another_user_hears_nothing_of_the_one_before(rt: Runtime) -> None:
    ann, (tab,) = await user(rt, "tab")
    account = await sync_to_async(somebody)("ben")
    token = await sync_to_async(token_of)(account)
    await tab.list()
    assert await refusal(tab, "authentication", authToken=token, update=True) == "INVALID_TOKEN"
    assert await refusal(tab, "authentication", authToken="x" * 64) == "UNAUTHORIZED"
    assert tab.socket.user is not None
    assert tab.socket.user.id == ann
    await tab.authenticate(token)
    await sync_to_async(send)(feed(users=[ann], type="news"))
    await caught_up(rt)
    assert tab.pushed() == []
    answer = await tab.ask("authentication")
    assert answer["payload"] == {"id": None, "sessionId": "tab"}
    assert await refusal(tab, "getMyNotifications") == "UNAUTHORIZED"


async def test_nobody_marks_what_is_anothers(rt: Runtime) -> None:
    ann, (tab,) = await user(rt, "tab")
    _, (bens,) = await user(rt, "ben", of="ben")
    await sync_to_async(send)(feed(users=[ann], type="news"))
    (item,) = await tab.list()
    where = {"notifications": [item["id"]]}
    assert await refusal(bens, "updateNotifications", where=where, status="read") == "UNKNOWN_NOTIFICATION"
    assert await tab.count("unseen") == 1


async def test_what_is_to_be_fetched_again_many_times_is_so_once(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (tab,) = await user(rt, "tab")
    event = (await tab.ask("getMyNotifications"))["event"]
    held = HeldStore(rt, monkeypatch)
    async with asyncio.timeout(PATIENCE_S):
        await sync_to_async(send)(update(event, reload=True))
        await caught_up(rt)
        await held.asked.wait()
        # What comes now is newer than what is being read.
        for _ in range(5):
            await sync_to_async(send)(update(event, reload=True))
        await caught_up(rt)
        held.go.set()
        pushed: list[Any] = []
        while len(pushed) < 2:
            pushed += tab.pushed()
            await asyncio.sleep(0.01)
    assert held.count == 2


async def test_what_is_very_long_is_not_told_one_by_one(rt: Runtime) -> None:
    ann, (tab, other) = await user(rt, "tab", "other")
    for _ in range(10):
        await sync_to_async(send)(feed(users=[ann], type="news", data="x" * 30_000))
    await other.list(limit=1)
    await tab.ask("updateNotifications", where={"types": []}, status="unread")
    await caught_up(rt)
    assert [one["status"] for one in await pushed_soon(other)] == ["reload"]


async def test_tokens_are_looked_at_together_however_many_have_changed(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (tab,) = await user(rt, "tab")
    looks: list[set[str]] = []
    look = directory().valid_digests
    monkeypatch.setattr(directory(), "valid_digests", lambda digests: looks.append(digests) or look(digests))
    for _ in range(20):
        rt.handle(EVERY_PROCESS, ACCESS_CHANGED, {})
    await sync_to_async(lambda: revoke_all(account=Account.objects.get()))()
    async with asyncio.timeout(PATIENCE_S):
        while not tab.lost_access:
            await asyncio.sleep(0.01)
    assert 1 <= len(looks) <= 3


async def test_a_revoked_token_ends_the_connection(rt: Runtime) -> None:
    _, (tab,) = await user(rt, "tab")
    await sync_to_async(lambda: revoke_all(account=Account.objects.get()))()
    async with asyncio.timeout(PATIENCE_S):
        while not tab.lost_access:
            await asyncio.sleep(0.01)


async def test_what_comes_while_a_list_is_read_comes_after_it_and_once(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, (tab,) = await user(rt, "tab")
    await sync_to_async(send)(feed(users=[ann], type="news", title="before"))
    store = rt.part(Backends).store
    read = store.list

    async def slow(*arguments: Any) -> tuple[int, bytes]:
        await sync_to_async(send)(feed(users=[ann], type="news", title="in the list"))
        found = await read(*arguments)
        await sync_to_async(send)(feed(users=[ann], type="news", title="after it"))
        await caught_up(rt)
        return found

    monkeypatch.setattr(store, "list", slow)
    found = await tab.list()
    assert [one["title"] for one in found] == ["in the list", "before"]
    assert [one["payload"]["title"] for one in tab.pushed()] == ["after it"]


class HeldStore:
    """Holds every list back, before it is read, until it is let go."""

    def __init__(self, rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        store = rt.part(Backends).store
        self._read = store.list
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        # So many it refuses first.
        self.refusals = 0
        self.count = 0
        monkeypatch.setattr(store, "list", self._list)

    async def _list(self, *arguments: Any) -> tuple[int, bytes]:
        self.count += 1
        self.asked.set()
        await self.go.wait()
        if self.refusals:
            self.refusals -= 1
            raise Refused("UNAVAILABLE", "Not now.")
        return await self._read(*arguments)


async def test_a_list_that_is_fetched_again_keeps_back_no_news(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another page of it, or for another tab: who shows the first one hears what is new all the same."""
    ann, (tab,) = await user(rt, "tab")
    assert await tab.list() == []
    held = HeldStore(rt, monkeypatch)
    async with asyncio.timeout(PATIENCE_S):
        asked = asyncio.create_task(tab.list(before="1"))
        await held.asked.wait()
        await sync_to_async(send)(feed(users=[ann], type="news", title="meanwhile"))
        await caught_up(rt)
        assert [one["payload"]["title"] for one in tab.pushed()] == ["meanwhile"]
        held.go.set()
        assert await asked == []
    assert tab.pushed() == [], "the list was read after it"


async def test_what_a_list_has_not_got_yet_comes_once_more_after_it(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, (tab,) = await user(rt, "tab")
    for _ in range(60):
        await sync_to_async(send)(feed(users=[ann], type="news"))
    number = (await tab.list())[0]["id"]
    store = rt.part(Backends).store
    read = store.list

    async def slow(*arguments: Any) -> tuple[int, bytes]:
        monkeypatch.setattr(store, "list", read)
        found = await read(*arguments)
        await sync_to_async(send)(feed(users=[ann], type="news", title="new"))
        await tab.mark("read", number)
        return found

    monkeypatch.setattr(store, "list", slow)
    tab.received()
    await tab.list()
    told = [
        "list" if isinstance(one["payload"], list) else (one["payload"] or {}).get("title")
        for one in tab.received()
    ]
    # Told at once, the answer to the mark, the older list; then what is newer, one's own mark as well.
    assert told == ["new", None, "list", "new", ""]

    async def slow_once_more(*arguments: Any) -> tuple[int, bytes]:
        monkeypatch.setattr(store, "list", read)
        found = await read(*arguments)
        await tab.ask("updateNotifications", where={"types": []}, status="read")
        return found

    # Too many to be told one by one.
    monkeypatch.setattr(store, "list", slow_once_more)
    assert {one["status"] for one in await tab.list()} != {"read"}
    (push,) = await pushed_soon(tab)
    assert (push["status"], {one["status"] for one in push["payload"]}) == ("reload", {"read"})


async def test_a_request_that_fails_keeps_the_subscription_of_another(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, (tab, first) = await user(rt, "tab", "first")
    await tab.list()
    held = HeldStore(rt, monkeypatch)
    held.refusals = 2
    held.go.set()
    assert await refusal(tab, "getMyNotifications") == "UNAVAILABLE"
    await sync_to_async(send)(feed(users=[ann], type="news", title="after"))
    await caught_up(rt)
    assert [one["payload"]["title"] for one in tab.pushed()] == ["after"]

    # Neither has a list yet: one fails while the other still waits for its own.
    held.go.clear()
    held.asked.clear()
    async with asyncio.timeout(PATIENCE_S):
        fails = asyncio.create_task(refusal(first, "getMyNotifications"))
        await held.asked.wait()
        lists = asyncio.create_task(first.list())
        await asyncio.sleep(0)  # it has come, and waits for its turn
        held.go.set()
        assert await fails == "UNAVAILABLE"
        assert [one["title"] for one in await lists] == ["after"]
    await sync_to_async(send)(feed(users=[ann], type="news", title="more"))
    await caught_up(rt)
    assert [one["payload"]["title"] for one in first.pushed()] == ["more"]


async def test_who_unsubscribes_while_its_list_is_fetched_hears_no_more(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, (tab,) = await user(rt, "tab")
    event = (await tab.ask("getMyNotifications"))["event"]
    # While it is fetched again; and while it is fetched for the first time, having unsubscribed.
    for _ in range(2):
        with monkeypatch.context() as patch:
            held = HeldStore(rt, patch)
            async with asyncio.timeout(PATIENCE_S):
                asked = asyncio.create_task(tab.list())
                await held.asked.wait()
                await tab.ask("subscription", ids=[event], action="unsubscribe")
                held.go.set()
                assert isinstance(await asked, list), "it is answered"
        await sync_to_async(send)(feed(users=[ann], type="news"))
        await caught_up(rt)
        assert tab.pushed() == []
        assert not rt.hub.groups
        assert not rt.part(LiveNotifications).listeners.users


async def test_nothing_is_left_of_a_connection_that_is_gone(rt: Runtime) -> None:
    _, (tab,) = await user(rt, "tab")
    await tab.list()
    await tab.list("news")
    tab.leave()
    live = rt.part(LiveNotifications)
    assert not live.listeners.users
    assert not live.listeners._subscriptions
    assert not live._sockets
    assert not rt.hub.groups

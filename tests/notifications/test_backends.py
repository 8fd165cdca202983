"""Other services as the backend: what they answer, well and badly, and that they hold nobody up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError

from notifications.backends.http import SAID_EVERY_S
from notifications.models import BackendCommand
from notifications.protocol.codec import BadRequest
from realtime.clock import FakeClock
from realtime.runtime import Runtime
from tests.notifications.clients import Client, refusal, send, update

pytestmark = pytest.mark.django_db(transaction=True)
MAX_REQUESTS = 5


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The address of a second program."""
    program = Path(__file__).with_name("api_program.py")
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.fixture(autouse=True)
def _settings(settings: Any, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.NOTIFICATIONS_USER_API_URL = f"{api}/me"
    settings.NOTIFICATIONS_API_URL = f"{api}/notifications"
    settings.NOTIFICATIONS_API_TIMEOUT_S = 1.0
    settings.NOTIFICATIONS_API_MAX_REQUESTS = MAX_REQUESTS


async def user(rt: Runtime, name: str) -> Client:
    client = Client(rt, name)
    await client.authenticate(f"user-{name}")
    return client


async def command(url: str, **fields: Any) -> None:
    """A command that the service answers; its address is checked as the admin would."""

    def save() -> None:
        row = BackendCommand(**({"name": "getThing"} | fields), url=url)
        row.full_clean()
        row.save()

    await sync_to_async(save)()


async def test_users_and_their_notifications_are_the_other_services(rt: Runtime) -> None:
    client = Client(rt, "tab")
    answer = await client.ask("authentication", authToken="user-zoe")
    assert answer["payload"] == {"id": "zoe", "name": "Zoe", "sessionId": "tab"}
    (item,) = await client.list("news", limit=3)
    assert item["of"] == "zoe"
    assert item["query"]["where"] == ['{"types":["news"]}']
    assert '"limit":3' in item["query"]["params"][0]
    assert await client.count("unread", "news") == 7
    await client.mark("read", "1")
    assert await refusal(client, "authentication", authToken="user-") == "UNAUTHORIZED"
    assert await refusal(client, "authentication", authToken="user-\n") == "UNAUTHORIZED"


async def test_who_has_no_token_is_nobody_whatever_the_service_answers_to_that(
    rt: Runtime, api: str, settings: Any
) -> None:
    settings.NOTIFICATIONS_USER_API_URL = f"{api}/open"
    assert await refusal(Client(rt, "tab"), "authentication", authToken="") == "UNAUTHORIZED"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("revoked", "UNAUTHORIZED"),
        ("banned", "FORBIDDEN"),
        ("failing", "BACKEND_FAILED"),
        ("malformed", "BACKEND_FAILED"),
        ("strange", "BACKEND_FAILED"),
        ("huge", "BACKEND_UNAVAILABLE"),
        ("slow", "BACKEND_UNAVAILABLE"),
        ("dripping", "BACKEND_UNAVAILABLE"),
    ],
)
async def test_what_goes_wrong_there_is_said_here(rt: Runtime, name: str, code: str) -> None:
    client = await user(rt, name)
    assert await refusal(client, "getMyNotifications") == code
    assert client.socket._listeners == {}, "who got no list is not subscribed"


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("failing", "notifications.backend_refused"),
        ("malformed", "notifications.backend_malformed"),
        ("strange", "notifications.backend_malformed"),
        ("huge", "notifications.backend_unavailable"),
    ],
)
async def test_it_goes_into_the_log_once_a_minute_however_many_ask(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, event: str
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(rt, "clock", clock)
    client, other = await user(rt, name), await user(rt, "zoe")

    async def said() -> int:
        for _ in range(3):
            await refusal(client, "getMyNotifications")
            # What others are answered does not make it news.
            await other.list()
        return capsys.readouterr().err.count(event)

    assert await said() == 1
    clock.advance(SAID_EVERY_S - 1)
    assert await said() == 0
    clock.advance(1)
    assert await said() == 1


async def test_one_fault_does_not_hide_another(rt: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("failing", "malformed", "missing"):
        await refusal(await user(rt, name), "getMyNotifications")
    said = capsys.readouterr().err
    assert said.count("notifications.backend_refused") == 2
    assert said.count("notifications.backend_malformed") == 1


async def test_commands_are_configuration(rt: Runtime, api: str) -> None:
    await command(f"{api}/tournaments/{{id}}/days")
    await command(f"{api}/orders", name="order", method="POST", needs_user=False)
    client = await user(rt, "zoe")
    answer = await client.ask("getThing", id="a/b c", page=2, only=["x"])
    assert (answer["event"], answer["status"]) == ("getThing", "ok")
    assert answer["payload"]["path"] == "/tournaments/a%2Fb%20c/days?page=2&only=%5B%22x%22%5D"
    assert answer["payload"]["user"] == "zoe"
    guest = Client(rt, "guest")
    answer = await guest.ask("order", items=[{"id": 5}])
    assert answer["payload"]["body"] == {"items": [{"id": 5}]}
    assert await refusal(guest, "getThing", id=5) == "UNAUTHORIZED"
    assert await refusal(client, "getNothing") == "UNKNOWN_COMMAND"
    for wrong in ({}, {"id": ".."}, {"id": ""}, {"id": {"a": 1}}):
        with pytest.raises(BadRequest) as error:
            await client.ask("getThing", **wrong)
        assert error.value.path == "options.id"


async def test_a_command_may_subscribe(rt: Runtime, api: str) -> None:
    await command(f"{api}/scores/{{id}}", subscribes=True)
    client = await user(rt, "zoe")
    first = await client.ask("getThing", id=5)
    assert (await client.ask("getThing", id=5))["event"] == first["event"]
    other = await client.ask("getThing", id=6)
    assert other["event"] != first["event"]
    await sync_to_async(send)(update(first["event"], data="1:0"))
    async with asyncio.timeout(10):
        while not (pushed := client.pushed()):
            await asyncio.sleep(0.01)
    assert pushed == [{"rid": -1, "event": first["event"], "status": "update", "payload": "1:0"}]
    await sync_to_async(send)(update(other["event"], reload=True))
    async with asyncio.timeout(10):
        while not (pushed := client.pushed()):
            await asyncio.sleep(0.01)
    assert pushed[0]["status"] == "reload"
    assert pushed[0]["payload"] == other["payload"]


async def test_what_is_fetched_again_is_so_with_the_newest_token(rt: Runtime, api: str) -> None:
    await command(f"{api}/scores", subscribes=True)
    client = await user(rt, "zoe")
    lists = [await client.ask("getThing"), await client.ask("getMyNotifications")]
    assert [lists[0]["payload"]["user"], lists[1]["payload"][0]["of"]] == ["zoe", "zoe"]
    await client.ask("authentication", authToken="user-zoe~2", update=True)
    client.pushed()
    await sync_to_async(send)(update(*(one["event"] for one in lists), reload=True))
    pushed: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while len(pushed) < 2:
            pushed |= {one["event"]: one["payload"] for one in client.pushed()}
            await asyncio.sleep(0.01)
    assert pushed[lists[0]["event"]]["user"] == "zoe~2"
    assert pushed[lists[1]["event"]][0]["of"] == "zoe~2"


async def test_requests_are_bounded_and_a_slow_service_holds_up_no_other(
    rt: Runtime, api: str, settings: Any
) -> None:
    settings.NOTIFICATIONS_API_URL = ""
    settings.NOTIFICATIONS_API_TIMEOUT_S = 60.0
    slow, quick = await user(rt, "slow"), await user(rt, "zoe")
    await command(f"{api}/bounded")
    # The same program by another name stands for another service.
    await command(f"{api.replace('127.0.0.1', 'localhost')}/busiest", name="getBusiest")
    waiting = [asyncio.create_task(slow.ask("getThing")) for _ in range(4 * MAX_REQUESTS)]

    async def busiest() -> int:
        most: dict[str, int] = (await quick.ask("getBusiest"))["payload"]
        return most.get("/bounded", 0)

    async with asyncio.timeout(10):
        while await busiest() < MAX_REQUESTS:
            assert await quick.list() == []
    for _ in range(10):
        assert await busiest() == MAX_REQUESTS
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "subscription"},
        {"name": "notifications"},
        {"name": "get things"},
        {"url": "ftp://x/"},
        {"url": "/x"},
        {"url": "https://{host}/x"},
    ],
)
def test_what_is_no_command(wrong: dict[str, str]) -> None:
    row = BackendCommand(**{"name": "getThing", "url": "https://example.org/{id}"} | wrong)
    with pytest.raises(ValidationError) as error:
        row.full_clean()
    assert set(error.value.message_dict) == set(wrong)

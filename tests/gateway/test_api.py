"""The HTTP API, as the document has it: two people register, talk, and read what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from knox.models import AuthToken

from gateway.api import limits
from gateway.api import serializers as api_serializers
from realtime import http_login
from realtime.http_limits import RequestLimit
from realtime.runtime import Runtime

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_login, "limit", http_login.LoginLimit())
    limits._limits.cache_clear()


class Person:
    """Somebody who calls the API."""

    def __init__(self, username: str) -> None:
        self.client = Client()
        answer = self.call("POST", "auth/register", username=username, password=PASSWORD)
        self.id, self.token = answer["id"], answer["token"]

    def send(self, method: str, path: str, **body: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        data = json.dumps(body) if body else ""
        return self.client.generic(method, f"/api/v1/{path}", data, "application/json", headers=headers)

    def call(self, method: str, path: str, **body: Any) -> Any:
        """The body of an answer that says success."""
        answer = self.send(method, path, **body)
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert said.pop("success") is True
        return said

    def refused(self, status: int, method: str, path: str, **body: Any) -> str:
        """The sentence of an answer that says no."""
        answer = self.send(method, path, **body)
        assert answer.status_code == status, answer.content
        said = answer.json()
        assert said["success"] is False
        sentence: str = said["error"]
        return sentence


@pytest.fixture
def ann() -> Person:
    return Person("ann")


@pytest.fixture
def ben() -> Person:
    return Person("ben")


def test_who_registers_is_logged_in_and_has_a_profile(ann: Person, ben: Person) -> None:
    profile = ann.call("GET", "users/me")["profile"]
    assert (profile["id"], profile["username"], profile["displayName"]) == (ann.id, "ann", "ann")
    assert ben.call("GET", f"users/{ann.id}")["profile"] == profile
    ben.refused(404, "GET", "users/5")


def test_logging_in_and_out(ann: Person) -> None:
    token = ann.call("POST", "auth/login", username="ann", password=PASSWORD)["token"]
    assert token != ann.token
    assert AuthToken.objects.exclude(expiry=None).count() == 2, "tokens expire"
    ann.call("POST", "auth/logout")
    ann.refused(401, "GET", "users/me")
    ann.token = token
    ann.call("GET", "users/me")


@pytest.mark.parametrize("credentials", [("ann", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_password_is_403_in_the_documents_words(ann: Person, credentials: tuple[str, str]) -> None:
    name, password = credentials
    said = ann.refused(403, "POST", "auth/login", username=name, password=password)
    assert said == "Invalid username or password!"


def test_trying_too_often_is_429(ann: Person) -> None:
    for _ in range(http_login.LOGIN_BURST):
        ann.send("POST", "auth/login", username="ann", password=PASSWORD)
    ann.refused(429, "POST", "auth/login", username="ann", password=PASSWORD)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, {"username": "ann", "password": PASSWORD}),
        (400, {"username": "a b", "password": PASSWORD}),
        (400, {"username": "cem", "password": "short"}),
        (400, {"username": "cem.yildiz", "password": "cem.yildiz"}),
        (400, {"username": "cem", "password": "cem yildiz", "displayName": "Cem Yildiz"}),
        (400, {"username": "cem"}),
        (400, {"username": "cem", "password": PASSWORD, "admin": True}),
        (400, {"username": 5, "password": PASSWORD}),
    ],
)
def test_who_cannot_register(ann: Person, status: int, body: dict[str, Any]) -> None:
    ann.refused(status, "POST", "auth/register", **body)


def test_one_name_may_be_written_in_several_ways(ann: Person) -> None:
    """Unicode has one character for "fi", which is stored as two."""
    fish = Person("\ufb01sh")
    assert fish.call("GET", "users/me")["profile"]["displayName"] == "fish"
    for name in ("\ufb01sh", "fish"):
        ann.call("POST", "auth/login", username=name, password=PASSWORD)
        ann.refused(409, "POST", "auth/register", username=name, password=PASSWORD)


def test_a_channel_may_be_opened_with_empty_texts(ann: Person) -> None:
    empty = dict.fromkeys(("title", "description", "topic", "streamURL"), "")
    channel = ann.call("POST", "channels", type=1, **empty)["channel"]
    assert {name: channel[name] for name in empty} == empty


def test_a_channel_of_many_is_told_of_with_the_first(
    ann: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_serializers, "MAX_MEMBERS_TOLD", 1)
    channel = ann.call("POST", "channels", type=2, members=[ben.id])["id"]
    told = ann.call("GET", f"channels/{channel}")["channel"]
    assert (told["memberCount"], told["members"]) == (2, [ann.id])


@pytest.mark.parametrize(
    "path",
    ["users/me", "users/5", "users?q=a", "channels", "channels/5", "channels/5/posts"],
)
def test_without_a_token_nothing_is_told(ann: Person, path: str) -> None:
    for token in ("", "x" * 500, "\xe4"):
        ann.token = token
        ann.refused(401, "GET", path)


async def test_posting_and_reading(transactional_db: None, rt: Runtime) -> None:
    """Posts are committed by the event loop's writer, so this runs beside one, as in a server."""
    for story in (_a_channel_and_its_posts, _a_direct_message_is_nobody_elses, _channels_in_a_list):
        await sync_to_async(_with_two)(story)


def _with_two(story: Callable[[Person, Person], None]) -> None:
    story(Person("ann" + story.__name__), Person("ben" + story.__name__))


def _a_channel_and_its_posts(ann: Person, ben: Person) -> None:
    made = ann.call("POST", "channels", type=1, title="Talk", streamURL="https://example.org/live")
    channel = made["channel"]
    assert (channel["type"], channel["title"], channel["members"]) == (1, "Talk", [ann.id])
    assert made["id"] == channel["id"]
    posts = f"channels/{made['id']}/posts"
    ids = [
        one.call("POST", posts, type=0, content=f"{number}")["id"]
        for number, one in enumerate([ann, ben] * 8)
    ]
    assert ben.call("GET", f"channels/{made['id']}")["channel"]["members"] == [ann.id, ben.id]

    def seen(query: str = "") -> list[str]:
        return [post["id"] for post in ben.call("GET", f"channels/{made['id']}/posts{query}")["posts"]]

    assert seen() == ids[-10:]
    assert seen("?limit=50") == ids
    assert seen(f"?before={ids[5]}&limit=2") == ids[3:5]
    assert seen(f"?after={ids[5]}&limit=2") == ids[6:8]
    last = ben.call("GET", f"channels/{made['id']}/posts?limit=1")["posts"][0]
    assert {**last, "timestamp": 0} == {
        "id": ids[-1],
        "channel_id": made["id"],
        "author": ben.id,
        "type": 0,
        "content": "15",
        "timestamp": 0,
    }
    for query in ("limit=0", "limit=51", "limit=x", "before=x", "after=-1", "after=99999999999999999999"):
        ben.refused(400, "GET", f"channels/{made['id']}/posts?{query}")


def _a_direct_message_is_nobody_elses(ann: Person, ben: Person) -> None:
    cem = Person("cem")
    made = ann.call("POST", "channels", type=2, members=[ben.id])
    assert made["channel"]["members"] == sorted([ann.id, ben.id], key=int)
    ben.call("POST", f"channels/{made['id']}/posts", content="hi")
    for method, path, body in (
        ("GET", f"channels/{made['id']}", {}),
        ("GET", f"channels/{made['id']}/posts", {}),
        ("POST", f"channels/{made['id']}/posts", {"content": "hi"}),
    ):
        cem.refused(404, method, path, **body)
    for members in ([], [ann.id], ["5"], ["x"]):
        ann.refused(400, "POST", "channels", type=2, members=members)


def _channels_in_a_list(ann: Person, ben: Person) -> None:
    ids = [ann.call("POST", "channels", type=1, title=f"Garden {number}")["id"] for number in range(3)]
    direct = ann.call("POST", "channels", type=2, members=[ben.id])["id"]
    said = ann.call("POST", f"channels/{ids[0]}/posts", content="hi")["id"]

    def listed(person: Person, query: str) -> list[dict[str, Any]]:
        channels: list[dict[str, Any]] = person.call("GET", f"channels?{query}")["channels"]
        return channels

    def ids_of(person: Person, query: str) -> list[str]:
        return [channel["id"] for channel in listed(person, query)]

    assert ids_of(ann, "mine=true") == [direct, *ids[::-1]]
    assert ids_of(ben, "mine=true") == [direct]
    assert ids_of(ben, "mine=false&q=garden") == ids[::-1]
    assert ids_of(ben, f"before={ids[2]}&limit=1&q=GARDEN") == [ids[1]]
    assert "description" in listed(ben, "mine=true")[0]
    assert [one["id"] for one in listed(ben, "mine=true")[0]["members"]] == sorted([ann.id, ben.id], key=int)
    first = listed(ben, f"q=garden&before={ids[1]}")[0]
    assert (first["joined"], first["memberCount"], first["lastMessage"]) == (False, 1, said)
    assert first["members"] == []

    for _ in range(2):
        ben.call("PUT", f"channels/{ids[0]}/members/me")
    assert ids_of(ben, "mine=true") == [direct, ids[0]]
    for _ in range(2):
        ben.call("DELETE", f"channels/{ids[0]}/members/me")
    assert ids_of(ben, "mine=true") == [direct]
    stranger = Person("stranger")
    stranger.refused(404, "PUT", f"channels/{direct}/members/me")
    assert ids_of(stranger, "q=") == ids_of(stranger, "mine=false")
    for query in ("mine=x", "limit=51", "before=x", "q=%00"):
        ann.refused(400, "GET", f"channels?{query}")


def test_finding_somebody(ann: Person, ben: Person) -> None:
    found = ben.call("GET", "users?q=A")["users"]
    assert [one["id"] for one in found] == [ann.id]
    assert ben.call("GET", "users?q=nn")["users"] == []
    ben.refused(400, "GET", "users?q=")


def test_who_does_too_much_has_to_wait(ann: Person, ben: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_limits", cache(lambda: (RequestLimit(0.01, 2), RequestLimit(0.01, 2))))
    channel, _ = [ann.call("POST", "channels", type=1, title="Talk")["id"] for _ in range(2)]
    ann.refused(429, "POST", "channels", type=1, title="Talk")
    for method in ("PUT", "DELETE"):
        ben.call(method, f"channels/{channel}/members/me")
    ben.refused(429, "POST", f"channels/{channel}/posts", content="hi")
    answer = ben.send("PUT", f"channels/{channel}/members/me")
    assert int(answer["Retry-After"]) > 1
    ann.call("PUT", f"channels/{channel}/members/me")


@pytest.mark.parametrize(
    "body",
    [
        {"type": 0},
        {"content": ""},
        {"content": "x" * 4_001},
        {"content": 5},
        {"content": "x", "type": 2},
        {"content": "\x00"},
    ],
)
def test_what_is_no_post(ann: Person, body: dict[str, Any]) -> None:
    channel = ann.call("POST", "channels", type=0, title="A question")["id"]
    ann.refused(400, "POST", f"channels/{channel}/posts", **body)

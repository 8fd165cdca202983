"""The API under ``/api/broadcast/`` beyond what it shares with the document's routes."""

import json
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from broadcast.api.emits import MAX_ACKED_EVENTS, MAX_EVENTS
from broadcast.models import ChannelPolicy
from realtime.db import in_db_thread
from realtime.http_api import MAX_BODY_BYTES
from realtime.models import ApiKey
from tests.broadcast.doors import Listen, bearer, make_key, make_policy, make_user, refused

POLICIES, KEYS, CHANNELS = "/api/broadcast/policies", "/api/broadcast/keys", "/api/broadcast/channels"
EVENTS = f"{CHANNELS}/lobby/events"
NEWS = {"channel": "news", "emit": "key", "listen": "open", "history_size": 500, "history_age_s": 604800}


@pytest.fixture(autouse=True)
def _open(settings):
    settings.BROADCAST_OPEN = True
    settings.BROADCAST_ACK_TIMEOUT_S = 0.3


@pytest.fixture
async def manager(site: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with a key that may manage."""
    site.headers.update(bearer(await make_key("broadcast:manage")))
    return site


def rows(model: Any, **filters: Any) -> list[Any]:
    return list(model.objects.filter(**filters))


# --- Lists of events ----------------------------------------------------------------------------------


async def test_a_list_is_emitted_in_its_order(site: httpx.AsyncClient, listen: Listen):
    await make_policy("lobby", emit="open", history_size=1000)
    listener = await listen("lobby")
    response = await site.post(EVENTS, json=[{"payload": n} for n in range(MAX_EVENTS)])
    assert response.status_code == 200
    results = response.json()["results"]
    received = [await listener.receive("DATA") for _ in range(MAX_EVENTS)]
    assert [message["payload"] for message in received] == list(range(MAX_EVENTS))
    assert [message["eventID"] for message in received] == [result["eventID"] for result in results]


async def test_targeted_events_keep_their_place_in_a_list(site: httpx.AsyncClient, listen: Listen):
    listener = await listen("lobby")
    body = [{"payload": n, "clients": [listener.client_id] if n % 2 else None} for n in range(8)]
    await site.post(EVENTS, json=body)
    assert [(await listener.receive("DATA"))["payload"] for _ in range(8)] == list(range(8))


async def test_what_fails_later_is_told_in_its_place(site: httpx.AsyncClient, listen: Listen):
    listener = await listen("lobby")
    body = [{"payload": 1}, {"payload": 2, "clients": 7}, {"payload": 3, "require_ack": True}, {"payload": 4}]
    response = await site.post(EVENTS, json=body)
    assert response.status_code == 207
    answer = response.json()
    assert answer["success"] is False
    assert [result.get("status", 200) for result in answer["results"]] == [200, 400, 408, 200]
    assert answer["results"][1]["error"] == "Not enough clients to target."
    assert answer["results"][2]["missing"] == [listener.client_id]
    assert [(await listener.receive("DATA"))["payload"] for _ in range(3)] == [1, 3, 4]


@pytest.mark.parametrize(
    "body",
    [
        [],
        [{"payload": 1}] * (MAX_EVENTS + 1),
        [{"payload": 1}, {}],
        [{"payload": 1}, {"payload": {}}],
        [{"payload": 1}, 2],
        [{"payload": 1}, {"payload": 1, "clients": 0}],
        [{"payload": 1, "require_ack": True}] * (MAX_ACKED_EVENTS + 1),
    ],
    ids=lambda body: repr(body)[:40],
)
async def test_a_wrong_list_emits_nothing(site: httpx.AsyncClient, listen: Listen, body: list[Any]):
    listener = await listen("lobby")
    refused(await site.post(EVENTS, json=body), 400)
    assert await listener.is_silent()


async def test_each_event_of_a_list_counts_for_the_limit(site: httpx.AsyncClient, settings):
    settings.BROADCAST_EMIT_BURST = 3
    settings.BROADCAST_EMIT_RATE = 0.01
    refused(await site.post(EVENTS, json=[{"payload": 1}] * 4), 429)


# --- The body -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"payload": 1, "client": "x"},
        {"payload": 1, "clients": -1},
        {"payload": 1, "clients": True},
        {"payload": 1, "clients": []},
        {"payload": 1, "clients": [1]},
        {"payload": 1, "clients": {}},
        {"payload": 1, "require_ack": "yes"},
        {"payload": 1, "require_ack": None},
        1,
        "tea",
        None,
    ],
    ids=repr,
)
async def test_a_wrong_event(site: httpx.AsyncClient, body: Any):
    refused(await site.post(EVENTS, json=body), 400)


@pytest.mark.parametrize("clients", [1, "1", "{}", ["{}"], ["{}", "{}"]], ids=repr)
async def test_every_way_to_name_clients(site: httpx.AsyncClient, listen: Listen, clients: Any):
    listener = await listen("lobby")
    named = json.loads(json.dumps(clients).replace("{}", listener.client_id))
    response = await site.post(EVENTS, json={"payload": "psst", "clients": named})
    assert response.json()["clients"] == 1
    await listener.receive("DATA")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_only_json_is_read(site: httpx.AsyncClient, content_type: str):
    refused(await site.post(EVENTS, content=b'{"payload":1}', headers={"Content-Type": content_type}), 415)


async def test_a_body_that_is_too_large(site: httpx.AsyncClient):
    body = json.dumps([{"payload": "x" * 1000}] * 99 + [{"payload": "x" * MAX_BODY_BYTES}])
    refused(await site.post(EVENTS, content=body, headers={"Content-Type": "application/json"}), 413)


async def test_an_answer_the_client_does_not_take(site: httpx.AsyncClient):
    refused(await site.get(CHANNELS + "/lobby/members", headers={"Accept": "text/csv"}), 406)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/api/broadcast", "/api/broadcast/", "/api/nothing", "/api/broadcast/keys/"]
)
async def test_unknown_paths(site: httpx.AsyncClient, method: str, path: str):
    refused(await site.request(method, path), 404)


# --- Policies -----------------------------------------------------------------------------------------


async def test_a_policy_from_making_to_deleting_it(manager: httpx.AsyncClient):
    made = await manager.post(POLICIES, json=NEWS)
    assert (made.status_code, made.json()) == (201, NEWS)
    assert (await manager.get(f"{POLICIES}/news")).json() == NEWS
    changed = await manager.patch(f"{POLICIES}/news", json={"emit": "closed"})
    assert (changed.status_code, changed.json()) == (200, NEWS | {"emit": "closed"})
    replaced = await manager.put(f"{POLICIES}/news", json={"channel": "news", "listen": "key"})
    assert replaced.status_code == 200
    listed = (await manager.get(POLICIES)).json()
    assert (listed["count"], [policy["listen"] for policy in listed["results"]]) == (1, ["key"])
    assert (await manager.delete(f"{POLICIES}/news")).status_code == 204
    refused(await manager.get(f"{POLICIES}/news"), 404)


async def test_a_policy_is_in_force_at_once(manager: httpx.AsyncClient):
    emit: dict[str, Any] = {"url": "/news/emit", "json": 1, "headers": {"Authorization": ""}}
    assert (await manager.post(**emit)).status_code == 200
    await manager.post(POLICIES, json=NEWS)
    assert (await manager.post(**emit)).status_code == 401
    await manager.patch(f"{POLICIES}/news", json={"emit": "closed"})
    assert (await manager.post(**emit)).status_code == 403
    await manager.delete(f"{POLICIES}/news")
    assert (await manager.post(**emit)).status_code == 200


async def test_the_policy_of_all_other_channels(manager: httpx.AsyncClient):
    assert (await manager.post(POLICIES, json={"channel": "*", "emit": "closed"})).status_code == 201
    assert (await manager.get(f"{POLICIES}/*")).status_code == 200
    refused(await manager.post("/anything/emit", json=1), 403)


async def test_one_policy_a_channel(manager: httpx.AsyncClient):
    await manager.post(POLICIES, json=NEWS)
    refused(await manager.post(POLICIES, json=NEWS), 409)
    await manager.post(POLICIES, json={"channel": "other"})
    refused(await manager.patch(f"{POLICIES}/other", json={"channel": "news"}), 409)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"channel": "a b"}, "channel"),
        ({"channel": "admin"}, "channel"),
        ({"channel": ""}, "channel"),
        ({"channel": "x" * 129}, "channel"),
        ({"channel": 5}, "channel"),
        ({"channel": "a\x00"}, "channel"),
        ({"emit": "everyone"}, "emit"),
        ({"listen": None}, "listen"),
        ({"history_size": -1}, "history_size"),
        ({"history_size": 10_001}, "history_size"),
        ({"history_size": "5"}, "history_size"),
        ({"history_size": 1.5}, "history_size"),
        ({"history_age_s": 10**30}, "history_age_s"),
    ],
    ids=repr,
)
async def test_a_wrong_policy(manager: httpx.AsyncClient, fields: dict[str, Any], wrong: str):
    response = await manager.post(POLICIES, json=NEWS | fields)
    refused(response, 400)
    assert list(response.json()["fields"]) == [wrong]
    assert await in_db_thread(rows, ChannelPolicy) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=" + "9" * 30])
async def test_pages_that_are_none(manager: httpx.AsyncClient, query: str):
    refused(await manager.get(f"{POLICIES}?{query}"), 400)


async def test_pages(manager: httpx.AsyncClient):
    for name in "abc":
        await make_policy(name)
    page = (await manager.get(f"{POLICIES}?limit=2&offset=1")).json()
    assert [policy["channel"] for policy in page["results"]] == ["b", "c"]
    assert (page["count"], page["next"]) == (3, None)


# --- Keys ---------------------------------------------------------------------------------------------


async def test_a_key_is_shown_once_works_and_is_revoked(manager: httpx.AsyncClient):
    await make_policy("news", emit="key")
    made = await manager.post(KEYS, json={"name": "desk", "scopes": ["broadcast:emit:news"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()["key"]
    emit: dict[str, Any] = {"url": "/news/emit", "json": 1, "headers": bearer(key)}
    assert (await manager.post(**emit)).status_code == 200
    listed = await manager.get(KEYS)
    assert key not in listed.text
    assert key.split(".")[1] not in listed.text
    assert (await manager.delete(f"{KEYS}/{made.json()['prefix']}")).status_code == 204
    assert (await manager.post(**emit)).status_code == 401
    (row,) = [row for row in (await manager.get(KEYS)).json()["results"] if row["name"] == "desk"]
    assert row["revoked"] is True


async def test_keys_of_other_services_are_none_of_ours(manager: httpx.AsyncClient):
    await make_key("ticketing:manage", "broadcast:emit")
    await make_key()
    foreign = await in_db_thread(rows, ApiKey, scopes__contains="ticketing")
    listed = (await manager.get(KEYS)).json()["results"]
    assert [row["scopes"] for row in listed] == [["broadcast:manage"]]
    refused(await manager.delete(f"{KEYS}/{foreign[0].prefix}"), 404)
    assert not (await in_db_thread(rows, ApiKey, revoked=True))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 51},
        {"name": 5},
        {"scopes": []},
        {"scopes": ["ticketing:manage"]},
        {"scopes": ["broadcast:emit", "ticketing:manage"]},
        {"scopes": ["broadcast:fly"]},
        {"scopes": ["broadcast:emit:a\nticketing:manage"]},
        {"scopes": ["broadcast:emit:a b"]},
        {"scopes": "broadcast:emit"},
        {"scopes": None},
        {"expires_at": "tomorrow"},
    ],
    ids=repr,
)
async def test_a_wrong_key(manager: httpx.AsyncClient, fields: dict[str, Any]):
    refused(await manager.post(KEYS, json={"name": "desk", "scopes": ["broadcast:emit"]} | fields), 400)
    assert len(await in_db_thread(rows, ApiKey)) == 1


# --- Channels and members -----------------------------------------------------------------------------


async def test_channels_with_listeners(manager: httpx.AsyncClient, listen: Listen):
    assert (await manager.get(CHANNELS)).json() == {"success": True, "channels": []}
    for channel in ("lobby", "kitchen", "lobby"):
        await listen(channel)
    assert (await manager.get(CHANNELS)).json()["channels"] == [
        {"channel": "kitchen", "clients": 1},
        {"channel": "lobby", "clients": 2},
    ]


async def test_a_member_is_removed(manager: httpx.AsyncClient, listen: Listen):
    unwanted, other = await listen("lobby"), await listen("lobby")
    member = f"{CHANNELS}/lobby/members/{unwanted.client_id}"
    assert (await manager.delete(member)).status_code == 204
    assert await unwanted.closed_with() == 4403
    await unwanted.disconnect()
    assert (await other.receive("PRESENCE:LEFT"))["payload"]["clientID"] == unwanted.client_id
    refused(await manager.delete(member), 404)


# --- Who may manage -----------------------------------------------------------------------------------

MANAGED = [
    ("GET", POLICIES),
    ("POST", POLICIES),
    ("GET", f"{POLICIES}/news"),
    ("PUT", f"{POLICIES}/news"),
    ("PATCH", f"{POLICIES}/news"),
    ("DELETE", f"{POLICIES}/news"),
    ("GET", KEYS),
    ("POST", KEYS),
    ("DELETE", f"{KEYS}/aaaaaaaa"),
    ("GET", CHANNELS),
    ("DELETE", f"{CHANNELS}/lobby/members/client_x"),
]


@pytest.mark.parametrize(("method", "path"), MANAGED)
async def test_managing_takes_the_scope(site: httpx.AsyncClient, method: str, path: str):
    await make_policy("news")
    refused(await site.request(method, path, json={}), 401)
    for scopes in (["broadcast:emit", "broadcast:listen"], ["broadcast:manage:news"], ["ticketing:manage"]):
        key = await make_key(*scopes)
        refused(await site.request(method, path, json={}, headers=bearer(key)), 403)


@pytest.mark.parametrize(("method", "path"), MANAGED)
async def test_staff_need_the_permission(transactional_db, method: str, path: str):
    await make_policy("news")
    client = AsyncClient()
    await sync_to_async(client.force_login)(await make_user())
    assert (await client.generic(method, path, "{}", "application/json")).status_code == 403


async def test_staff_with_permissions(transactional_db):
    client = AsyncClient()
    user = await make_user("view_channelpolicy", "add_channelpolicy", "view_apikey", "view_livechannel")
    await sync_to_async(client.force_login)(user)
    for path in (POLICIES, KEYS, CHANNELS):
        assert (await client.get(path)).status_code == 200, path
    assert (await client.post(POLICIES, NEWS, "application/json")).status_code == 201
    assert (await client.patch(f"{POLICIES}/news", {}, "application/json")).status_code == 403


async def test_a_cookie_alone_changes_nothing(transactional_db):
    client = AsyncClient(enforce_csrf_checks=True)
    await sync_to_async(client.force_login)(await make_user("add_channelpolicy"))
    response = await client.post(POLICIES, NEWS, "application/json")
    assert response.status_code == 403
    assert "CSRF" in response.json()["error"]

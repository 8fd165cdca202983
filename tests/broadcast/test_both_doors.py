"""Two doors, one service: the document's routes and the API answer the same requests the same way."""

import json
import re
from urllib.parse import quote

import httpx
import pytest

from broadcast.protocol.messages import MAX_FRAME_BYTES
from tests.broadcast.doors import Door, Listen, make_key, make_policy, refused

EVENT_ID = re.compile(r"evt_[A-Za-z0-9_-]{8,}")


@pytest.fixture(autouse=True)
def _open(settings):
    settings.BROADCAST_OPEN = True
    settings.BROADCAST_ACK_TIMEOUT_S = 0.3


# --- Emitting -----------------------------------------------------------------------------------------


async def test_everyone_gets_the_event(door: Door, listen: Listen):
    listeners = [await listen("lobby"), await listen("lobby")]
    elsewhere = await listen("kitchen")
    response = await door.emit({"hello": "world"})
    assert response.status_code == 200
    body = response.json()
    assert EVENT_ID.fullmatch(body["eventID"])
    assert body == {"success": True, "eventID": body["eventID"], "clients": 2}
    for listener in listeners:
        data = await listener.receive("DATA")
        assert (data["payload"], data["eventID"]) == ({"hello": "world"}, body["eventID"])
        assert data["requires_ack"] is False
    assert await elsewhere.is_silent()


@pytest.mark.parametrize(
    "payload",
    [0, False, "", "tea", 1.5, [], [None], {"a": {}}, {"ü": "😀\u2028"}, -(10**300), {"type": "PING"}],
    ids=repr,
)
async def test_any_json_value_arrives_as_it_was(door: Door, listen: Listen, payload: object):
    listener = await listen("lobby")
    assert (await door.emit(payload)).status_code == 200
    assert (await listener.receive("DATA"))["payload"] == payload


@pytest.mark.parametrize("payload", [{}, None], ids=repr)
async def test_nothing_is_no_payload(door: Door, payload: object):
    assert refused(await door.emit(payload), 400) == "No payload provided."


async def test_a_body_without_anything_is_no_payload(door: Door):
    response = await door.emit_raw(b"" if door.name == "document" else b"{}", wrapped=True)
    assert refused(response, 400) == "No payload provided."


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"tea",
        b"NaN",
        b"1e999",
        b'{"a":1,"a":2}',
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 5000,
    ],
    ids=lambda payload: repr(payload[:12]),
)
async def test_what_is_no_json_of_ours_is_refused(door: Door, listen: Listen, payload: bytes):
    listener = await listen("lobby")
    status = 413 if len(payload) > MAX_FRAME_BYTES and door.name == "document" else 400
    refused(await door.emit_raw(payload), status)
    assert await listener.is_silent()


async def test_nesting_may_go_as_deep_at_both(door: Door):
    assert (await door.emit_raw(b"[" * 32 + b"]" * 32)).status_code == 200


async def test_a_payload_may_have_just_so_many_bytes(door: Door):
    largest = json.dumps("x" * (MAX_FRAME_BYTES - 2))
    assert (await door.emit_raw(largest)).status_code == 200
    refused(await door.emit_raw(json.dumps("x" * (MAX_FRAME_BYTES - 1))), 413)


async def test_a_body_without_end_is_refused(door: Door):
    refused(await door.emit_raw(json.dumps("x" * 2_000_000)), 413)


# --- To whom ------------------------------------------------------------------------------------------


async def test_so_many_at_random(door: Door, listen: Listen):
    listeners = {listener.client_id: listener for listener in [await listen("lobby") for _ in range(3)]}
    response = await door.emit("pick", clients="2")
    assert response.json()["clients"] == 2
    silent = [client_id for client_id, listener in listeners.items() if await listener.is_silent_for_data()]
    assert len(silent) == 1


async def test_more_than_there_are(door: Door, listen: Listen):
    await listen("lobby")
    assert refused(await door.emit("pick", clients="2"), 400) == "Not enough clients to target."


async def test_named_ones_and_who_is_missing(door: Door, listen: Listen):
    chosen, other = await listen("lobby"), await listen("lobby")
    response = await door.emit("psst", clients=f"{chosen.client_id},client_nobody")
    assert response.json() | {"eventID": ""} == {
        "success": True,
        "eventID": "",
        "clients": 1,
        "missing": ["client_nobody"],
    }
    assert (await chosen.receive("DATA"))["payload"] == "psst"
    assert await other.is_silent_for_data()


@pytest.mark.parametrize("clients", ["client_nobody", "0", ",", "1000000000"])
async def test_nobody_that_could_be_meant(door: Door, listen: Listen, clients: str):
    await listen("lobby")
    refused(await door.emit("psst", clients=clients), 400)


# --- Acknowledged -------------------------------------------------------------------------------------


async def test_answered_when_all_have_acknowledged(door: Door, listen: Listen):
    listeners = [await listen("lobby"), await listen("lobby")]
    for listener in listeners:
        listener.acknowledges_by_itself()
    body = (await door.emit("tea", require_ack=True)).json()
    assert body["success"] is True
    assert sorted(body["acked"]) == sorted(listener.client_id for listener in listeners)
    assert "missing" not in body


async def test_408_says_who_did_and_who_did_not(door: Door, listen: Listen):
    good, lazy = await listen("lobby"), await listen("lobby")
    good.acknowledges_by_itself()
    response = await door.emit("tea", require_ack=True)
    refused(response, 408)
    body = response.json()
    assert EVENT_ID.fullmatch(body["eventID"])
    assert (body["clients"], body["acked"], body["missing"]) == (2, [good.client_id], [lazy.client_id])


async def test_with_no_client_there_is_nothing_to_wait_for(door: Door):
    body = (await door.emit("tea", require_ack=True)).json()
    assert body == {"success": True, "eventID": body["eventID"], "clients": 0, "acked": []}


# --- Who may ------------------------------------------------------------------------------------------


async def test_a_closed_channel_lets_no_one(door: Door):
    await make_policy("lobby", emit="closed", listen="closed")
    key = await make_key("broadcast:emit", "broadcast:listen")
    for response in (await door.emit(1, key=key), await door.members(key=key), await door.history(key=key)):
        refused(response, 403)


async def test_without_a_key_where_one_is_needed(door: Door):
    await make_policy("lobby", emit="key", listen="key")
    for response in (await door.emit(1), await door.members(), await door.history()):
        refused(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["wrong", "aaaaaaaa." + "b" * 32, "ü" * 40])
async def test_a_wrong_key(door: Door, key: str):
    await make_policy("lobby", emit="key", listen="key")
    headers = {b"Authorization": f"Bearer {key}".encode()}
    refused(await door.site.get(door.path("members"), headers=headers), 401)


async def test_a_wrong_key_does_not_matter_where_none_is_needed(door: Door):
    assert (await door.emit(1, key="wrong")).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["broadcast:emit"], 200),
        (["broadcast:emit:lob*"], 200),
        (["broadcast:emit:kitchen", "broadcast:emit:lobby"], 200),
        (["broadcast:emit:kitchen"], 403),
        (["broadcast:listen"], 403),
        (["broadcast:manage"], 403),
        ([], 403),
    ],
    ids=str,
)
async def test_the_scopes_of_the_key_decide(door: Door, scopes: list[str], status: int):
    await make_policy("lobby", emit="key")
    assert (await door.emit(1, key=await make_key(*scopes))).status_code == status


async def test_listening_takes_its_own_scope(door: Door):
    await make_policy("lobby", listen="key")
    good, bad = await make_key("broadcast:listen:lobby"), await make_key("broadcast:emit")
    for ask in (door.members, door.history):
        assert (await ask(key=good)).status_code == 200
        refused(await ask(key=bad), 403)


async def test_too_many_at_once(door: Door, settings):
    settings.BROADCAST_EMIT_BURST = 2
    settings.BROADCAST_EMIT_RATE = 0.01
    assert [(await door.emit(n)).status_code for n in (1, 2)] == [200, 200]
    response = await door.emit(3)
    refused(response, 429)
    assert int(response.headers["retry-after"]) > 0


async def test_the_limit_comes_before_the_body(door: Door, settings):
    settings.BROADCAST_EMIT_BURST = 1
    settings.BROADCAST_EMIT_RATE = 0.01
    await door.emit(1)
    refused(await door.emit_raw(b"no JSON"), 429)


async def test_both_doors_share_one_account(site: httpx.AsyncClient, settings):
    settings.BROADCAST_EMIT_BURST = 2
    settings.BROADCAST_EMIT_RATE = 0.01
    doors = [Door(site, "document"), Door(site, "api"), Door(site, "document"), Door(site, "api")]
    assert [(await door.emit(1)).status_code for door in doors] == [200, 200, 429, 429]


# --- Names and methods --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["gateway", "a b", "x" * 129, "tea%2Ftime", "käse"])
async def test_what_is_no_channel_is_not_found(door: Door, channel: str):
    door.channel = channel
    for response in (await door.emit(1), await door.members(), await door.history()):
        refused(response, 404)


async def test_other_methods_are_not_allowed(door: Door):
    response = await door.site.put(door.path("emit"), json=1)
    refused(response, 405)
    assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))


# --- Reading ------------------------------------------------------------------------------------------


async def test_members(door: Door, listen: Listen):
    assert (await door.members()).json() == {"success": True, "count": 0, "members": []}
    listener = await listen("lobby", "?presence=" + quote('{"name":"Zoë"}'))
    assert (await door.members()).json() == {
        "success": True,
        "count": 1,
        "members": [{"clientID": listener.client_id, "presence": {"name": "Zoë"}}],
    }


async def test_history(door: Door):
    await make_policy("lobby", emit="open", history_size=3)
    event_ids = [(await door.emit({"n": n})).json()["eventID"] for n in range(4)]
    body = (await door.history()).json()
    assert (body["success"], body["kept"], body["gap"]) == (True, 3, False)
    assert [(event["eventID"], event["payload"]) for event in body["events"]] == [
        (event_ids[n], {"n": n}) for n in (1, 2, 3)
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["events"][0]["timestamp"])

    since = (await door.history(since=event_ids[1], limit=1)).json()
    assert [event["eventID"] for event in since["events"]] == [event_ids[2]]
    assert [event["eventID"] for event in (await door.history(limit=1)).json()["events"]] == [event_ids[3]]
    assert (await door.history(since="evt_unknown")).json()["gap"] is True


async def test_no_history_where_none_is_kept(door: Door):
    await door.emit(1)
    assert (await door.history()).json() == {"success": True, "kept": 0, "gap": False, "events": []}


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1.0", "٣", "9" * 5000])
async def test_a_limit_that_is_none(door: Door, limit: str):
    refused(await door.history(limit=limit), 400)

"""The API on both servers: its views run in threads, and what they do reaches the connections of the loop."""

from __future__ import annotations

from tests.e2e.channels import Channels
from tests.e2e.listener import http, listening
from tests.e2e.servers import Seed, Server


async def test_an_event_emitted_through_the_api_arrives(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel) as listener, http(server) as client:
        path = f"/api/broadcast/channels/{channel}/events"
        response = await client.post(path, json=[{"payload": n} for n in range(20)])
        assert response.status_code == 200, response.text
        assert await listener.data(20) == list(range(20))
        assert [result["clients"] for result in response.json()["results"]] == [1] * 20


async def test_acknowledgements_are_collected_for_the_api(server: Server, channels: Channels) -> None:
    channel = channels()
    async with listening(server, channel, ack=True) as listener, http(server) as client:
        path = f"/api/broadcast/channels/{channel}/events"
        response = await client.post(path, json={"payload": 1, "require_ack": True})
        assert response.json()["acked"] == [listener.client_id]


async def test_the_api_sees_and_removes_listeners(server: Server, seed: Seed, channels: Channels) -> None:
    channel = channels()
    headers = {"Authorization": f"Bearer {seed.keys['all']}"}
    async with listening(server, channel) as listener, http(server) as client:
        listed = (await client.get("/api/broadcast/channels", headers=headers)).json()["channels"]
        assert {"channel": channel, "clients": 1} in listed
        member = f"/api/broadcast/channels/{channel}/members/{listener.client_id}"
        assert (await client.delete(member, headers=headers)).status_code == 204
        await listener.ws.wait_closed()
        assert listener.ws.close_code == 4403


async def test_a_policy_made_through_the_api_holds_at_once(
    server: Server, seed: Seed, channels: Channels
) -> None:
    channel = channels()
    headers = {"Authorization": f"Bearer {seed.keys['all']}"}
    async with http(server) as client:
        assert (await client.post(f"/{channel}/emit", json=1)).status_code == 200
        made = {"channel": channel, "emit": "closed"}
        assert (await client.post("/api/broadcast/policies", json=made, headers=headers)).status_code == 201
        assert (await client.post(f"/{channel}/emit", json=1)).status_code == 403
        await client.delete(f"/api/broadcast/policies/{channel}", headers=headers)
        assert (await client.post(f"/{channel}/emit", json=1)).status_code == 200

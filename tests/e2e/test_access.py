"""Keys, scopes and limits with DEBUG off, on both servers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.e2e.channels import Channels
from tests.e2e.listener import http, listen_url, listening, streaming
from tests.e2e.servers import Seed, Server


async def post(server: Server, channel: str, key: str | None = None, **options: Any) -> httpx.Response:
    headers = [(b"Authorization", f"Bearer {key}".encode())] if key else []
    async with http(server) as client:
        return await client.post(f"/{channel}/emit", json=1, headers=headers, **options)


async def test_emitting_takes_a_key_of_the_right_scope(
    production: Server, channels: Channels, seed: Seed
) -> None:
    channel = channels()
    response = await post(production, channel)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    wrong = seed.keys["all"][:-1] + ("x" if seed.keys["all"][-1] != "x" else "y")
    for key in (wrong, "x", "a.b", "ü" * 20):
        assert (await post(production, channel, key)).status_code == 401
    assert (await post(production, channel, seed.keys["listen"])).status_code == 403
    assert (await post(production, channel, seed.keys["news"])).status_code == 403
    assert (await post(production, "news." + channel, seed.keys["news"])).status_code == 200
    assert (await post(production, channel, seed.keys["all"])).status_code == 200


async def test_policies_open_and_close_channels(production: Server, channels: Channels, seed: Seed) -> None:
    assert (await post(production, channels("open"))).status_code == 200
    assert (await post(production, channels("closed"), seed.keys["all"])).status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        await connect(listen_url(production, channels("closed"), key=seed.keys["all"]), proxy=None)
    assert refused.value.response.status_code == 403


async def test_listening_to_a_locked_channel(production: Server, channels: Channels, seed: Seed) -> None:
    channel = channels("locked")
    for key, status in ((None, 401), ("nonsense", 401), (seed.keys["emit"], 403), (seed.keys["news"], 403)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(listen_url(production, channel, **({"key": key} if key else {})), proxy=None)
        # daphne knows no other status.
        assert refused.value.response.status_code == (status if production.is_serve else 403)
        parameters: Any = {"key": key} if key else {}
        async with streaming(production, channel, **parameters) as stream:
            assert stream.response.status_code == status
        async with http(production) as client:
            for what in ("history", "members"):
                response = await client.get(f"/{channel}/{what}", params={"key": key} if key else {})
                assert response.status_code == status
    async with listening(production, channel, key=seed.keys["listen"]) as listener:
        assert (await post(production, channel, seed.keys["emit"])).status_code == 200
        assert (await listener.next("DATA"))["payload"] == 1
    # Browsers cannot set a header on a socket.
    async with connect(listen_url(production, channel, key=seed.keys["listen"]), proxy=None) as ws:
        assert '"CONNECTED"' in str(await ws.recv())
    async with streaming(production, channel, key=seed.keys["listen"]) as stream:
        await stream.message("CONNECTED")


async def test_no_secret_reaches_the_log(production: Server, channels: Channels, seed: Seed) -> None:
    channel = channels("locked")
    secret = "secret-of-this-test"
    async with connect(
        listen_url(production, channel, key=seed.keys["listen"], presence=f'{{"a":"{secret}"}}'), proxy=None
    ):
        pass
    with pytest.raises(InvalidStatus):
        await connect(listen_url(production, channel, key=secret, token=secret), proxy=None)
    async with http(production) as client:
        for path in (f"/{channel}/history", f"/{channel}/members", "/nowhere", f"/admin/{secret[:0]}"):
            await client.get(path, params={"key": seed.keys["listen"], "token": secret})
            await client.get(path, headers={"Authorization": f"Bearer {seed.keys['all']}"})
        await client.get(f"/{channel}/emit", params={"key": secret, "password": secret})
        await client.get("/", headers={"Host": f"evil.example/?key={secret}"})
        await client.get("/%0Aforged-line")
    log = production.log
    assert channel in log, "connections are logged"
    assert secret not in log
    for key in seed.keys.values():
        assert key not in log
        assert key.partition(".")[2] not in log
    assert not any(line.startswith("forged-line") for line in log.splitlines())


async def test_emitting_is_limited_by_address(start_embedded: Any, channels: Channels) -> None:
    server = start_embedded({"BROADCAST_EMIT_RATE": "1", "BROADCAST_EMIT_BURST": "5"})
    statuses = [await post(server, channels()) for _ in range(8)]
    assert [response.status_code for response in statuses][:5] == [200] * 5
    assert statuses[-1].status_code == 429
    assert int(statuses[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
async def test_a_foreign_host_is_refused(production: Server, host: str) -> None:
    async with http(production) as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 400

"""How servers start, refuse to start, and leave."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from config import BASE_DIR
from tests.e2e.channels import Channels
from tests.e2e.conftest import StartServer
from tests.e2e.listener import emit, eventually, http, listening, member_ids, streaming
from tests.e2e.servers import Seed, Server, clean_environment, runserver

LEAVE_WITHIN_S = 30.0


async def left_in_order(server: Server) -> None:
    """Wait for the end. uvicorn ends itself by the signal it was sent, once it is done."""
    assert await asyncio.to_thread(server.wait, LEAVE_WITHIN_S) in (0, -signal.SIGTERM)
    assert "Finished server process" in server.log


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=clean_environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_several_workers_need_redis(seed: Seed, tmp_path: Path) -> None:
    seed.copy_to(tmp_path)
    result = run(["serve", "--workers", "2", "--port", "0"], {"DATA_DIR": str(tmp_path)})
    assert result.returncode != 0
    assert "REDIS_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_secret_key_no_production(tmp_path: Path) -> None:
    result = run(["serve", "--port", "0"], {"DATA_DIR": str(tmp_path), "DEBUG": "0"})
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_a_taken_port_is_said_to_be_taken(start_embedded: StartServer, seed: Seed, tmp_path: Path) -> None:
    server = start_embedded()
    seed.copy_to(tmp_path / "other")
    result = run(["serve", "--port", str(server.port)], {"DATA_DIR": str(tmp_path / "other")})
    assert result.returncode != 0
    assert str(server.port) in result.stderr
    assert "Traceback" not in result.stderr
    assert server.get("/healthz").status_code == 200


async def test_runserver(start_embedded: StartServer, channels: Channels) -> None:
    server = start_embedded(starter=runserver)
    server.expected_errors |= runserver_lines(server)
    channel = channels()
    async with listening(server, channel) as listener, http(server) as client:
        await emit(server, channel, 1)
        assert await listener.data(1) == [1]
        page = await client.get(f"/{channel}/listen", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert (await client.get("/static/realtime/socket.js")).status_code == 200
        assert (await client.get("/")).status_code == 200


def runserver_lines(server: Server) -> set[str]:
    """What runserver itself prints when it starts."""
    return {line["event"] for line in server.log_lines() if line["level"] == "raw"}


async def test_sigterm_tells_clients_and_finishes_requests(
    start_embedded: StartServer, channels: Channels
) -> None:
    server = start_embedded({"BROADCAST_ACK_TIMEOUT_S": "20"})
    channel = channels()
    async with AsyncExitStack() as stack:
        silent = await stack.enter_async_context(listening(server, channel))
        stream = await stack.enter_async_context(streaming(server, channel))
        await stream.message("CONNECTED")
        client = await stack.enter_async_context(http(server))
        emitting = asyncio.create_task(client.post(f"/{channel}/emit?require-ack=true", json=1))
        await silent.next_of("DATA")
        started = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert await silent.closed() == 1012
        await stream.message("DATA")
        # A proper end of the response: httpx raises where it is cut off.
        while (event := await stream.next()) is not None:
            assert json.loads(event["data"])["type"] == "PRESENCE:LEFT"
        # The listener has left, so there is nothing to wait for any more: the request is answered.
        response = await emitting
        assert (response.status_code, response.json()["missing"]) == (408, [silent.client_id])
    await left_in_order(server)
    assert time.monotonic() - started < LEAVE_WITHIN_S
    assert server.problems() == []


async def test_sigterm_with_clients_that_never_answer(
    start_embedded: StartServer, channels: Channels
) -> None:
    server = start_embedded()
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(
        f"GET /{channels()}/listen HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 101")
    async with http(server) as client:
        await client.get("/healthz")  # keep-alive
        server.send_signal(signal.SIGTERM)
        await left_in_order(server)
    writer.close()


@pytest.mark.redis
@pytest.mark.postgres
async def test_one_of_many_leaves(
    extra: Callable[..., Server], pair: tuple[Server, Server], channel: str
) -> None:
    leaving = extra()
    async with listening(pair[0], channel) as stays, http(leaving) as client:
        async with listening(leaving, channel) as goes:
            await stays.next("PRESENCE:JOINED")
            emitting = asyncio.create_task(
                client.post(f"/{channel}/emit?require-ack=true&clients={stays.client_id}", json=1)
            )
            data = await stays.next("DATA")
            leaving.send_signal(signal.SIGTERM)
            assert await goes.closed() == 1012
        # The bus still works for what is being finished.
        await stays.ack(data["eventID"])
        response = await emitting
        assert (response.status_code, response.json()["acked"]) == (200, [stays.client_id])
        await left_in_order(leaving)
        # It said goodbye: nobody has to wait for its lease to run out.
        left = await stays.next("PRESENCE:LEFT", within_s=3)
        assert left["payload"] == {"clientID": goes.client_id}
        assert await member_ids(pair[1], channel) == {stays.client_id}
    with pytest.raises(httpx.ConnectError):
        leaving.get("/healthz")
    await eventually(lambda: pair[0].readiness()["bus"] == "ok", what="a bus that never went down")

"""The small main server that other tests and measurements start as a program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from queue.main_server import HttpMainServer, Login, LoginRefused
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from realtime.wire import decode_json
from tests.main_server import REPORT_GAP_S
from tests.queue.main_server_program import START_DEADLINE_S, program
from tests.queue.providers import a_login
from tests.site import Asked, Reply, Site


@asynccontextmanager
async def queue_before(client: httpx.AsyncClient, timeout_s: float = 10.0) -> AsyncIterator[HttpMainServer]:
    main_server = HttpMainServer(str(client.base_url), timeout_s=timeout_s)
    yield main_server
    await main_server.close()


def device(token: str) -> Login:
    return a_login(token, LoginType.DEVICE)


async def control(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await (client.post("/control", json=changes) if changes else client.get("/control"))
    assert answer.status_code == 200, answer.text
    counters: dict[str, Any] = answer.json()
    return counters


async def test_logins_of_every_kind_and_their_sessions() -> None:
    async with program() as client, queue_before(client) as queue:
        tokens = [await queue.log_in(a_login("good", kind)) for kind in LoginType]
        assert len(set(tokens)) == len(LoginType)
        with pytest.raises(LoginRefused, match="This login is not accepted") as caught:
            await queue.log_in(device("bad-one"))
        assert caught.value.status_code == 403
        counters = await control(client)
        assert (counters["tried"], counters["succeeded"], counters["refused"]) == (6, 5, 1)
        assert (await client.delete("/control/sessions", params={"count": 2})).json() == {
            "ended": 2,
            "live": 3,
        }
        assert (await client.delete("/control/sessions")).json() == {"ended": 3, "live": 0}
        await queue.log_in(device("good"))
        counters = await control(client)
        assert (counters["live"], counters["highest_live"]) == (1, 5)


async def test_what_is_no_login() -> None:
    async with program() as client:
        path = "/api/user/authorization/device"
        headers = {"platform": "web"}
        for body in (b"", b"[]", b'{"token": "a"}', b'{"uniqueId": ""}', b'{"uniqueId": 1}', b"\xff"):
            assert (await client.post(path, content=body, headers=headers)).status_code == 400
        assert (await client.post(path, json={"uniqueId": "a"})).status_code == 400
        assert (await client.post(path + "s", json={"uniqueId": "a"}, headers=headers)).status_code == 400
        assert (await client.post(path, content=b"x" * 70_000, headers=headers)).status_code == 413
        assert (await client.get(path)).status_code == 404
        for changes in ({"fail_rate": 2}, {"fail_rate": True}, {"hang": 1}, {"delay_s": "1"}, {"other": 1}):
            assert (await client.post("/control", json=changes)).status_code == 400


async def test_it_can_be_told_to_misbehave() -> None:
    async with program("--capacity", "2") as client, queue_before(client) as queue:
        await control(client, refuse=True)
        with pytest.raises(LoginRefused):
            await queue.log_in(device("good"))
        await control(client, refuse=False, fail_rate=1)
        with pytest.raises(NoAnswer, match="500"):
            await queue.log_in(device("good"))
        await control(client, fail_rate=0, delay_s=0.01)
        assert await queue.log_in(device("good"))
        assert await queue.log_in(device("good"))
        with pytest.raises(NoAnswer, match="503"):
            await queue.log_in(device("good"))
        counters = await control(client)
        assert (counters["live"], counters["over_capacity"], counters["failed"]) == (2, 1, 1)


async def test_it_hangs_until_told_otherwise() -> None:
    async with program() as client, queue_before(client, timeout_s=0.2) as impatient:
        await control(client, hang=True)
        with pytest.raises(NoAnswer, match="no answer"):
            await impatient.log_in(device("good"))
        async with queue_before(client) as patient:
            waiting = asyncio.create_task(patient.log_in(device("good")))
            while (await control(client))["tried"] < 2:
                pass
            await control(client, hang=False)
            assert await waiting
        assert (await control(client))["live"] == 1, "who went away has no session"


async def test_it_reports_its_occupancy(site: Site) -> None:
    reports: asyncio.Queue[tuple[Asked, int, datetime]] = asyncio.Queue()

    async def take(asked: Asked) -> Reply:
        body = decode_json(asked.body, max_bytes=1000)
        assert set(body) == {"occupied", "measuredAt"}
        reports.put_nowait((asked, body["occupied"], datetime.fromisoformat(body["measuredAt"])))
        return Reply(status=200)

    async def reported(occupied: int) -> list[datetime]:
        """When it was measured, of every report up to this one."""
        times = []
        while True:
            asked, now_occupied, measured_at = await asyncio.wait_for(reports.get(), START_DEADLINE_S)
            assert asked.method == "PUT"
            assert asked.headers["authorization"] == "Bearer a.key"
            times.append(measured_at)
            if now_occupied == occupied:
                return times

    site.replies["/api/queue/occupancy"] = take
    async with (
        program("--report-to", site.url("/"), "--api-key", "a.key") as client,
        queue_before(client) as queue,
    ):
        (first,) = await reported(0)
        assert abs(datetime.now(UTC) - first) < timedelta(seconds=START_DEADLINE_S)
        await asyncio.gather(*(queue.log_in(device(f"good {n}")) for n in range(50)))
        times = await reported(50)
        await client.delete("/control/sessions", params={"count": 49})
        times += await reported(1)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps, default=timedelta(seconds=1)) >= timedelta(seconds=REPORT_GAP_S)
        await reported(1)  # again, though nothing changed
        site.replies["/api/queue/occupancy"] = Reply(status=503)
        await queue.log_in(device("good"))
        while not (await control(client))["reports_failed"]:
            pass
        site.replies["/api/queue/occupancy"] = take
        await reported(2)

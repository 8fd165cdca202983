"""The channel's page as HTML; what it does in a browser is tested in tests/browser."""

import json
import re

import pytest
from django.test import AsyncClient
from django.urls import reverse

from broadcast import selectors
from broadcast.models import ChannelPolicy
from realtime.runtime import Runtime

pytestmark = pytest.mark.django_db(transaction=True)


def page_data(html: str) -> dict[str, object]:
    """What the page tells its script."""
    match = re.search(r'<script id="channel-data" type="application/json">(.*?)</script>', html)
    assert match
    data: dict[str, object] = json.loads(match[1])
    return data


async def test_tells_the_script_what_holds_on_the_channel(
    async_client: AsyncClient, rt: Runtime, settings
) -> None:
    settings.BROADCAST_OPEN = True
    await ChannelPolicy.objects.acreate(channel="news", emit="key", listen="open", history_size=30)
    response = await async_client.get("/news/listen")
    data = page_data(response.content.decode())
    assert data | {"emitAccess": "key", "listenAccess": "open", "historySize": 30} == data
    assert [data[name] for name in ("listenPath", "emitPath", "historyPath", "membersPath")] == [
        "/news/listen",
        "/news/emit",
        "/news/history",
        "/news/members",
    ]
    data = page_data((await async_client.get("/other/listen")).content.decode())
    assert data | {"emitAccess": "open", "listenAccess": "open", "historySize": 0} == data


async def test_the_page_depends_on_what_is_accepted_and_needs_no_query_once_policies_are_known(
    async_client: AsyncClient, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = await async_client.get("/news/listen")
    assert "Accept" in response["Vary"]
    monkeypatch.delattr(selectors, "list_policies")
    assert (await async_client.get("/news/listen")).status_code == 200
    assert (await async_client.head("/news/listen")).status_code == 200
    assert (await async_client.post("/news/listen")).status_code == 405


@pytest.mark.parametrize("channel", ["a", "A.b_c:d~e-f", "0", "x" * 128])
async def test_every_name_has_its_page(async_client: AsyncClient, rt: Runtime, channel: str) -> None:
    path = reverse("broadcast:channel", args=[channel])
    assert path == f"/{channel}/listen"
    response = await async_client.get(path)
    assert f"<bdi>{channel}</bdi>" in response.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/api/listen",
        "/Admin/listen",
        "/../listen",
        f"/{'x' * 129}/listen",
        "/a%0A/listen",
        "/a/listen%0A",
        "/%3Cscript%3E/listen",
        "/é/listen",
    ],
)
async def test_what_is_no_name_has_none(async_client: AsyncClient, rt: Runtime, path: str) -> None:
    assert (await async_client.get(path)).status_code == 404

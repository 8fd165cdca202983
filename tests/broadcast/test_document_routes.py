"""The document's own routes, where the API has no counterpart. What both have is in `test_both_doors`."""

from typing import Any

import httpx
import pytest
from django.db import OperationalError

from broadcast.api import document
from broadcast.protocol.messages import MAX_FRAME_BYTES
from tests.broadcast.doors import Listen, make_key, make_policy, refused


@pytest.fixture(autouse=True)
def _open(settings):
    settings.BROADCAST_OPEN = True


@pytest.mark.parametrize(
    ("query", "payload"),
    [
        ("hello=world", {"hello": "world"}),
        ("a=1&a=2&b=", {"a": ["1", "2"], "b": ""}),
        ("n=5&require-ack=false&clients=1", {"n": "5"}),
        ("%C3%BC=%F0%9F%98%80+x", {"ü": "😀 x"}),
    ],
)
async def test_a_query_is_a_payload(
    site: httpx.AsyncClient, listen: Listen, query: str, payload: dict[str, Any]
):
    listener = await listen("lobby")
    assert (await site.get(f"/lobby/emit?{query}")).status_code == 200
    assert (await listener.receive("DATA"))["payload"] == payload


@pytest.mark.parametrize("query", ["", "?clients=1", "?require-ack=true&clients=client_a"])
async def test_what_steers_is_no_payload(site: httpx.AsyncClient, listen: Listen, query: str):
    await listen("lobby")
    refused(await site.get(f"/lobby/emit{query}"), 400)


@pytest.mark.parametrize(
    "query", ["a=%FF", "&".join(f"p{n}=1" for n in range(101)), "a=1&require-ack=perhaps"]
)
async def test_a_query_that_cannot_be_read(site: httpx.AsyncClient, query: str):
    refused(await site.get(f"/lobby/emit?{query}"), 400)


async def test_a_form_content_type_is_what_curl_sends(site: httpx.AsyncClient, listen: Listen):
    listener = await listen("lobby")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await site.post("/lobby/emit", content=b'{"a":1}', headers=headers)).status_code == 200
    assert (await listener.receive("DATA"))["payload"] == {"a": 1}


async def test_a_large_body_is_refused_without_being_read_to_its_end(site: httpx.AsyncClient):
    sent = 0

    async def body():
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"x" * 1024

    refused(await site.post("/lobby/emit", content=body()), 413)
    assert sent * 1024 <= MAX_FRAME_BYTES + 2048


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
async def test_listening_takes_a_way_to_listen(site: httpx.AsyncClient, accept: str):
    response = await site.get("/lobby/listen", headers={"Accept": accept})
    refused(response, 426)
    assert response.headers["upgrade"] == "websocket"


async def test_a_browser_gets_the_page(site: httpx.AsyncClient):
    response = await site.get("/lobby/listen", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("route", ["history", "members"])
async def test_a_key_in_the_query_where_no_header_can_be_sent(site: httpx.AsyncClient, route: str):
    await make_policy("lobby", listen="key")
    key = await make_key("broadcast:listen")
    assert (await site.get(f"/lobby/{route}?key={key}")).status_code == 200
    refused(await site.get(f"/lobby/{route}?key=wrong"), 401)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/lobby/emit", "GET, POST, OPTIONS"),
        ("/lobby/listen", "GET, HEAD, OPTIONS"),
        ("/lobby/history", "GET, OPTIONS"),
        ("/lobby/members", "GET, OPTIONS"),
    ],
)
async def test_methods(site: httpx.AsyncClient, path: str, allowed: str):
    refused(response := await site.delete(path), 405)
    assert response.headers["allow"] == allowed
    options = await site.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")


async def test_other_origins_read_answers_only_where_that_is_configured(site: httpx.AsyncClient, settings):
    origin = {"Origin": "https://shop.example"}
    assert "access-control-allow-origin" not in (await site.get("/lobby/emit?a=1", headers=origin)).headers
    settings.BROADCAST_CORS_ORIGINS = ["https://shop.example"]
    for response in (
        await site.get("/lobby/emit?a=1", headers=origin),
        await site.get("/lobby/emit", headers=origin),
        await site.options("/lobby/emit", headers=origin),
    ):
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert response.headers["vary"] == "Origin"
    other = await site.options("/lobby/emit", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("locked"), 503), (RuntimeError("secret detail"), 500)], ids=repr
)
async def test_failures_of_ours(site: httpx.AsyncClient, monkeypatch, error: Exception, status: int):
    async def fail(**_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(document, "emit", fail)
    text = refused(await site.post("/lobby/emit", json=1), status)
    assert str(error) not in text


@pytest.mark.parametrize("name", ["admin", "API", "static", "healthz", "..", "ticketing"])
async def test_names_the_site_uses_itself_are_no_channels(site: httpx.AsyncClient, name: str):
    for action in ("emit?a=1", "listen", "history", "members"):
        refused(await site.get(f"/{name.replace('.', '%2E')}/{action}"), 404)


async def test_foreign_names_for_this_server_are_refused(site: httpx.AsyncClient, settings):
    """Else a page of any site could have its own name point here and emit to open channels."""
    settings.ALLOWED_HOSTS = ["foyer.example"]
    refused(await site.get("/lobby/emit?a=1", headers={"host": "attacker.example"}), 400)
    assert (await site.get("/lobby/emit?a=1", headers={"host": "foyer.example:8000"})).status_code == 200

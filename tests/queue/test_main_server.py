"""Logging in at another server, byte for byte."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue.main_server import (
    MAX_HEADER_CHARS,
    MAX_JWT_BYTES,
    HttpMainServer,
    Login,
    LoginRefused,
    header_value,
)
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.site import Reply, Site, hang

GOOD = Reply({"data": {"jwt": "iamjwt"}})
PATH = "/api/user/authorization/"
SECRET = "s3cr3t-token"


@pytest.fixture
async def main_server(site: Site) -> AsyncIterator[HttpMainServer]:
    main_server = HttpMainServer(site.url("/base/"), timeout_s=5.0)
    yield main_server
    await main_server.close()


def device(token: str = SECRET, **changes: str) -> Login:
    return Login(**{"client_id": "a", "platform": "ios", "type": LoginType.DEVICE, "token": token} | changes)


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        (LoginType.FACEBOOK, "facebook", b'{"token":"s3cr3t-token"}'),
        (LoginType.GOOGLE, "google", b'{"token":"s3cr3t-token"}'),
        (LoginType.APPLE, "apple", b'{"accessToken":"s3cr3t-token"}'),
        (LoginType.LINE, "line", b'{"accessToken":"s3cr3t-token"}'),
        (LoginType.DEVICE, "device", b'{"uniqueId":"s3cr3t-token"}'),
    ],
)
async def test_what_is_sent(main_server, site, kind: LoginType, path: str, body: bytes) -> None:
    site.replies[f"/base{PATH}{path}"] = GOOD
    login = Login("a", "ios", kind, SECRET, device_id="d-1", session_id="s-1")
    assert await main_server.log_in(login) == "iamjwt"
    (asked,) = site.asked
    assert (asked.method, asked.path, asked.query) == ("POST", f"/base{PATH}{path}", {})
    assert asked.body == body
    sent = {"platform": "ios", "deviceid": "d-1", "sessionid": "s-1", "content-type": "application/json"}
    assert {name: asked.headers[name] for name in sent} == sent


async def test_what_the_client_did_not_say_is_sent_as_nothing(main_server, site) -> None:
    site.replies[f"/base{PATH}device"] = GOOD
    await main_server.log_in(device())
    assert (site.asked[0].headers["deviceid"], site.asked[0].headers["sessionid"]) == ("", "")


async def test_no_text_breaks_out_of_a_header(main_server, site) -> None:
    site.replies[f"/base{PATH}device"] = GOOD
    evil = "a\r\nAuthorization: admin\r\n\r\nGET / HTTP/1.1"
    await main_server.log_in(device("é\ud800\n", device_id=evil, session_id=" é\ud800\t50% "))
    (asked,) = site.asked
    assert "authorization" not in asked.headers
    assert asked.headers["deviceid"] == "a%0D%0AAuthorization: admin%0D%0A%0D%0AGET / HTTP/1.1"
    assert asked.headers["sessionid"] == "%C3%A9\\ud800%0950%"
    assert json.loads(asked.body) == {"uniqueId": "é\ud800\n"}


@given(st.text(max_size=80) | st.text(alphabet="\r\n\t\0 :%é\ud800a", max_size=80))
def test_any_text_is_a_header(text: str) -> None:
    value = header_value(text)
    h11.Request(method="GET", target="/", headers=[("Host", "x"), ("deviceid", value)])
    assert value.isascii()
    assert value.isprintable()
    if text.isascii() and text.isprintable():
        assert value == text.strip()


async def test_a_header_that_is_too_long(main_server, site) -> None:
    site.replies[f"/base{PATH}device"] = GOOD
    assert await main_server.log_in(device(device_id="x" * MAX_HEADER_CHARS))
    with pytest.raises(LoginRefused, match="too long") as caught:
        await main_server.log_in(device(session_id="x" * (MAX_HEADER_CHARS + 1)))
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply({"message": "Banned until Friday."}, status=403), "Banned until Friday."),
        (Reply({"error": "no such user"}, status=404), "no such user"),
        (Reply({"message": " ", "error": "no such user"}, status=422), "no such user"),
        (Reply({"message": "a\x1b[31m\n\u202eb" + "c" * 500}, status=400), "a[31mb" + "c" * 194),
        (Reply({"message": {"text": "no"}, "error": None}, status=401), None),
        (Reply({"message": "\x00\u202e"}, status=401), None),
        (Reply([], status=401), None),
        (Reply(b"<html>", status=499), None),
        (Reply(b"", status=400), None),
    ],
)
async def test_a_refusal_is_told(main_server, site, reply: Reply, message: str | None) -> None:
    site.replies[f"/base{PATH}device"] = reply
    with pytest.raises(LoginRefused) as caught:
        await main_server.log_in(device())
    assert caught.value.status_code == reply.status
    assert caught.value.message == (message or "The main server refused this login.")


@pytest.mark.parametrize(
    "reply",
    [
        *(Reply({"message": "later"}, status=status) for status in (408, 425, 429, 500, 502, 503, 599)),
        Reply({"data": {"jwt": "iamjwt"}}, status=302, headers={"Location": "/base/other"}),
        Reply(status=204, headers={}),
        Reply(b"iamjwt"),
        Reply(b"\xff\xfe"),
        Reply(b'{"data": {"jwt": "a", "jwt": "b"}}'),
        Reply({"jwt": "iamjwt"}),
        Reply({"data": "iamjwt"}),
        Reply({"data": None}),
        Reply({"data": {}}),
        Reply({"data": {"jwt": ""}}),
        Reply({"data": {"jwt": 5}}),
        Reply({"data": {"jwt": ["iamjwt"]}}),
        Reply({"data": {"jwt": "x" * (MAX_JWT_BYTES + 1)}}),
        Reply({"data": {"jwt": "é" * (MAX_JWT_BYTES // 2 + 1)}}),
        Reply({"data": {"jwt": "iamjwt", "padding": "x" * 100_000}}),
        Reply(b"", headers={"Content-Length": "-1"}),
        Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_what_is_not_the_clients_fault(main_server, site, caplog, reply: Reply) -> None:
    caplog.set_level(logging.DEBUG)
    site.replies[f"/base{PATH}device"] = reply
    with pytest.raises(NoAnswer) as caught:
        await main_server.log_in(device())
    assert len(site.asked) == 1, "one attempt"
    assert SECRET not in repr(caught.value) + caplog.text


async def test_the_longest_session_token(main_server, site) -> None:
    site.replies[f"/base{PATH}device"] = Reply({"data": {"jwt": "x" * MAX_JWT_BYTES}})
    assert await main_server.log_in(device()) == "x" * MAX_JWT_BYTES


async def test_a_main_server_that_hangs(site) -> None:
    seen = asyncio.Event()
    site.replies[f"{PATH}device"] = hang(seen)
    main_server = HttpMainServer(site.url(), timeout_s=0.05)
    with pytest.raises(NoAnswer, match=r"the main server: no answer within 0\.05 s"):
        await main_server.log_in(device())
    assert seen.is_set()
    # And the connection is not one that the next answer is read from.
    site.replies[f"{PATH}device"] = GOOD
    assert await main_server.log_in(device()) == "iamjwt"
    await main_server.close()


async def test_nobody_listens(caplog, site) -> None:
    caplog.set_level(logging.DEBUG)
    async with Site() as gone:
        pass
    main_server = HttpMainServer(gone.url(), timeout_s=5.0)
    with pytest.raises(NoAnswer, match="no connection") as caught:
        await main_server.log_in(device())
    assert SECRET not in repr(caught.value) + caplog.text
    await main_server.close()


def test_a_login_does_not_show_its_secrets() -> None:
    login = Login("a", "web", LoginType.GOOGLE, SECRET, session_id="s3cr3t-session")
    assert "s3cr3t" not in repr(login)

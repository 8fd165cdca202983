"""Facebook's access tokens, which Facebook is asked about."""

import hashlib
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from queue.logins import LoginRefused
from queue.openid_tokens import MAX_REMEMBERED, MAX_TOKEN_CHARS
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.queue.providers import (
    a_login,
    refusal,
)
from tests.site import Reply


def about_token(**changes: Any) -> Reply:
    data = {"app_id": "4711", "type": "USER", "application": "Ours", "is_valid": True, "user_id": "99"}
    return Reply(
        {"data": {**data, "expires_at": int(time.time()) + 5000, "scopes": ["public_profile"], **changes}}
    )


async def test_facebook_is_asked_about_its_tokens(verifier, site, used_tokens, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    site.replies["/debug_token"] = about_token()
    assert await verifier.verify(a_login("EAA&b=c", LoginType.FACEBOOK)) == "facebook:99"
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("GET", "/debug_token")
    assert asked.query == {"input_token": "EAA&b=c", "access_token": "4711|app&secret"}
    assert used_tokens.client_by_digest == {hashlib.sha256(b"EAA&b=c").hexdigest(): "a"}
    assert "EAA" not in caplog.text
    assert "secret" not in caplog.text


async def test_a_facebook_token_without_end_is_remembered_for_long(
    verifier, site, used_tokens, clock_of_now
) -> None:
    site.replies["/debug_token"] = about_token(expires_at=0)
    assert await verifier.verify(a_login("EAA", LoginType.FACEBOOK))
    (expires_at,) = used_tokens.expires_at
    assert (
        expires_at - datetime.fromtimestamp(clock_of_now.time_ms() / 1000, UTC)
        == MAX_REMEMBERED
        > timedelta(days=90)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"is_valid": False, "error": {"code": 190, "message": "Error validating access token"}},
        {"is_valid": "true"},
        {"app_id": "4712"},
        {"app_id": None},
        {"user_id": None},
        {"user_id": ""},
        {"user_id": 99},
        {"type": "APP"},
        {"type": "PAGE"},
        {"expires_at": 1_570_820_400},
        {"expires_at": None},
    ],
    ids=str,
)
async def test_facebook_says_no_or_says_it_is_for_others(verifier, site, changes: dict[str, Any]) -> None:
    site.replies["/debug_token"] = about_token(**changes)
    await refusal(verifier, "EAAB", LoginType.FACEBOOK)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply({"error": {"message": "Invalid OAuth access token.", "code": 190}}, status=400),
        Reply(b"<html>"),
        Reply({"data": []}),
    ],
)
async def test_facebook_cannot_say(verifier, site, reply: Reply) -> None:
    site.replies["/debug_token"] = reply
    with pytest.raises(NoAnswer, match="Facebook"):
        await verifier.verify(a_login("EAAB", LoginType.FACEBOOK))


@pytest.mark.parametrize("token", ["", "\n", "EAA\r\nHost: x", "é", "\ud800", "x" * (MAX_TOKEN_CHARS + 1)])
async def test_facebook_is_not_asked_about_what_cannot_be(verifier, site, token: str) -> None:
    with pytest.raises(LoginRefused):
        await verifier.verify(a_login(token, LoginType.FACEBOOK))
    assert site.asked == []

"""Tokens of LINE's web login, which LINE is asked about."""

import jwt
import pytest

from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.queue.providers import LINE, a_login, refusal
from tests.site import Reply


def line_web_token() -> str:
    return jwt.encode(LINE.claims(), "the channel's secret, 32 characters", "HS256")


async def test_line_is_asked_about_tokens_of_its_web_login(verifier, site) -> None:
    site.replies["/verify"] = Reply({**LINE.claims(sub="U1"), "amr": ["pwd"], "name": "Taro"})
    token = line_web_token()
    assert await verifier.verify(a_login(token, LoginType.LINE)) == "line:U1"
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("POST", "/verify")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form == {"id_token": token, "client_id": LINE.audience}


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": "invalid_request", "error_description": "IdToken expired."}, status=400),
        Reply(LINE.claims(aud="another-channel")),
        Reply(LINE.claims(iss="https://example.org")),
        Reply(LINE.claims(iss=["https://access.line.me"])),
        Reply(LINE.claims(sub=None)),
        Reply(LINE.claims(sub="")),
        Reply(LINE.claims(exp=1_504_169_092)),
        Reply(LINE.claims(exp="never")),
        Reply({}),
    ],
)
async def test_line_says_no_or_says_it_is_for_others(verifier, site, reply: Reply) -> None:
    site.replies["/verify"] = reply
    await refusal(verifier, line_web_token(), LoginType.LINE)


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(status=429), Reply(status=404), Reply(b"<html>"), Reply([])]
)
async def test_line_cannot_say(verifier, site, reply: Reply) -> None:
    site.replies["/verify"] = reply
    with pytest.raises(NoAnswer, match="LINE"):
        await verifier.verify(a_login(line_web_token(), LoginType.LINE))


async def test_only_line_is_asked_about_hs256(verifier, site) -> None:
    await refusal(verifier, line_web_token(), LoginType.GOOGLE)
    assert site.asked == []

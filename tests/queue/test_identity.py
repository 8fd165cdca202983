"""Which providers there are, and that a token serves one client."""

import time
from datetime import UTC, datetime

import jwt
import pytest

from queue.identity import make_identity_verifier
from queue.logins import LoginRefused
from queue.openid_tokens import LEEWAY_S, MAX_REMEMBERED
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.queue.providers import APPLE, GOOGLE, a_login, b64
from tests.site import Site

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


async def test_a_token_serves_one_client(verifier, used_tokens) -> None:
    token = GOOGLE.token()
    for _ in range(2):
        assert await verifier.verify(a_login(token, client_id="a")) == "google:1234"
    with pytest.raises(LoginRefused, match="another client") as caught:
        await verifier.verify(a_login(token, client_id="b"))
    assert caught.value.status_code == 401
    assert await verifier.verify(a_login(GOOGLE.token(jti="another"), client_id="b"))


async def test_the_same_token_with_another_good_signature_is_still_the_same(verifier) -> None:
    token = APPLE.token("e1")
    signed, _, signature = token.rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    twin = f"{signed}.{b64(other)}"
    assert twin != token
    assert await verifier.verify(a_login(twin, LoginType.APPLE, "a")), "it is a good signature"
    with pytest.raises(LoginRefused, match="another client"):
        await verifier.verify(a_login(token, LoginType.APPLE, "b"))


async def test_it_is_remembered_for_as_long_as_it_would_be_accepted(
    verifier, used_tokens, clock_of_now
) -> None:
    now = int(time.time())
    await verifier.verify(a_login(GOOGLE.token(exp=now + 100)))
    (expires_at,) = used_tokens.expires_at
    assert expires_at == datetime.fromtimestamp(now + 100 + LEEWAY_S, UTC)
    used_tokens.expires_at.clear()
    await verifier.verify(a_login(GOOGLE.token(exp=10**20)))
    (expires_at,) = used_tokens.expires_at
    assert expires_at == datetime.fromtimestamp(clock_of_now.time_ms() / 1000, UTC) + MAX_REMEMBERED


@pytest.mark.parametrize("kind", [kind for kind in LoginType if kind is not LoginType.DEVICE])
async def test_a_provider_that_is_not_set_up(used_tokens, settings, kind: LoginType) -> None:
    settings.QUEUE_FACEBOOK_APP_ID = "4711"  # and no secret
    verifier = make_identity_verifier(used_tokens.remember)
    with pytest.raises(LoginRefused, match="is not set up on this server") as caught:
        await verifier.verify(a_login(GOOGLE.token(), kind))
    assert caught.value.status_code == 401
    await verifier.close()


async def test_nobody_listens(site, used_tokens, settings, caplog) -> None:
    async with Site() as gone:
        pass
    settings.QUEUE_GOOGLE_AUDIENCES = [GOOGLE.audience]
    settings.QUEUE_GOOGLE_KEYS_URL = gone.url("/google")
    verifier = make_identity_verifier(used_tokens.remember)
    with pytest.raises(NoAnswer, match="no connection"):
        await verifier.verify(a_login(token := GOOGLE.token()))
    assert token not in caplog.text
    await verifier.close()

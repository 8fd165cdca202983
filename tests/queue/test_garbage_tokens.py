"""Whatever is sent as a token, it is refused, and nothing else happens."""

import json
from contextlib import suppress
from typing import Any

import jwt
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from queue.logins import LoginRefused
from queue.protocol.messages import LoginType
from tests.queue.providers import GOOGLE, a_login, b64, forged, refusal, rsa_key
from tests.site import Reply

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
claim_values = json_values | st.sampled_from([GOOGLE.name, GOOGLE.audience, 10**400, -1, "9" * 400, 2**63])
headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "zip"]),
    json_values | st.sampled_from(["RS256", "ES256", "HS256", "r1", "e1", ["b64"], ["exp"]]),
)
claims = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("iss", "aud", "sub", "exp", "iat", "nbf", "jti"), claim_values)
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    token=st.text()
    | st.text(alphabet="abcXYZ019-_.=", max_size=60)
    | st.builds(forged, headers, claims, st.binary(max_size=70))
    | st.builds(lambda n: f"{b64(b'[' * n)}.{b64(b'{')}.", st.integers(1, 5000))
)
async def test_garbage_is_refused_and_raises_nothing_else(verifier, site, token: str) -> None:
    site.replies["/verify"] = Reply({"error": "invalid_request"}, status=400)
    site.replies["/debug_token"] = Reply({"data": {"is_valid": False, "scopes": []}})
    for kind in LoginType:
        if kind is not LoginType.DEVICE:
            await refusal(verifier, token, kind)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=claims)
async def test_whatever_the_issuer_signs_raises_nothing_else(verifier, changes: dict[str, Any]) -> None:
    payload = json.dumps(GOOGLE.claims() | changes).encode()
    token = jwt.PyJWS().encode(payload, rsa_key("r1"), "RS256", {"kid": "r1"})
    with suppress(LoginRefused):
        assert await verifier.verify(a_login(token))

"""Identity tokens by the issuer's keys: the good ones, and every kind that is not."""

import asyncio
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from queue.identity import make_identity_verifier
from queue.openid_tokens import LEEWAY_S, MAX_TOKEN_CHARS
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.queue.providers import (
    APPLE,
    GOOGLE,
    LINE,
    Issuer,
    a_login,
    b64,
    ec_key,
    forged,
    public_jwk,
    refusal,
    rsa_key,
)
from tests.site import Reply, hang


@pytest.mark.parametrize(
    ("kind", "issuer", "key_id", "changes", "subject"),
    [
        (LoginType.GOOGLE, GOOGLE, "r1", {}, "google:1234"),
        (LoginType.GOOGLE, GOOGLE, "r1", {"iss": "accounts.google.com", "aud": "our-web-app"}, "google:1234"),
        (LoginType.GOOGLE, GOOGLE, "r1", {"aud": ["our-web-app", GOOGLE.audience]}, "google:1234"),
        (LoginType.APPLE, APPLE, "r1", {"sub": "001.abc.9"}, "apple:001.abc.9"),
        (LoginType.APPLE, APPLE, "e1", {"iss": "https://account.apple.com"}, "apple:1234"),
        (LoginType.LINE, LINE, "e1", {"sub": "U99"}, "line:U99"),
    ],
)
async def test_good_tokens(verifier, used_tokens, kind, issuer, key_id, changes, subject) -> None:
    token = issuer.token(key_id, **changes)
    assert await verifier.verify(a_login(token, kind)) == subject
    assert list(used_tokens.client_by_digest.values()) == ["a"]
    assert token not in used_tokens.client_by_digest


async def test_clocks_may_differ_by_a_minute(verifier) -> None:
    now = int(time.time())
    assert await verifier.verify(a_login(GOOGLE.token(exp=now - LEEWAY_S + 20)))
    assert await verifier.verify(a_login(GOOGLE.token(iat=now + LEEWAY_S - 20, nbf=now + LEEWAY_S - 20)))
    assert "expired" in await refusal(verifier, GOOGLE.token(exp=now - LEEWAY_S - 1))
    await refusal(verifier, GOOGLE.token(iat=now + LEEWAY_S + 20))
    await refusal(verifier, GOOGLE.token(nbf=now + LEEWAY_S + 20))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-app"},
        {"aud": ["our-web-app", "another-app"]},
        {"aud": []},
        {"aud": ""},
        {"aud": {"our-web-app": 1}},
        {"aud": None},
        {"iss": "https://accounts.google.com.example.org"},
        {"iss": "https://appleid.apple.com"},
        {"iss": ""},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"exp": None},
        {"iat": None},
    ],
    ids=str,
)
async def test_claims_that_are_not_for_us(verifier, used_tokens, changes: dict[str, Any]) -> None:
    await refusal(verifier, GOOGLE.token(**changes))
    assert used_tokens.client_by_digest == {}, "only what is good is remembered"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": 5},
        {"exp": "soon"},
        {"exp": [9]},
        {"exp": float("inf")},
        {"iat": {}},
        {"iss": ["x"]},
        {"nbf": ""},
    ],
    ids=str,
)
async def test_claims_of_the_wrong_type(verifier, claims: dict[str, Any]) -> None:
    payload = json.dumps(GOOGLE.claims() | claims).encode()
    await refusal(verifier, jwt.PyJWS().encode(payload, rsa_key("r1"), "RS256", {"kid": "r1"}))


async def test_a_key_that_is_not_the_issuers(verifier, site) -> None:
    await refusal(verifier, GOOGLE.token(signed_by=rsa_key("a forger's")))
    await refusal(verifier, APPLE.token("e1", signed_by=ec_key("a forger's")), LoginType.APPLE)
    # Google signs with RSA only, whatever other keys it may publish.
    await refusal(verifier, GOOGLE.token("e1"))


async def test_tokens_of_one_issuer_are_nothing_to_another(verifier) -> None:
    await refusal(verifier, GOOGLE.token(), LoginType.APPLE)
    await refusal(verifier, APPLE.token(), LoginType.GOOGLE)


async def test_no_signature_is_no_signature(verifier, site) -> None:
    for algorithm in ("none", "None", "NONE", "", None, 0, ["RS256"], {}):
        header = {"alg": algorithm, "typ": "JWT", "kid": "r1"}
        await refusal(verifier, forged(header, GOOGLE.claims()))
        await refusal(verifier, forged(header, GOOGLE.claims(), b"signature"))
    await refusal(verifier, forged({"kid": "r1"}, GOOGLE.claims()))
    assert site.asked == [], "the issuer is not even asked for its keys"
    await refusal(verifier, forged({"alg": "RS256", "kid": "r1"}, GOOGLE.claims()))


async def test_a_public_key_is_no_shared_secret(verifier) -> None:
    """The classic: HS256, keyed with the text of the public key that everybody knows."""
    public = rsa_key("r1").public_key()
    texts = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public_jwk("r1", rsa_key("r1"))).encode(),
    ]
    hs256 = jwt.algorithms.HMACAlgorithm(hashlib.sha256)
    for text in texts:
        for kind in (LoginType.GOOGLE, LoginType.APPLE):
            unsigned = forged({"alg": "HS256", "kid": "r1"}, GOOGLE.claims()).removesuffix(".")
            await refusal(verifier, f"{unsigned}.{b64(hs256.sign(unsigned.encode(), text))}", kind)


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(verifier, site, clock_of_now) -> None:
    tokens = [
        jwt.encode(GOOGLE.claims(), rsa_key("r1"), "RS256", {"kid": f"made up {number}"})
        for number in range(50)
    ]
    await asyncio.gather(*(refusal(verifier, token) for token in tokens))
    assert len(site.asked_for("/google")) == 1
    clock_of_now.advance(30)
    for token in tokens:
        await refusal(verifier, token)
    assert len(site.asked_for("/google")) == 2


async def test_an_issuer_changes_its_keys(verifier, site, clock_of_now) -> None:
    after = Issuer(GOOGLE.name, GOOGLE.audience)
    after.keys = {"r2": rsa_key("r2")}
    await verifier.verify(a_login(GOOGLE.token()))
    site.replies["/google"] = Reply(after.jwks())
    clock_of_now.advance(30)
    assert await verifier.verify(a_login(after.token("r2")))
    await refusal(verifier, GOOGLE.token())


async def test_an_issuer_that_is_down(verifier, site, clock_of_now) -> None:
    good = site.replies["/google"]
    for reply in (
        Reply(status=500),
        Reply(b"<html>"),
        Reply({"keys": []}),
        Reply(GOOGLE.jwks(), status=302, headers={"Location": site.url("/apple")}),
        Reply(b"x" * 70_000),
        Reply(b"not gzip", headers={"Content-Encoding": "gzip"}),
    ):
        site.replies["/google"] = reply
        with pytest.raises(NoAnswer):
            await verifier.verify(a_login(GOOGLE.token()))
        clock_of_now.advance(1)
    site.replies["/google"] = good
    assert await verifier.verify(a_login(GOOGLE.token()))
    site.replies["/google"] = Reply(status=500)
    clock_of_now.advance(3600)
    assert await verifier.verify(a_login(GOOGLE.token())), "the keys it had are kept"


async def test_an_issuer_that_says_nothing(site, settings, verifier, used_tokens) -> None:
    seen = asyncio.Event()
    site.replies["/google"] = hang(seen)
    settings.MAIN_SERVER_TIMEOUT_S = 0.05
    impatient = make_identity_verifier(used_tokens.remember)
    with pytest.raises(NoAnswer, match="no answer within"):
        await impatient.verify(a_login(GOOGLE.token()))
    assert seen.is_set()
    await impatient.close()


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é.é.é", "\ud800", "\0", "e30.e30.", "e30", "[]", "W10.e30.x"]
)
async def test_what_is_no_token_at_all(verifier, site, token: str) -> None:
    for kind in (LoginType.GOOGLE, LoginType.APPLE, LoginType.LINE):
        await refusal(verifier, token, kind)
    assert site.asked == []


async def test_a_token_that_is_too_large(verifier, site) -> None:
    fits = GOOGLE.token(padding="")
    room = (MAX_TOKEN_CHARS - len(fits)) * 3 // 4 - 3
    assert await verifier.verify(a_login(GOOGLE.token(padding="x" * room)))
    too_large = GOOGLE.token(padding="x" * (room + 8))
    assert len(too_large) > MAX_TOKEN_CHARS
    await refusal(verifier, too_large)


async def test_a_weak_key_of_an_issuer_is_not_used(verifier, site) -> None:
    weak = rsa_key("weak", 1024)
    site.replies["/google"] = Reply({"keys": [public_jwk("weak", weak)]})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(GOOGLE.claims(), weak, "RS256", {"kid": "weak"})
    await refusal(verifier, token)

"""Identity providers: `Issuer` makes keys and signs tokens with them."""

import base64
import json
import time
from datetime import datetime
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from queue.identity import IdentityVerifier
from queue.logins import Login, LoginRefused
from queue.protocol.messages import LoginType


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Made once: it takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key_id: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """As an issuer publishes it."""
    if isinstance(private, rsa.RSAPrivateKey):
        data = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        data.pop("key_ops", None)
        return {**data, "kid": key_id, "use": "sig", "alg": "RS256"}
    data = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {**data, "kid": key_id, "use": "sig", "alg": "ES256"}


class Issuer:
    """An issuer with an RSA key ``r1`` and a key ``e1`` on P-256; give `keys` for others."""

    def __init__(self, name: str, audience: str) -> None:
        self.name = name
        self.audience = audience
        self.keys: dict[str, Any] = {"r1": rsa_key("r1"), "e1": ec_key("e1")}

    def jwks(self) -> dict[str, Any]:
        return {"keys": [public_jwk(key_id, key) for key_id, key in self.keys.items()]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones, with `changes`; a claim changed to None is left out."""
        now = int(time.time())
        claims = {"iss": self.name, "aud": self.audience, "sub": "1234", "iat": now, "exp": now + 3600}
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, key_id: str = "r1", *, signed_by: Any = None, **changes: Any) -> str:
        """A token signed by its key `key_id`, or by another that claims to be it."""
        key = signed_by or self.keys[key_id]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changes), key, algorithm=algorithm, headers={"kid": key_id})


GOOGLE = Issuer("https://accounts.google.com", "our-google-app")
APPLE = Issuer("https://appleid.apple.com", "org.example.app")
LINE = Issuer("https://access.line.me", "1234567890")


class UsedTokens:
    """Which client used which token, as the database keeps it."""

    def __init__(self) -> None:
        self.client_by_digest: dict[str, str] = {}
        self.expires_at: list[datetime] = []

    async def remember(self, digest: str, client_id: str, expires_at: datetime) -> bool:
        self.expires_at.append(expires_at)
        return self.client_by_digest.setdefault(digest, client_id) == client_id


def a_login(token: str, kind: LoginType = LoginType.GOOGLE, client_id: str = "a") -> Login:
    return Login(client_id=client_id, platform="web", type=kind, token=token)


async def refusal(verifier: IdentityVerifier, token: str, kind: LoginType = LoginType.GOOGLE) -> str:
    """The message of the refusal there must be."""
    with pytest.raises(LoginRefused) as caught:
        await verifier.verify(a_login(token, kind))
    assert caught.value.status_code == 401
    assert len(token) < 5 or token not in repr(caught.value)
    return caught.value.message


def forged(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token put together by hand, with any signature."""
    return ".".join(
        b64(part) for part in (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    )


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

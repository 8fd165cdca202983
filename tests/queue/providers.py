"""Identity providers and a main server to be asked, on a free port of this machine and the test's own loop.

`Site` is an HTTP server that answers as it is told and keeps what it was asked. `Issuer` makes keys and
signs tokens with them.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from queue.identity import IdentityVerifier
from queue.logins import Login, LoginRefused
from queue.protocol.messages import LoginType


@dataclass(frozen=True)
class Asked:
    """One request: header names in lower case, as they came otherwise."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is sent as JSON unless it is bytes."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} As told", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Site:
    """Answers every path with what `replies` has for it: a `Reply`, or a function that gives one."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply | Callable[[Asked], Awaitable[Reply]]] = {}
        self.asked: list[Asked] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self._connections)

    async def __aenter__(self) -> Self:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.add(asyncio.create_task(self._connection(reader, writer)))

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1000)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def asked_for(self, path: str) -> list[Asked]:
        return [request for request in self.asked if request.path == path]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                method, target, _version = request_line.split(" ")
                path = urlsplit(target)
                asked = Asked(
                    method,
                    path.path,
                    {name: values[0] for name, values in parse_qs(path.query).items()},
                    headers,
                    await reader.readexactly(int(headers.get("content-length", "0"))),
                )
                self.asked.append(asked)
                reply = self.replies.get(path.path, Reply(status=404))
                writer.write((reply if isinstance(reply, Reply) else await reply(asked)).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def hang(seen: asyncio.Event) -> Callable[[Asked], Awaitable[Reply]]:
    """A reply that never comes; `seen` is set when it is asked for."""

    async def never(_asked: Asked) -> Reply:
        seen.set()
        await asyncio.Event().wait()
        raise AssertionError

    return never


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

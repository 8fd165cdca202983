"""Identity tokens of OpenID Connect issuers: Google, Apple and LINE.

A token is believed if the issuer's own key signed it, with one of the algorithms that this issuer uses, for
us, and now. What the token says of itself decides nothing but which key is tried. Used by `identity`.

Sources: OpenID Connect Core 1.0, 3.1.3.7; RFC 8725 (JWT best current practices); LINE Developers, "Get
profile information from ID tokens".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from queue.issuer_keys import IssuerKeys
from queue.logins import LoginRefused
from realtime.clock import Clock, SystemClock
from realtime.outbound import NoAnswer, Outbound

__all__ = ["LEEWAY_S", "MAX_TOKEN_CHARS", "LineTokens", "OpenIdProvider", "OpenIdTokens", "Proof", "until"]

# Real ones have one or two thousand characters.
MAX_TOKEN_CHARS: Final = 8 * 1024
# Between the issuer's clock and ours.
LEEWAY_S: Final = 60
# OpenID Connect Core, 2: a subject has no more than 255 characters.
MAX_SUBJECT_CHARS: Final = 255
# Used tokens are remembered for no longer than this, whatever they say. Issuers give them an hour or a day.
MAX_REMEMBERED: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a token proves: `subject` is the person at that provider.

    `digest` tells tokens apart without being one (64 hexadecimal characters); from `expires_at` on the
    token would be refused anyway.
    """

    subject: str
    digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """An issuer and what we ask of its tokens.

    `audiences` are our client ids there; `verify_url` is asked about HS256 tokens (LINE alone).
    """

    name: str
    issuers: frozenset[str]
    algorithms: tuple[str, ...]
    audiences: frozenset[str]
    keys_url: str
    verify_url: str = ""


class OpenIdTokens:
    """Verifies one issuer's identity tokens by its published keys."""

    def __init__(
        self,
        provider: OpenIdProvider,
        *,
        outbound: Outbound,
        clock: Clock | None = None,
    ) -> None:
        self.provider = provider
        self._clock = clock or SystemClock()
        self._outbound = outbound
        self._keys = IssuerKeys(
            provider.name,
            lambda: outbound.send("GET", provider.keys_url, who=f"the keys of {provider.name}"),
            self._clock,
        )

    async def prove(self, token: str) -> Proof:
        """Who `token` stands for. Seldom costs a request.

        Raises:
            LoginRefused: 401; it is not a token of this issuer for us, or not at this time.
            NoAnswer: its key is not known and the issuer was not reached.
        """
        return await self._prove(token, self._header(token))

    async def close(self) -> None:
        """Stop what is under way."""
        await self._keys.close()

    def _header(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise self._refused()
        try:
            return jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise self._refused() from None

    async def _prove(self, token: str, header: Mapping[str, Any]) -> Proof:
        key_id = header.get("kid")
        # Before the key is looked for: what cannot be good must not make us ask the issuer.
        if header.get("alg") not in self.provider.algorithms or not isinstance(key_id, str):
            raise self._refused()
        key = await self._keys.get(key_id)
        if key is None:
            raise self._refused()
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=self.provider.algorithms,
                audience=self.provider.audiences,
                issuer=self.provider.issuers,
                leeway=LEEWAY_S,
                options={
                    "require": ["iss", "aud", "sub", "exp", "iat"],
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.ExpiredSignatureError:
            raise self._expired() from None
        except jwt.PyJWTError:
            raise self._refused() from None
        return self._proof(token, claims)

    def _proof(self, token: str, claims: Mapping[str, Any]) -> Proof:
        """From claims that were verified, but for the two things that nobody has looked at yet."""
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        subject = claims["sub"]
        # A token that is also for somebody else could be brought here by them.
        if not self.provider.audiences.issuperset(audiences) or not 0 < len(subject) <= MAX_SUBJECT_CHARS:
            raise self._refused()
        # Without the signature, of which anybody can make a second one for ES256: (r, n - s) for (r, s).
        signed = token.rpartition(".")[0]
        digest = hashlib.sha256(signed.encode()).hexdigest()
        return Proof(subject, digest, until(int(claims["exp"]), self._clock))

    def _refused(self) -> LoginRefused:
        return LoginRefused(401, f"This is not an identity token that {self.provider.name} made for us.")

    def _expired(self) -> LoginRefused:
        return LoginRefused(401, f"The token of {self.provider.name} has expired. Sign in there again.")


class LineTokens(OpenIdTokens):
    """LINE's: ES256 from apps, by its keys; HS256 from web login, which LINE is asked about.

    Those are signed with the channel's secret, which therefore need not be known here.
    """

    async def prove(self, token: str) -> Proof:
        """As `OpenIdTokens.prove`; an HS256 token costs a request each time."""
        header = self._header(token)
        return await (self._ask(token) if header.get("alg") == "HS256" else self._prove(token, header))

    async def _ask(self, token: str) -> Proof:
        (channel,) = self.provider.audiences
        answer = await self._outbound.send(
            "POST",
            self.provider.verify_url,
            who=f"{self.provider.name}'s verification",
            data={"id_token": token, "client_id": channel},
        )
        # 400 is LINE's word for a bad token; any other is about our request, or LINE itself.
        if answer.status == 400:
            raise self._refused()
        claims = answer.json_object()
        if answer.status != 200 or claims is None:
            raise NoAnswer(f"{self.provider.name}'s verification: answered {answer.status}")
        expires_s = claims.get("exp")
        if not (
            isinstance(issuer := claims.get("iss"), str)
            and issuer in self.provider.issuers
            and claims.get("aud") == channel
            and isinstance(claims.get("sub"), str)
            and isinstance(expires_s, int | float)
        ):
            raise self._refused()
        if expires_s <= self._clock.time_ms() / 1000 - LEEWAY_S:
            raise self._expired()
        return self._proof(token, claims)


def until(expires_s: float, clock: Clock) -> datetime:
    """The moment from which on a token that expires at `expires_s` (since 1970) needs no remembering."""
    latest_s = clock.time_ms() / 1000 + MAX_REMEMBERED.total_seconds()
    return datetime.fromtimestamp(min(expires_s + LEEWAY_S, latest_s), tz=UTC)

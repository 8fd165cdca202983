"""Who is it? Verifies the tokens that people get from Google, Apple, LINE and Facebook.

For `main_server.LocalMainServer`, which has nobody else to ask. How a provider's tokens are verified is in
`openid_tokens` and `facebook_tokens`; here is which providers there are, by the settings, and that a token
serves one client only. The page is ``docs/protocols/queue.md``.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from django.conf import settings

from queue.facebook_tokens import FacebookTokens
from queue.logins import Login, LoginRefused
from queue.openid_tokens import LineTokens, OpenIdProvider, OpenIdTokens, Proof
from queue.protocol.messages import LoginType
from realtime.clock import Clock
from realtime.outbound import Outbound

__all__ = ["IdentityVerifier", "Provider", "Remember", "make_identity_verifier"]

Remember: TypeAlias = Callable[[str, str, datetime], Awaitable[bool]]
"""``remember(digest, client_id, expires_at)``: False if another client used the token of this digest
before; otherwise it is this client's from now on. Needs to be kept until `expires_at` only."""

_NAMES: Final = {
    LoginType.FACEBOOK: "Facebook",
    LoginType.GOOGLE: "Google",
    LoginType.APPLE: "Apple",
    LoginType.LINE: "LINE",
}

# Both are to be found in tokens: Google's have had the short form, Apple's metadata the newer one.
_GOOGLE_ISSUERS: Final = frozenset({"https://accounts.google.com", "accounts.google.com"})
_APPLE_ISSUERS: Final = frozenset({"https://appleid.apple.com", "https://account.apple.com"})
_LINE_ISSUERS: Final = frozenset({"https://access.line.me"})


class Provider(Protocol):
    """Verifies one provider's tokens."""

    async def prove(self, token: str) -> Proof:
        """Who `token` stands for; raises LoginRefused or NoAnswer."""
        ...

    async def close(self) -> None:
        """Stop what is under way."""
        ...


class IdentityVerifier:
    """Asks the provider that a login names. `close` when done; `outbound` then is closed with it."""

    def __init__(
        self, providers: Mapping[LoginType, Provider], *, remember: Remember, outbound: Outbound
    ) -> None:
        self._providers = dict(providers)
        self._remember = remember
        self._outbound = outbound

    async def verify(self, login: Login) -> str:
        """The subject that `login` is good for, such as ``google:110169484474386276334``.

        The same client may bring the same token again: it may not have got the answer.

        Raises:
            LoginRefused: 401; the provider is not set up here, or the token is not valid, or another
                client used it before.
            NoAnswer: the provider was needed and not reached; or as `remember` raises it.
        """
        provider = self._providers.get(login.type)
        if provider is None:
            raise LoginRefused(401, f"Logging in with {_NAMES[login.type]} is not set up on this server.")
        proof = await provider.prove(login.token)
        # Last, so that nobody can fill the memory with tokens of their own making.
        if not await self._remember(proof.digest, login.client_id, proof.expires_at):
            raise LoginRefused(401, "This token was used by another client. Sign in again to get a new one.")
        return f"{login.type.name.lower()}:{proof.subject}"

    async def close(self) -> None:
        """End every connection."""
        for provider in self._providers.values():
            await provider.close()
        await self._outbound.close()


def make_identity_verifier(remember: Remember, clock: Clock | None = None) -> IdentityVerifier:
    """The verifier that the settings describe: a provider without an audience or app is not set up."""
    outbound = Outbound(settings.MAIN_SERVER_TIMEOUT_S)
    providers: dict[LoginType, Provider] = {}

    def add(kind: LoginType, *, tokens: type[OpenIdTokens] = OpenIdTokens, provider: OpenIdProvider) -> None:
        if provider.audiences:
            providers[kind] = tokens(provider, outbound=outbound, clock=clock)

    add(
        LoginType.GOOGLE,
        provider=OpenIdProvider(
            name=_NAMES[LoginType.GOOGLE],
            issuers=_GOOGLE_ISSUERS,
            algorithms=("RS256",),
            audiences=frozenset(settings.QUEUE_GOOGLE_AUDIENCES),
            keys_url=settings.QUEUE_GOOGLE_KEYS_URL,
        ),
    )
    add(
        LoginType.APPLE,
        provider=OpenIdProvider(
            name=_NAMES[LoginType.APPLE],
            issuers=_APPLE_ISSUERS,
            # Its keys are RSA; its documentation speaks of elliptic curves.
            algorithms=("RS256", "ES256"),
            audiences=frozenset(settings.QUEUE_APPLE_AUDIENCES),
            keys_url=settings.QUEUE_APPLE_KEYS_URL,
        ),
    )
    add(
        LoginType.LINE,
        tokens=LineTokens,
        provider=OpenIdProvider(
            name=_NAMES[LoginType.LINE],
            issuers=_LINE_ISSUERS,
            algorithms=("ES256",),
            audiences=frozenset(filter(None, [settings.QUEUE_LINE_CHANNEL_ID])),
            keys_url=settings.QUEUE_LINE_KEYS_URL,
            verify_url=settings.QUEUE_LINE_VERIFY_URL,
        ),
    )
    if settings.QUEUE_FACEBOOK_APP_ID and settings.QUEUE_FACEBOOK_APP_SECRET:
        providers[LoginType.FACEBOOK] = FacebookTokens(
            app_id=settings.QUEUE_FACEBOOK_APP_ID,
            app_secret=settings.QUEUE_FACEBOOK_APP_SECRET,
            debug_url=settings.QUEUE_FACEBOOK_DEBUG_URL,
            outbound=outbound,
            clock=clock,
        )
    return IdentityVerifier(providers, remember=remember, outbound=outbound)

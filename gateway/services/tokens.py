"""The tokens people use the gateway with: are they valid, and whose are they?

When one is revoked, or an account switched off, every process looks again at the sockets it let in
(`realtime.user_tokens.ACCESS_CHANGED`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from knox.models import AuthToken

from gateway.models import Account
from realtime.user_tokens import digest_of, make_token, valid_tokens

# Nobody should be signed out in the middle of a conversation.
DEFAULT_TOKEN_EXPIRY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class GatewayLogin:
    """Somebody who showed a valid token. `digest` finds the token again, and is no secret to keep."""

    account_id: int
    digest: str


def login_of_token(token: str) -> GatewayLogin | None:
    """Who holds `token`, if it is valid now. One query."""
    digest = digest_of(token)
    if digest is None:
        return None
    account_id = (
        valid_tokens()
        .filter(digest=digest, user__gateway_account__isnull=False)
        .values_list("user__gateway_account", flat=True)
        .first()
    )
    return GatewayLogin(account_id, digest) if account_id is not None else None


def valid_digests(digests: set[str]) -> set[str]:
    """Those of `digests` whose tokens are valid now. One query."""
    return set(valid_tokens().filter(digest__in=digests).values_list("digest", flat=True))


def issue_token(*, account: Account, expiry: timedelta | None = DEFAULT_TOKEN_EXPIRY) -> str:
    """A new token for this account, shown only now. `expiry` None: it never ends. Two queries."""
    return make_token(account.user, expiry=expiry)


def revoke_token(*, digest: str) -> None:
    """The token is not valid any more. Two queries."""
    for row in AuthToken.objects.filter(digest=digest):
        row.delete()


def revoke_all(*, account: Account) -> int:
    """None of this account's tokens is valid any more; gives how many there were."""
    rows = list(AuthToken.objects.filter(user=account.user))
    for row in rows:
        row.delete()
    return len(rows)

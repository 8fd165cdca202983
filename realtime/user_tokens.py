"""Tokens of people: which are valid, and word to every process when one is not any more.

Core. Tokens are knox's: random, stored as a digest, with an expiry, of an account. A service says what else
an account needs to be let in; when a token is revoked or an account changed, every process looks again at the
sockets it let in (`ACCESS_CHANGED`).
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken

from realtime import runtime

ACCESS_CHANGED = "realtime.access"
"""The bus message that says so."""

# What a client could send as a token at most; hashing more would be work for nothing.
MAX_TOKEN_CHARACTERS = 128


def digest_of(token: str) -> str | None:
    """By which a token is found; None for what can be no token."""
    if not token or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        return None
    digest: str = hash_token(token)
    return digest


def valid_tokens() -> QuerySet[Any]:
    """Tokens that have not expired, of accounts that are active."""
    tokens: QuerySet[Any] = AuthToken.objects.filter(
        Q(expiry=None) | Q(expiry__gt=timezone.now()), user__is_active=True
    )
    return tokens


def tokens_of(user_id: int) -> QuerySet[Any]:
    """All tokens of an account, the newest first, also those that have expired."""
    tokens: QuerySet[Any] = AuthToken.objects.filter(user=user_id).order_by("-created")
    return tokens


def make_token(user: Any, *, expiry: timedelta | None) -> str:
    """A new token of this account, shown only now. `expiry` None: it never ends.

    The account's expired ones are deleted: who signs in every day would leave hundreds.
    """
    AuthToken.objects.filter(user=user.pk, expiry__lt=timezone.now()).delete()
    token: str = AuthToken.objects.create(user, expiry=expiry)[1]
    return token


def revoke_tokens_beginning(*, user_id: int, start: str) -> int:
    """Make invalid what an account has that begins with `start`, as lists show it; gives how many."""
    rows = list(tokens_of(user_id).filter(token_key=start))
    for row in rows:
        row.delete()
    return len(rows)


def announce_access() -> None:
    """After the commit, have every process look again at whom it let in."""
    transaction.on_commit(
        lambda: runtime.send_from_thread(runtime.EVERY_PROCESS, ACCESS_CHANGED, {}), robust=True
    )


@receiver(post_delete, sender=AuthToken)
def _token_revoked(**_kwargs: object) -> None:
    announce_access()


@receiver(post_save, sender=get_user_model())
def _account_changed(
    created: bool = False, update_fields: frozenset[str] | None = None, **_kwargs: object
) -> None:
    # A new account has no connections yet. Signing in saves the time of it, which changes nobody's access.
    if not created and update_fields != frozenset({"last_login"}):
        announce_access()

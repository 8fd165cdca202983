"""The tokens staff sign in with: are they valid, and whose are they?

Tokens are knox's: random, stored as a digest, with an expiry. A token belongs to an account; it opens the
desk while that account and its `Staff` are active. When one is revoked, every process looks again at the
sockets it let in (`ACCESS_CHANGED`).
"""

from dataclasses import dataclass
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
from realtime.errors import Refused
from ticketing.models import Staff

ACCESS_CHANGED = "ticketing.access"
"""The bus message that says so."""

# What a client could send as a token at most; hashing more would be work for nothing.
_MAX_TOKEN_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class StaffLogin:
    """Somebody who showed a valid token. `digest` finds the token again, and is no secret to keep."""

    staff_id: int
    name: str
    digest: str


def staff_of_token(token: str) -> StaffLogin | None:
    """Who holds `token`, if it opens the desk now. One query."""
    if not token or len(token) > _MAX_TOKEN_CHARACTERS or not token.isascii():
        return None
    return staff_of_digest(hash_token(token))


def staff_of_digest(digest: str) -> StaffLogin | None:
    """As `staff_of_token`, for a token seen before. One query."""
    row = _valid_tokens().filter(digest=digest).select_related("user__ticketing_staff").first()
    if row is None:
        return None
    staff: Staff = row.user.ticketing_staff
    return StaffLogin(staff.pk, staff.name, digest)


def require_token(digest: str) -> None:
    """One query.

    Raises:
        Refused: TOKEN_INVALID.
    """
    if not _valid_tokens().filter(digest=digest).exists():
        raise Refused("TOKEN_INVALID", "The token is not valid any more.")


def valid_digests(digests: set[str]) -> set[str]:
    """Those of `digests` whose tokens open the desk now. One query."""
    return set(_valid_tokens().filter(digest__in=digests).values_list("digest", flat=True))


def announce_access() -> None:
    """After the commit, have every process look again at whom it let in."""
    transaction.on_commit(
        lambda: runtime.send_from_thread(runtime.EVERY_PROCESS, ACCESS_CHANGED, {}), robust=True
    )


def _valid_tokens() -> QuerySet[Any]:
    tokens: QuerySet[Any] = AuthToken.objects.filter(
        Q(expiry=None) | Q(expiry__gt=timezone.now()),
        user__is_active=True,
        user__ticketing_staff__is_active=True,
    )
    return tokens


@receiver(post_delete, sender=AuthToken)
def _token_revoked(**_kwargs: object) -> None:
    announce_access()


@receiver(post_save, sender=get_user_model())
def _account_changed(update_fields: frozenset[str] | None = None, **_kwargs: object) -> None:
    # Signing in saves the time of it, which changes nobody's access.
    if update_fields != frozenset({"last_login"}):
        announce_access()

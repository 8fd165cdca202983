"""The tokens staff sign in with: are they valid, and whose are they?

A token belongs to an account (`realtime.user_tokens`); it opens the desk while that account and its `Staff`
are active.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from realtime.errors import Refused
from realtime.user_tokens import digest_of, valid_tokens
from ticketing.models import Staff


@dataclass(frozen=True, slots=True)
class StaffLogin:
    """Somebody who showed a valid token. `digest` finds the token again, and is no secret to keep."""

    staff_id: int
    name: str
    digest: str


def staff_of_token(token: str) -> StaffLogin | None:
    """Who holds `token`, if it opens the desk now. One query."""
    digest = digest_of(token)
    return staff_of_digest(digest) if digest is not None else None


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


def _valid_tokens() -> QuerySet[Any]:
    return valid_tokens().filter(user__ticketing_staff__is_active=True)

"""Tokens that have logged somebody in: another client may not use them as well."""

from datetime import datetime

from queue.models import UsedToken


def remember_token(*, digest: str, client_id: str, expires_at: datetime) -> bool:
    """Whether this client may use the token: it is the first to, or the one that did. Two queries.

    Args:
        digest: of the token; the token itself is not kept.
        expires_at: after that nobody needs to remember it, since nobody takes it.
    """
    UsedToken.objects.bulk_create(
        [UsedToken(digest=digest, client_id=client_id, expires_at=expires_at)], ignore_conflicts=True
    )
    return UsedToken.objects.filter(digest=digest, client_id=client_id).exists()

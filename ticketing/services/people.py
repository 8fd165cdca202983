"""Staff: who they are, and the tokens they are given."""

from datetime import timedelta
from typing import Any

from knox.crypto import hash_token
from knox.models import AuthToken

from realtime.user_tokens import announce_access, make_token
from ticketing.models import EventKind, Staff
from ticketing.services.journal import change
from ticketing.services.tables import leave_table_of

DEFAULT_TOKEN_EXPIRY = timedelta(hours=16)
"""A long day at the desk: nobody is signed out in the middle of it, everybody is overnight."""


def staff_of_user(user: Any) -> Staff | None:
    """The active member of staff with that account. One query."""
    if not user.is_authenticated or not user.is_active:
        return None
    return Staff.objects.filter(user=user, is_active=True).first()


def issue_token(*, staff: Staff, expiry: timedelta | None = DEFAULT_TOKEN_EXPIRY) -> str:
    """Make a token for the account of `staff`; it cannot be shown again. `expiry` None: it never ends."""
    return make_token(staff.user, expiry=expiry)


def revoke_tokens(*, staff: Staff) -> int:
    """Make every token of the account invalid; gives how many there were."""
    count, _ = AuthToken.objects.filter(user=staff.user_id).delete()
    announce_access()
    return int(count)


def revoke_token(*, token: str) -> None:
    """Make one token invalid; nothing happens if it is none."""
    AuthToken.objects.filter(digest=hash_token(token)).delete()


def save_staff(*, staff: Staff) -> Staff:
    """Validate and store; whoever is not active any more is signed out and leaves the table.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong, or the account is somebody's already.
    """
    staff.full_clean()
    with change() as journal:
        renamed = Staff.objects.filter(pk=staff.pk).exclude(name=staff.name).exists()
        staff.save()
        if renamed:
            journal.record(EventKind.STAFF_CHANGED, staff=staff)
        if not staff.is_active:
            leave_table_of(staff=staff, actor="deactivated")
            revoke_tokens(staff=staff)
    announce_access()
    return staff

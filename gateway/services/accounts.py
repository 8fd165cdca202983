"""Accounts: registering, and finding whoever logs in."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway.models import MAX_NAME_LENGTH, Account
from gateway.services.ledger import change
from realtime.errors import Refused


def register(*, username: str, password: str, display_name: str = "") -> Account:
    """A new account, with a user to log in as. The values must be valid.

    Raises:
        Refused: NAME_TAKEN.
    """
    user = get_user_model()(username=get_user_model().normalize_username(username))
    # Slow on purpose, so before the ledger is locked: nobody could post meanwhile.
    user.set_password(password)
    try:
        with change() as pages:
            with transaction.atomic():
                user.save()
            return Account.objects.create(
                id=pages.new_id(), user=user, display_name=display_name or username, created_at=pages.now
            )
    except IntegrityError:
        raise Refused("NAME_TAKEN", "This username is taken.") from None


def account_of(user: User, *, display_name: str = "") -> Account:
    """The account of a user, made now if there is none: people of the admin may use the gateway as well.

    A new one is called `display_name`, or as the user is.
    """
    account = Account.objects.filter(user=user).first()
    if account is not None:
        return account
    with change() as pages:
        account, _ = Account.objects.get_or_create(
            user=user,
            defaults={
                "id": pages.new_id(),
                "display_name": (display_name or user.get_full_name() or user.get_username())[
                    :MAX_NAME_LENGTH
                ],
                "created_at": pages.now,
            },
        )
        return account


def rename_account(*, account: Account, display_name: str) -> None:
    """Be called this from now on. One query."""
    account.display_name = display_name
    account.save(update_fields=["display_name"])

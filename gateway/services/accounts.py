"""Accounts: registering, and finding whoever logs in."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway.models import Account
from gateway.services.ledger import change
from realtime.errors import Refused


def register(*, username: str, password: str, display_name: str = "") -> Account:
    """A new account, with a user to log in as. The values must be valid.

    Raises:
        Refused: NAME_TAKEN.
    """
    try:
        with change() as pages:
            with transaction.atomic():
                user = get_user_model().objects.create_user(username=username, password=password)
            return Account.objects.create(
                id=pages.new_id(), user=user, display_name=display_name or username, created_at=pages.now
            )
    except IntegrityError:
        raise Refused("NAME_TAKEN", "This username is taken.") from None


def account_of(user: User) -> Account:
    """The account of a user, made now if there is none: people of the admin may use the gateway as well."""
    account = Account.objects.filter(user=user).first()
    if account is not None:
        return account
    with change() as pages:
        account, _ = Account.objects.get_or_create(
            user=user,
            defaults={"id": pages.new_id(), "display_name": user.get_username(), "created_at": pages.now},
        )
        return account

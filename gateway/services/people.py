"""The accounts of this site, for the services that have none of their own (`realtime.people`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from gateway.models import Account
from gateway.rules import id_of
from gateway.services.accounts import account_of
from gateway.services.tokens import valid_digests
from realtime.people import Named, Person
from realtime.user_tokens import digest_of, valid_tokens


class People:
    """A `realtime.people.Directory`."""

    def person_of_token(self, token: str) -> Person | None:
        """One query; more for somebody who has no account yet, and gets one."""
        digest = digest_of(token)
        row = valid_tokens().filter(digest=digest).select_related("user__gateway_account").first()
        if digest is None or row is None:
            return None
        account = getattr(row.user, "gateway_account", None) or account_of(row.user)
        profile = {"username": row.user.get_username(), "displayName": account.display_name}
        return Person(str(account.pk), profile, digest)

    def valid_digests(self, digests: set[str]) -> set[str]:
        """One query."""
        return valid_digests(digests)

    def everyone(self) -> Sequence[str]:
        """One query."""
        return _ids(Account.objects.filter(user__is_active=True))

    def members_of(self, group: str) -> Sequence[str] | None:
        """Two queries."""
        if not Group.objects.filter(name=group).exists():
            return None
        return _ids(Account.objects.filter(user__is_active=True, user__groups__name=group))

    def search(self, text: str, limit: int) -> Sequence[Named]:
        """One query."""
        found = (
            Q(display_name__icontains=text) | Q(user__username__icontains=text) | Q(pk__in=_numbers([text]))
        )
        rows = Account.objects.filter(found).select_related("user").order_by("display_name", "pk")
        return [Named(str(account.pk), _name(account)) for account in rows[:limit]]

    def names_of(self, ids: Collection[str]) -> Mapping[str, str]:
        """One query."""
        rows = Account.objects.filter(pk__in=_numbers(ids)).select_related("user")
        return {str(account.pk): _name(account) for account in rows}


def _name(account: Account) -> str:
    username = account.user.get_username()
    return username if username == account.display_name else f"{account.display_name} ({username})"


def _numbers(ids: Collection[str]) -> list[int]:
    """Those that accounts can have."""
    return [number for text in ids if (number := id_of(text)) is not None]


def _ids(accounts: QuerySet[Account]) -> list[str]:
    return [str(number) for number in accounts.order_by("pk").values_list("pk", flat=True)]

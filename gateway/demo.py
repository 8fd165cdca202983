"""Demo data: three people and a channel they are in. For ``manage.py demo``."""

import secrets
from typing import Any

from axes.utils import reset as reset_login_lockouts
from django.contrib.auth import get_user_model

from gateway.models import Account, Channel, ChannelType
from gateway.services.accounts import account_of
from gateway.services.channels import create_channel, join_channel
from gateway.services.posts import NewPost, post_message

_PEOPLE = {"dana": "Dana", "emil": "Emil", "fatma": "Fatma"}
_TITLE = "Front desk"


def fill() -> dict[str, Any]:
    """The people, with new passwords, and a channel with all of them; what they said stays."""
    users, accounts = [], []
    for username, name in _PEOPLE.items():
        password = secrets.token_urlsafe(12)
        account = _make_person(username, name, password)
        accounts.append(account)
        users.append({"id": str(account.pk), "username": username, "password": password})
    return {"users": users, "gateway_channel": str(_make_channel(accounts).pk)}


def _make_person(username: str, name: str, password: str) -> Account:
    user, _ = get_user_model().objects.get_or_create(username=username)
    user.first_name, user.is_active = name, True
    user.set_password(password)
    user.save()
    reset_login_lockouts(username=username)
    return account_of(user)


def _make_channel(accounts: list[Account]) -> Channel:
    author = accounts[0]
    channel = Channel.objects.filter(author=author, title=_TITLE).first()
    if channel is None:
        channel = create_channel(
            author=author, kind=ChannelType.STREAM, title=_TITLE, description="What everybody should hear."
        )
        post_message(NewPost(channel.pk, author.pk, 0, "Good morning!"))
    for account in accounts:
        join_channel(channel=channel, account_id=account.pk)
    return channel

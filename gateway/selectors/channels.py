"""Reading accounts, channels and posts, for who may."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from gateway.models import Account, Channel, ChannelType, Member, Message


def list_accounts() -> QuerySet[Account]:
    """Accounts, with what they log in as."""
    return Account.objects.select_related("user")


def visible_channels(account_id: int) -> QuerySet[Channel]:
    """Channels this account may read: open ones, and its own direct messages. Two queries, with members."""
    own = Member.objects.filter(channel=OuterRef("pk"), account_id=account_id)
    return Channel.objects.filter(~Q(type=ChannelType.DIRECT) | Exists(own)).prefetch_related("members")


def list_posts(channel: Channel, *, limit: int, before: int | None, after: int | None) -> list[Message]:
    """Messages of a channel in order: the last, those before an id, or those after one. One query."""
    messages = Message.objects.filter(channel=channel)
    if before is not None:
        messages = messages.filter(id__lt=before)
    if after is not None:
        return list(messages.filter(id__gt=after).order_by("id")[:limit])
    return list(messages.order_by("-id")[:limit])[::-1]

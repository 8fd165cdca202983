"""Reading accounts, channels and posts, for who may."""

from __future__ import annotations

from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce

from gateway.models import Account, Channel, ChannelType, Member, Message


def list_accounts() -> QuerySet[Account]:
    """Accounts, with what they log in as."""
    return Account.objects.select_related("user")


def search_accounts(text: str, limit: int) -> list[Account]:
    """People who can be written to, whose username or name begins with `text`. One query."""
    named = Q(user__username__istartswith=text) | Q(display_name__istartswith=text)
    people = list_accounts().filter(named, user__is_active=True)
    return list(people.order_by("user__username")[:limit])


def visible_channels(account_id: int) -> QuerySet[Channel]:
    """Channels this account may read: open ones, and its own direct messages."""
    return Channel.objects.filter(~Q(type=ChannelType.DIRECT) | Exists(_membership(account_id)))


def list_channels(
    account_id: int, *, mine: bool | None, search: str, before: int | None, limit: int
) -> list[Channel]:
    """Channels this account may read, the newest first, those before an id. Three queries.

    Each has what a list tells of it: `joined`, `member_count`, `last_message_id` (None without any), and
    its members with their accounts, for direct messages alone.

    Args:
        mine: only those it is a member of; False: only others; None: both.
        search: what a title or a topic has in it.
    """
    channels = visible_channels(account_id)
    if mine:
        # Begins with one's own few, not with everybody's channels.
        mine_alone = Member.objects.filter(account_id=account_id).values("channel_id")
        channels = channels.filter(pk__in=mine_alone)
    elif mine is not None:
        channels = channels.filter(~Exists(_membership(account_id)))
    if search:
        channels = channels.filter(Q(title__icontains=search) | Q(topic__icontains=search))
    if before is not None:
        channels = channels.filter(id__lt=before)
    last = Message.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    # Counted for each row of the page by itself: a join would count before it takes the page.
    members = Member.objects.filter(channel=OuterRef("pk")).order_by().values("channel")
    rows = channels.annotate(
        joined=Exists(_membership(account_id)),
        member_count=Coalesce(Subquery(members.annotate(count=Count("pk")).values("count")), 0),
        last_message_id=Subquery(last),
    )
    found: list[Channel] = list(rows.order_by("-id")[:limit])
    direct = [channel for channel in found if channel.type == ChannelType.DIRECT]
    prefetch_related_objects(direct, Prefetch("members", Member.objects.select_related("account__user")))
    return found


def _membership(account_id: int) -> QuerySet[Member]:
    return Member.objects.filter(channel=OuterRef("pk"), account_id=account_id)


def list_posts(channel: Channel, *, limit: int, before: int | None, after: int | None) -> list[Message]:
    """Messages of a channel in order: the last, those before an id, or those after one. One query."""
    messages = Message.objects.filter(channel=channel)
    if before is not None:
        messages = messages.filter(id__lt=before)
    if after is not None:
        return list(messages.filter(id__gt=after).order_by("id")[:limit])
    return list(messages.order_by("-id")[:limit])[::-1]

"""Accounts, channels and messages, as those who look after the gateway see them."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from gateway.models import Account, Channel, Member, Message
from gateway.rules import id_of
from realtime.user_tokens import valid_tokens

# Of the newest messages that the filters leave. No index finds words in a text: each of these is read.
SEARCHED_MESSAGES: Final = 20_000


def overview_of_accounts() -> QuerySet[Account]:
    """With `user`, and for each `channel_count` and `token_count`, of valid ones."""
    return Account.objects.select_related("user").annotate(
        channel_count=_count(Member.objects.filter(account=OuterRef("pk")), "account"),
        token_count=_count(valid_tokens().filter(user=OuterRef("user")), "user"),
    )


def overview_of_channels() -> QuerySet[Channel]:
    """With `author`, and for each `member_count` and `last_message_at`, None without any."""
    last = Message.objects.filter(channel=OuterRef("pk")).order_by("-id").values("created_at")[:1]
    return Channel.objects.select_related("author").annotate(
        member_count=_count(Member.objects.filter(channel=OuterRef("pk")), "channel"),
        last_message_at=Subquery(last),
    )


def accounts_called(text: str, limit: int) -> list[int]:
    """Ids of accounts with `text` in their name or username, or with that id, the newest first. One query."""
    named = Q(display_name__icontains=text) | Q(user__username__icontains=text)
    if (number := id_of(text)) is not None:
        named |= Q(pk=number)
    return list(Account.objects.filter(named).order_by("-id").values_list("id", flat=True)[:limit])


def channels_called(text: str, limit: int) -> list[int]:
    """Ids of channels with `text` in their title, or with that id, the newest first. One query."""
    named = Q(title__icontains=text)
    if (number := id_of(text)) is not None:
        named |= Q(pk=number)
    return list(Channel.objects.filter(named).order_by("-id").values_list("id", flat=True)[:limit])


def messages_saying(messages: QuerySet[Message], text: str) -> QuerySet[Message]:
    """Those with `text` in them, of the `SEARCHED_MESSAGES` newest of `messages`."""
    newest = messages.order_by("-id").values("pk")[:SEARCHED_MESSAGES]
    return Message.objects.filter(pk__in=newest, content__icontains=text)


def _count(rows: QuerySet[Any, Any], by: str) -> Coalesce:
    """How many `rows` there are, which all have the same `by`: a subquery, since a join would multiply."""
    counted = rows.order_by().values(by).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)

"""Reading somebody's notifications."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from notifications.models import Ledger, Notification, Sent
from notifications.rules import COUNTED_AS, Content, Item


def content_of(sent: Sent) -> Content:
    """What was said. No query."""
    return Content(
        sent.type, sent.title, sent.body, sent.data.encode(), int(sent.created_at.timestamp() * 1_000)
    )


def item_of(notification: Notification) -> Item:
    """The notification of a row whose `sent` is loaded. No query."""
    return Item(notification.pk, notification.user_id, notification.status, content_of(notification.sent))


@transaction.atomic
def list_items(
    user_id: str,
    types: Collection[str],
    *,
    limit: int,
    skip: int = 0,
    oldest_first: bool = False,
    since: int | None = None,
    before: int | None = None,
) -> tuple[int, list[Item]]:
    """A place in the journal, and somebody's notifications at that place, in order. Two queries.

    Who follows the journal from there misses none. No types stand for all.
    """
    ledger = Ledger.objects.filter(pk=1).first() or Ledger()
    rows = of_user(user_id, types).filter(id__lte=ledger.last_id).select_related("sent")
    if since is not None:
        rows = rows.filter(id__gt=since)
    if before is not None:
        rows = rows.filter(id__lt=before)
    ordered = rows.order_by("id" if oldest_first else "-id")
    return ledger.last_seq, [item_of(row) for row in ordered[skip : skip + limit]]


def count_items(user_id: str, types: Collection[str], status: str) -> int:
    """How many of them are ``unseen``, ``unread`` (which takes in unseen) or ``read``. One query."""
    return of_user(user_id, types).filter(status__in=COUNTED_AS[status]).count()


def of_user(user_id: str, types: Collection[str]) -> QuerySet[Notification]:
    """Somebody's notifications of these types; of all, if none are named."""
    rows = Notification.objects.filter(user_id=user_id)
    return rows.filter(type__in=types) if types else rows

"""Reading what was sent, how far its recipients got, and what could not be read."""

from __future__ import annotations

from typing import Final

from django.db.models import Count, Q, QuerySet

from notifications.models import DeadLetter, Notification, Sent
from notifications.rules import STATUS_NAMES

# Of the newest that the filters leave. No index finds words in a text: each of these is read.
SEARCHED_SENT: Final = 20_000


def list_sent(*, type: str = "", source: str = "", before: int | None = None) -> QuerySet[Sent]:  # noqa: A002
    """What was sent, the newest first, without its data; of this type and source, before this id."""
    rows = Sent.objects.defer("data", "subscription_ids").order_by("-id")
    if type:
        rows = rows.filter(type=type)
    if source:
        rows = rows.filter(source=source)
    return rows if before is None else rows.filter(id__lt=before)


def sent_saying(sent: QuerySet[Sent], text: str) -> QuerySet[Sent]:
    """Those with `text` in their title or body, of the `SEARCHED_SENT` newest of `sent`."""
    newest = sent.order_by("-id").values("pk")[:SEARCHED_SENT]
    return list_sent().filter(Q(title__icontains=text) | Q(body__icontains=text), pk__in=newest)


def count_statuses(sent: Sent) -> dict[str, int]:
    """How many of its recipients have not seen it, not read it, read it; each is in one. One query."""
    rows = Notification.objects.filter(sent=sent).order_by().values("status").annotate(count=Count("pk"))
    found = {row["status"]: row["count"] for row in rows}
    return {name: found.get(status, 0) for name, status in STATUS_NAMES.items()}


def first_recipients(sent: Sent, limit: int) -> list[Notification]:
    """Of the first of its recipients, what each got. One query."""
    return list(Notification.objects.filter(sent=sent).order_by("id")[:limit])


def list_dead_letters(*, resolved: bool | None = None, before: int | None = None) -> QuerySet[DeadLetter]:
    """Dead letters, the newest first, without what they say; those dealt with, or those that wait."""
    rows = DeadLetter.objects.defer("value").order_by("-id")
    if resolved is not None:
        rows = rows.filter(resolved_at__isnull=not resolved)
    return rows if before is None else rows.filter(id__lt=before)

"""Reading the journal: what happened, in order."""

from __future__ import annotations

from collections.abc import Container, Sequence

from notifications.models import EntryKind, JournalEntry, Ledger, Notification
from notifications.rules import Entry, Item, Marked, Notified, Updated
from notifications.selectors.notifications import content_of, item_of


def last_seq() -> int:
    """Of the journal. One query."""
    return Ledger.objects.filter(pk=1).values_list("last_seq", flat=True).first() or 0


def list_entries(here: Container[str], after_seq: int, limit: int) -> Sequence[Entry]:
    """The journal after `after_seq`, in order, at most `limit`. One query, and one for each but updates.

    Args:
        here: ids of users; of what others were told only the fact is given, not the recipients. Looked at
            after an entry was read, so whoever is in it before asking for a place in the journal
            (`list_items`) is told of all that comes after.
    """
    rows = JournalEntry.objects.filter(seq__gt=after_seq).select_related("sent").order_by("seq")
    return [_entry_of(row, here) for row in rows[:limit]]


def _entry_of(row: JournalEntry, here: Container[str]) -> Entry:
    if row.kind == EntryKind.MARKED:
        return Marked(row.seq, row.user_id, row.origin, _items(row.ids) if row.ids is not None else None)
    if row.sent is None:
        raise TypeError(f"entry {row.seq} tells of nothing")
    if row.kind == EntryKind.UPDATED:
        return Updated(row.seq, row.sent.subscription_ids, row.sent.data.encode(), row.sent.reload)
    told = Notification.objects.filter(id__range=(row.first_id, row.last_id)).order_by("id")
    recipients = told.values_list("user_id", "id").iterator()
    return Notified(
        row.seq,
        content_of(row.sent),
        [(user_id, number) for user_id, number in recipients if user_id in here],
    )


def _items(ids: list[int]) -> list[Item]:
    rows = Notification.objects.filter(id__in=ids).select_related("sent").order_by("id")
    return [item_of(row) for row in rows]

"""Reading channels and their messages."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from gateway.models import JournalEntry, Ledger, Member, Message
from gateway.rules import Entry, Posted


def posted(message: Message) -> Posted:
    """The message as it is told. No query."""
    return Posted(
        message.pk,
        message.channel_id,
        message.author_id,
        message.type,
        message.content,
        int(message.created_at.timestamp() * 1_000),
    )


def entry_of(row: JournalEntry) -> Entry:
    """The entry of a row whose message is loaded. No query."""
    return Entry(
        seq=row.seq,
        kind=str(row.kind),
        channel_id=row.channel_id,
        account_id=row.account_id or 0,
        posted=posted(row.message) if row.message else None,
    )


def list_entries(after_seq: int, limit: int) -> Sequence[Entry]:
    """The journal after `after_seq`, in order, at most `limit`. One query."""
    rows = JournalEntry.objects.filter(seq__gt=after_seq).select_related("message").order_by("seq")
    return [entry_of(row) for row in rows[:limit]]


def last_seq() -> int:
    """Of the journal. One query."""
    return Ledger.objects.filter(pk=1).values_list("last_seq", flat=True).first() or 0


@transaction.atomic
def load_memberships(account_id: int) -> tuple[int, set[int], int]:
    """The channels of an account, and two places in the journal, between which they were read. Three queries.

    At the second place or any later one they are these, and what the journal says of them since the first.
    """
    since = last_seq()
    channels = set(Member.objects.filter(account_id=account_id).values_list("channel_id", flat=True))
    return since, channels, last_seq()


def list_missed(channel_ids: set[int], after_id: int, until_seq: int, limit: int) -> list[Posted]:
    """Messages of these channels after an id and up to a place in the journal, in order. One query."""
    rows = Message.objects.filter(channel_id__in=channel_ids, id__gt=after_id, entry__seq__lte=until_seq)
    return [posted(message) for message in rows.order_by("id")[:limit]]

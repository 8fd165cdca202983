"""The write side of history: numbering and inserting events, group-committed, and forgetting old ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from broadcast import selectors
from broadcast.models import Event, Stream
from broadcast.rules import DEFAULT_POLICY_NAME, Policy
from realtime.ids import new_event_id


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to keep. `payload` is JSON text, or empty to keep its place only."""

    channel: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a kept event got: its place in the channel's order and its ID."""

    seq: int
    event_id: str


def commit_events(rows: Sequence[NewEvent]) -> list[Numbered]:
    """Insert `rows` in one transaction; return number and ID of each, in order.

    Two queries and two for each channel. The channel's `Stream` row stays locked until the commit,
    so numbers become visible in order. Channels are locked in order of name: two writers never wait
    for each other in a circle.
    """
    by_channel: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_channel[row.channel].append(index)
    numbered: list[Numbered] = [Numbered(0, "")] * len(rows)
    now = timezone.now()
    with transaction.atomic():
        for channel in sorted(by_channel):
            indexes = by_channel[channel]
            if not Stream.objects.filter(channel=channel).update(last_seq=F("last_seq") + len(indexes)):
                # The first event of a channel: whoever inserts the row second waits for the first.
                Stream.objects.bulk_create([Stream(channel=channel)], ignore_conflicts=True)
                Stream.objects.filter(channel=channel).update(last_seq=F("last_seq") + len(indexes))
            last_seq = Stream.objects.values_list("last_seq", flat=True).get(channel=channel)
            for place, index in enumerate(indexes):
                numbered[index] = Numbered(last_seq - len(indexes) + 1 + place, new_event_id())
        _replace_used_ids(rows, numbered)
        Event.objects.bulk_create(
            Event(
                channel=row.channel,
                seq=number.seq,
                event_id=number.event_id,
                payload=row.payload.decode(),
                created_at=now,
            )
            for row, number in zip(rows, numbered, strict=True)
        )
    return numbered


def _replace_used_ids(rows: Sequence[NewEvent], numbered: list[Numbered]) -> None:
    """Give a longer ID to an event whose short one its channel has already."""
    pairs = [(row.channel, number.event_id) for row, number in zip(rows, numbered, strict=True)]
    used = selectors.list_ids_in_use(pairs)
    for index, pair in enumerate(pairs):
        if pair in used:
            numbered[index] = Numbered(numbered[index].seq, new_event_id(16))
        used.add(pair)


def forget_old_events(policies: dict[str, Policy]) -> int:
    """Delete what no policy gives out any more; return how many events. Two queries for each channel.

    Safe to run in several processes at once.
    """
    deleted = 0
    now = timezone.now()
    nothing_kept = Policy("", "", 0, 0)
    for channel, last_seq in Stream.objects.values_list("channel", "last_seq"):
        policy = policies.get(channel) or policies.get(DEFAULT_POLICY_NAME) or nothing_kept
        old = Q(seq__lte=last_seq - policy.history_size)
        if policy.history_age_s:
            old |= Q(created_at__lte=now - timedelta(seconds=policy.history_age_s))
        deleted += Event.objects.filter(old, channel=channel).delete()[0]
    return deleted

"""Reads: policies and history. Each says its queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from broadcast.models import ChannelPolicy, Event, Stream
from broadcast.rules import Policy, is_event_id
from realtime.models import ApiKey

# Most payload bytes in one replay: a listener that catches up gets it in one piece.
MAX_REPLAY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event of a channel's history. `payload` is JSON text; empty, the event was not for everyone."""

    seq: int
    event_id: str
    payload: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """Events to catch up on, oldest first. With `gap`, some between the asked-for point and them are gone."""

    events: list[KeptEvent]
    gap: bool


def list_policies() -> dict[str, Policy]:
    """Every policy by channel. One query."""
    return {
        row.channel: Policy(row.emit, row.listen, row.history_size, row.history_age_s)
        for row in ChannelPolicy.objects.all()
    }


def get_last_seqs(channels: Iterable[str]) -> dict[str, int]:
    """The number of the latest kept event of each channel that has one. One query."""
    return dict(Stream.objects.filter(channel__in=channels).values_list("channel", "last_seq"))


def list_after(channel: str, seq: int, limit: int) -> list[KeptEvent]:
    """Everything numbered after `seq`, oldest first. One query."""
    rows = Event.objects.filter(channel=channel, seq__gt=seq).order_by("seq")[:limit]
    return [_kept(row) for row in rows]


def list_history(
    channel: str, policy: Policy, *, limit: int, until_seq: int | None = None
) -> list[KeptEvent]:
    """The latest `limit` events for everyone that the policy still gives out, oldest first.

    Two queries at most. Bounded by `MAX_REPLAY_BYTES` of payload too, from the latest backwards.
    """
    if until_seq is None:
        until_seq = get_last_seqs([channel]).get(channel, 0)
    return _read_back(_given_out(channel, policy, until_seq).exclude(payload=""), limit)


def _given_out(channel: str, policy: Policy, until_seq: int) -> QuerySet[Event]:
    rows = Event.objects.filter(channel=channel, seq__lte=until_seq, seq__gt=until_seq - policy.history_size)
    if policy.history_age_s:
        rows = rows.filter(created_at__gt=timezone.now() - timedelta(seconds=policy.history_age_s))
    return rows


def _read_back(rows: QuerySet[Event], limit: int) -> list[KeptEvent]:
    """The latest of `rows` within the bounds, oldest first. One query."""
    events: list[KeptEvent] = []
    size_bytes = 0
    for row in rows.order_by("-seq")[:limit].iterator():
        size_bytes += len(row.payload)
        if size_bytes > MAX_REPLAY_BYTES:
            break
        events.append(_kept(row))
    events.reverse()
    return events


def get_replay(channel: str, policy: Policy, *, since: str, until_seq: int | None = None) -> Replay:
    """What came after the event with ID `since`, up to number `until_seq` (or now). Three queries at most.

    An ID that is not, or not any more, in the history makes a gap: all that is kept is given.
    """
    if until_seq is None:
        until_seq = get_last_seqs([channel]).get(channel, 0)
    events = _read_back(_given_out(channel, policy, until_seq), policy.history_size)
    for_everyone = [event for event in events if event.payload]
    seen = None
    if is_event_id(since):
        seen = Event.objects.filter(channel=channel, event_id=since).values_list("seq", flat=True).first()
    if seen is None:
        return Replay(for_everyone, gap=True)
    complete = seen >= until_seq or any(event.seq == seen + 1 for event in events)
    return Replay([event for event in for_everyone if event.seq > seen], gap=not complete)


def list_ids_in_use(pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of the (channel, event ID) pairs are taken. One query."""
    rows = Event.objects.filter(
        channel__in={channel for channel, _ in pairs}, event_id__in={event_id for _, event_id in pairs}
    )
    return set(rows.values_list("channel", "event_id")) & set(pairs)


def broadcast_keys() -> QuerySet[ApiKey]:
    """API keys for this service alone: they have scopes, and each of them begins with ``broadcast:``."""
    foreign = r"(^|\s)(?!broadcast:)\S"
    return ApiKey.objects.filter(scopes__contains="broadcast:").exclude(scopes__regex=foreign)


def _kept(row: Event) -> KeptEvent:
    return KeptEvent(row.seq, row.event_id, row.payload.encode(), row.created_at)

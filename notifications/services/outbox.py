"""What one transaction sends: gathered, and written together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import msgspec
from django.db.models import Q

from notifications.models import (
    MAX_BODY_LENGTH,
    MAX_DATA_BYTES,
    MAX_REASON_LENGTH,
    MAX_TITLE_LENGTH,
    DeadLetter,
    EntryKind,
    JournalEntry,
    Notification,
    Sent,
    SentKind,
    Source,
    Template,
)
from notifications.protocol.feed import Feed, NewNotification, SubscriptionUpdate, Value
from notifications.rules import Notified, Updated, filled, length_filled, names_in
from notifications.selectors.notifications import content_of
from notifications.services.ledger import Pages
from realtime.errors import Refused
from realtime.people import directory
from realtime.wire import encode_json

# A journal entry has so many recipients at most: one that is read, or told, is held in memory.
RECIPIENTS_OF_AN_ENTRY = 1_000


class Place(NamedTuple):
    """Where a message is in Kafka."""

    topic: str
    partition: int
    offset: int


class Outbox:
    """What a transaction sends. `write` it at the end."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self._known: set[Place] = set()
        self._of_key: dict[str, Sent] = {}
        self._sent: list[tuple[Sent, Sequence[str]]] = []
        self._dead: list[DeadLetter] = []
        # Of all that was sent, also of what is written already.
        self.recipient_count = 0

    def look_up(self, places: Iterable[Place]) -> None:
        """Find out which of these messages were here before. Two queries."""
        spans: dict[tuple[str, int], list[int]] = {}
        for topic, partition, offset in places:
            spans.setdefault((topic, partition), []).append(offset)
        if not spans:
            return
        within = reduce(
            or_,
            (
                Q(topic=topic, partition=partition, offset__range=(min(offsets), max(offsets)))
                for (topic, partition), offsets in spans.items()
            ),
        )
        for model in (Sent, DeadLetter):
            rows = model._default_manager.filter(within).values_list("topic", "partition", "offset")
            self._known.update(Place._make(row) for row in rows)

    def look_up_keys(self, keys: Iterable[str | None]) -> None:
        """Find out which of these keys were used before. One query, if there are any."""
        if wanted := {key for key in keys if key is not None}:
            self._of_key |= {
                str(sent.request_key): sent for sent in Sent.objects.filter(request_key__in=wanted)
            }

    def knows(self, place: Place) -> bool:
        """Whether this message was here before, or came twice just now."""
        return place in self._known

    def send(
        self,
        feed: Feed,
        *,
        source: Source,
        actor: str = "",
        place: Place | None = None,
        key: str | None = None,
    ) -> Sent:
        """Have it told after the commit; or give what was sent with this `key` before (`look_up_keys`).

        Raises:
            Refused: UNKNOWN_TEMPLATE, MISSING_VALUE, TOO_LONG, UNKNOWN_GROUP; KEY_REUSED: what was sent with
                this key was something else.
        """
        digest = "" if key is None else _digest(feed)
        if key is not None and (before := self._of_key.get(key)) is not None:
            if before.request_digest != digest:
                raise Refused("KEY_REUSED", "Something else was sent with this key.")
            return before
        sent, recipients = draft(feed, self.pages.now)
        sent.source, sent.actor = source, actor
        self._sent.append((sent, recipients))
        self.recipient_count += len(recipients)
        if place is not None:
            sent.topic, sent.partition, sent.offset = place
            self._known.add(place)
        if key is not None:
            sent.request_key, sent.request_digest = key, digest
            self._of_key[key] = sent
        return sent

    def bury(self, place: Place, value: bytes, reason: str) -> None:
        """Keep a message that says nothing we know."""
        topic, partition, offset = place
        self._dead.append(
            DeadLetter(
                topic=topic,
                partition=partition,
                offset=offset,
                value=value,
                reason=reason[:MAX_REASON_LENGTH],
                created_at=self.pages.now,
            )
        )
        self._known.add(place)

    def write(self) -> None:
        """Insert what was gathered. At most three queries, more for very many recipients."""
        DeadLetter.objects.bulk_create(self._dead)
        Sent.objects.bulk_create([sent for sent, _ in self._sent])
        rows: list[Notification] = []
        for sent, recipients in self._sent:
            if sent.kind == SentKind.UPDATE:
                self._tell_update(sent)
            for start in range(0, len(recipients), RECIPIENTS_OF_AN_ENTRY):
                rows += self._tell(sent, recipients[start : start + RECIPIENTS_OF_AN_ENTRY])
        Notification.objects.bulk_create(rows, batch_size=5_000)
        self._sent, self._dead = [], []

    def _tell(self, sent: Sent, recipients: Sequence[str]) -> list[Notification]:
        first = self.pages.new_id(len(recipients))
        seq = self.pages.next_seq()
        self.pages.record(
            JournalEntry(
                seq=seq,
                kind=EntryKind.NOTIFIED,
                sent=sent,
                first_id=first,
                last_id=first + len(recipients) - 1,
            ),
            Notified(
                seq, content_of(sent), [(user_id, number) for number, user_id in enumerate(recipients, first)]
            ),
        )
        return [
            Notification(id=number, user_id=user_id, type=sent.type, sent=sent)
            for number, user_id in enumerate(recipients, first)
        ]

    def _tell_update(self, sent: Sent) -> None:
        seq = self.pages.next_seq()
        self.pages.record(
            JournalEntry(seq=seq, kind=EntryKind.UPDATED, sent=sent),
            Updated(seq, sent.subscription_ids, sent.data.encode(), sent.reload),
        )


def draft(feed: Feed, now: datetime) -> tuple[Sent, Sequence[str]]:
    """What a message has us tell, not saved, and whom. Up to one query for each group, and two more.

    Raises:
        Refused: UNKNOWN_TEMPLATE, MISSING_VALUE, TOO_LONG, UNKNOWN_GROUP.
    """
    sent = Sent(created_at=now)
    if isinstance(feed, SubscriptionUpdate):
        sent.kind = SentKind.UPDATE
        sent.subscription_ids, sent.reload = list(dict.fromkeys(feed.subscriptions)), feed.options.reload
        sent.data = encode_json(feed.data).decode()
        return sent, ()
    sent.kind = SentKind.NOTIFICATION
    _say(sent, feed)
    recipients = _recipients(feed)
    sent.recipient_count = len(recipients)
    return sent, recipients


def fill(template: Template, values: Mapping[str, Value]) -> tuple[str, str, Any]:
    """Title, body and data of a template with these values in it.

    Raises:
        Refused: MISSING_VALUE, TOO_LONG.
    """
    if missing := names_in(template.parts) - values.keys():
        raise Refused("MISSING_VALUE", f"The template needs a value for {', '.join(sorted(missing))}.")
    title_length, body_length, data_length = (length_filled(part, values) for part in template.parts)
    if title_length > MAX_TITLE_LENGTH or body_length > MAX_BODY_LENGTH:
        raise Refused("TOO_LONG", "With these values the title or the body is too long.")
    # Its characters before it is made, its bytes when it is.
    if data_length <= MAX_DATA_BYTES:
        title, body, data = filled(template.parts, values)
        if len(encode_json(data)) <= MAX_DATA_BYTES:
            return title, body, data
    raise Refused("TOO_LONG", "With these values the data is too long.")


def _digest(feed: Feed) -> str:
    """Tells one message from another; the order of members does not count."""
    return hashlib.sha256(msgspec.json.encode(feed, order="deterministic")).hexdigest()


def _say(sent: Sent, feed: NewNotification) -> None:
    """Take over what is said, from the message or from its template."""
    if feed.template is not None:
        template = Template.objects.filter(name=feed.template).first()
        if template is None:
            raise Refused("UNKNOWN_TEMPLATE", "There is no such template.")
        sent.type = template.type
        sent.title, sent.body, data = fill(template, feed.values)
    else:
        sent.type, sent.title, sent.body, data = feed.type or "", feed.title, feed.body, feed.data
    sent.data = encode_json(data).decode()


def _recipients(feed: NewNotification) -> Sequence[str]:
    """Who is told, each once: users in the order they were named, then groups, then everyone."""
    ids = list(feed.user_ids)
    for group in feed.groups:
        members = directory().members_of(group)
        if members is None:
            raise Refused("UNKNOWN_GROUP", "There is no such group.")
        ids += members
    if feed.everyone:
        ids += directory().everyone()
    return list(dict.fromkeys(ids))

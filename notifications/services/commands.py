"""What changes the notifications: something is sent, comes from Kafka, or is marked by whom it is for.

Each is a `Command`. Many share one transaction (`commit`), and each is answered after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from notifications.models import EntryKind, JournalEntry, Notification, Sent, Source
from notifications.protocol.codec import BadRequest
from notifications.protocol.feed import Feed, decode_feed
from notifications.rules import Marked, Status
from notifications.selectors.notifications import item_of, of_user
from notifications.services.ledger import change
from notifications.services.outbox import Outbox, Place
from realtime.db import DATABASE_TROUBLE
from realtime.errors import FoyerError, Refused

MAX_TOLD: Final = 50
"""Marked notifications that are told one by one; who has more open fetches the list again."""

MAX_TOLD_CHARACTERS: Final = 256 * 1024
"""In these together, at most: every process is told of them."""

RECIPIENTS_AT_ONCE: Final = 100_000
"""With these a transaction is full: they are held in memory, and whoever else changes something waits."""

Result_co = TypeVar("Result_co", covariant=True)
Result = TypeVar("Result")


class Command(Protocol[Result_co]):
    """Something to be done within a transaction that has the ledger locked."""

    def apply(self, outbox: Outbox) -> Result_co:
        """Raises `Refused`, and then nothing of it was done."""


@dataclass(frozen=True, slots=True)
class Send:
    """Have something told. Gives what was sent, saved once the transaction is.

    With a `key` that was used before it gives what was sent then, and nothing is sent again.
    """

    feed: Feed
    source: Source
    actor: str
    key: str | None = None

    def apply(self, outbox: Outbox) -> Sent:
        """Raises `Refused`: as `Outbox.send`."""
        return outbox.send(self.feed, source=self.source, actor=self.actor, key=self.key)


@dataclass(slots=True)
class Receive:
    """A message came from Kafka. Gives ``sent``, ``buried``, or ``known`` for one that was here before."""

    place: Place
    value: bytes
    _said: Feed | BadRequest | None = field(default=None, init=False, repr=False)

    def read(self) -> Feed | BadRequest:
        """What it says, or what is wrong with it. Found out once, which may take long."""
        if self._said is None:
            try:
                self._said = decode_feed(self.value)
            except BadRequest as error:
                self._said = error.with_traceback(None)
        return self._said

    def apply(self, outbox: Outbox) -> str:
        if outbox.knows(self.place):
            return "known"
        said = self.read()
        if isinstance(said, BadRequest):
            return self._bury(outbox, said)
        try:
            outbox.send(said, source=Source.KAFKA, place=self.place)
        except Refused as refused:
            return self._bury(outbox, refused)
        return "sent"

    def _bury(self, outbox: Outbox, error: FoyerError) -> str:
        outbox.bury(self.place, self.value, sentence_of(error))
        return "buried"


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody got so far with these notifications, or with all of some types; `only` those of a status.

    Gives the place in the journal of what changed; 0 if nothing did.
    """

    user_id: str
    status: Status
    origin: str
    ids: Sequence[int] | None = None
    types: Sequence[str] = ()
    only: Status | None = None

    def apply(self, outbox: Outbox) -> int:
        """Raises `Refused`: UNKNOWN_NOTIFICATION, and nothing is changed. Two to four queries."""
        outbox.write()
        rows = of_user(self.user_id, self.types)
        if self.ids is not None:
            rows = rows.filter(id__in=self.ids)
            if rows.count() != len(set(self.ids)):
                raise Refused("UNKNOWN_NOTIFICATION", "One of these is no notification of yours.")
        others = rows.exclude(status=self.status)
        if self.only is not None:
            others = others.filter(status=self.only)
        changed: list[Notification] | None = list(
            others.select_related("sent").order_by("id")[: MAX_TOLD + 1]
        )
        if not changed:
            return 0
        # The ledger is locked: nobody changes them in between.
        others.update(status=self.status)
        if len(changed) > MAX_TOLD or sum(map(_characters, changed)) > MAX_TOLD_CHARACTERS:
            changed = None
        else:
            for row in changed:
                row.status = self.status
        pages = outbox.pages
        seq = pages.next_seq()
        pages.record(
            JournalEntry(
                seq=seq,
                kind=EntryKind.MARKED,
                user_id=self.user_id,
                origin=self.origin,
                ids=None if changed is None else [row.pk for row in changed],
            ),
            Marked(
                seq,
                self.user_id,
                self.origin,
                None if changed is None else [item_of(row) for row in changed],
            ),
        )
        return seq


def _characters(notification: Notification) -> int:
    sent = notification.sent
    return len(sent.title) + len(sent.body) + len(sent.data)


def commit(commands: Sequence[Command[Any]]) -> list[Any]:
    """Do these in one transaction, in order, until it is full; each gets its result, or its refusal.

    Gives the outcomes of those that were done, at least of the first; the others are for the next one.
    Four to nine queries for any number of messages from Kafka or over HTTP, and those of each `Mark`.
    """
    outcomes: list[Any] = []
    messages = [command for command in commands if isinstance(command, Receive)]
    for message in messages:
        # Before the ledger is locked: whoever else changes something waits for that.
        message.read()
    with change() as pages:
        outbox = Outbox(pages)
        outbox.look_up([message.place for message in messages])
        outbox.look_up_keys([command.key for command in commands if isinstance(command, Send)])
        for command in commands:
            if outbox.recipient_count >= RECIPIENTS_AT_ONCE:
                break
            try:
                outcomes.append(command.apply(outbox))
            except Refused as refusal:
                outcomes.append(refusal)
        outbox.write()
    return outcomes


def commit_all(commands: Sequence[Command[Any]]) -> list[Any]:
    """Do all of them, in as few transactions as will do; gives the outcome of each.

    What was committed is never in doubt: once the first transaction is, whatever goes wrong later is the
    outcome of those it concerns.
    """
    outcomes = commit(commands)
    while rest := commands[len(outcomes) :]:
        try:
            outcomes += commit(rest[:1])
        except DATABASE_TROUBLE as error:
            # Not theirs: each would wait for its own timeout.
            outcomes += [error] * len(rest)
        except Exception as error:  # noqa: BLE001 - it becomes the outcome of this one
            outcomes.append(error)
    return outcomes


def commit_one(command: Command[Result]) -> Result:
    """Do it in a transaction of its own.

    Raises:
        Refused: as the command does.
    """
    outcome: Result | Exception = commit([command])[0]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def sentence_of(error: FoyerError) -> str:
    """What is wrong with a message, and where, in words."""
    path = getattr(error, "path", "")
    return f"{path}: {error.message}" if path else error.message

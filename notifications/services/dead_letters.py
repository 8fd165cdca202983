"""Dead letters: sending them after all, or not. Each is dealt with once."""

from __future__ import annotations

from dataclasses import dataclass

from notifications.models import MAX_REASON_LENGTH, DeadLetter, Sent, Source
from notifications.protocol.codec import BadRequest
from notifications.protocol.feed import decode_feed
from notifications.services.commands import commit_one, sentence_of
from notifications.services.outbox import Outbox, Place
from realtime.errors import Refused


@dataclass(frozen=True, slots=True)
class Retry:
    """Read a dead letter again and send what it says: a template or a group may be there by now."""

    letter_id: int
    actor: str

    def apply(self, outbox: Outbox) -> Sent:
        letter = _open_letter(self.letter_id)
        try:
            feed = decode_feed(bytes(letter.value))
        except BadRequest as error:
            raise Refused("STILL_WRONG", sentence_of(error)) from None
        place = None
        if letter.partition is not None and letter.offset is not None:
            place = Place(letter.topic, letter.partition, letter.offset)
        sent = outbox.send(feed, source=Source.KAFKA, actor=self.actor, place=place)
        _resolve(letter, outbox, f"Sent by {self.actor}.")
        return sent


@dataclass(frozen=True, slots=True)
class Discard:
    """Have a dead letter never sent."""

    letter_id: int
    actor: str

    def apply(self, outbox: Outbox) -> None:
        _resolve(_open_letter(self.letter_id), outbox, f"Discarded by {self.actor}.")


def retry_dead_letter(*, letter_id: int, actor: str) -> Sent:
    """Send it, in one transaction with resolving it; gives what was sent.

    Raises:
        Refused: UNKNOWN_DEAD_LETTER, ALREADY_RESOLVED; STILL_WRONG, or as `Outbox.send`: nothing has changed.
    """
    return commit_one(Retry(letter_id, actor))


def discard_dead_letter(*, letter_id: int, actor: str) -> None:
    """Resolve it without sending it.

    Raises:
        Refused: UNKNOWN_DEAD_LETTER, ALREADY_RESOLVED.
    """
    commit_one(Discard(letter_id, actor))


def _open_letter(letter_id: int) -> DeadLetter:
    """The ledger is locked: nobody deals with it at the same time."""
    letter = DeadLetter.objects.filter(pk=letter_id).first()
    if letter is None:
        raise Refused("UNKNOWN_DEAD_LETTER", "There is no such dead letter.")
    if letter.resolved_at is not None:
        raise Refused("ALREADY_RESOLVED", f"This was dealt with before. {letter.resolution}")
    return letter


def _resolve(letter: DeadLetter, outbox: Outbox, resolution: str) -> None:
    letter.resolved_at, letter.resolution = outbox.pages.now, resolution[:MAX_REASON_LENGTH]
    letter.save(update_fields=["resolved_at", "resolution"])

"""Storing what came from Kafka: each message once, and none keeps the others from being stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import ProgrammingError

from notifications.protocol.codec import BadRequest
from notifications.services.commands import Receive, commit
from realtime.db import DATABASE_TROUBLE
from realtime.logs import get_logger

log = get_logger(__name__)

# Of the database as a whole, whatever the message says: it is away, or not migrated yet.
NOT_THE_MESSAGE = (*DATABASE_TROUBLE, ProgrammingError)


@dataclass(slots=True)
class Bury(Receive):
    """A message came from Kafka that could not be stored, for this reason."""

    reason: str

    def read(self) -> BadRequest:
        """The reason. What it says is not looked at again: that may have been the trouble."""
        return BadRequest("invalid", self.reason)


def store(messages: Sequence[Receive]) -> list[str]:
    """Store these in one transaction, or a few if they have very many recipients; gives the outcome of each.

    If that fails, each is tried alone, so that only those are buried that cannot be stored.

    Raises:
        DatabaseError: the database is not usable now. Try again: what is stored is known then.
    """
    outcomes: list[str] = []
    while rest := messages[len(outcomes) :]:
        try:
            outcomes += map(str, commit(rest))
        except NOT_THE_MESSAGE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, those behind it are to be stored
            if len(rest) > 1:
                outcomes += [outcome for message in rest for outcome in store([message])]
            else:
                outcomes.append(_bury(rest[0], error))
    return outcomes


def _bury(message: Receive, error: Exception) -> str:
    topic, partition, offset = message.place
    log.error("kafka.message_failed", topic=topic, partition=partition, offset=offset, exc_info=error)
    reason = f"It could not be stored: {type(error).__name__}: {error}".replace("\0", "")
    return str(commit([Bury(message.place, message.value, reason)])[0])

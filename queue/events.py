"""What happened in the line, as the messages that say so, and who gets them. No models, no I/O.

Everyone connected is sent the same frame of numbers; pages of ours (``?extended=1``) get more in it.
Protocol: docs/protocols/queue.md.
"""

from queue import rules
from queue.protocol import messages
from queue.protocol.codec import Meaning, encode, encode_should_queue
from realtime.errors import FoyerError, InternalError

SHARDS = 16
"""Groups that everyone is spread over: the numbers go to one after the other, so that tens of thousands of
writes never hold up a login."""

UNAVAILABLE_STATUS = 503


def group_of(shard: int, *, extended: bool) -> str:
    """The hub group of a shard's plain or extended connections."""
    return f"queue:{'pages' if extended else 'clients'}.{shard}"


def should_queue(*, may_go: bool, meaning: Meaning) -> bytes:
    return encode_should_queue(may_go=may_go, meaning=meaning)


def ticket(ticket_id: str, position: int) -> bytes:
    return encode(messages.Ticket(ticket_id, position))


def stats(*, head: int, tail: int, avg_wait_ms: int) -> bytes:
    return encode(messages.QueueStats(head, tail, avg_wait_ms))


def extended_stats(
    *,
    head: int,
    tail: int,
    avg_wait_ms: int,
    pace: rules.Pace | None,
    message: str,
    paused: bool,
    interval_s: int,
    keep_s: int,
) -> bytes:
    estimate = None
    if pace is not None:
        estimate = messages.Estimate(pace.per_ticket_s * 1e3, pace.variance_s2 * 1e6, pace.tickets)
    return encode(
        messages.QueueStats(
            head,
            tail,
            avg_wait_ms,
            estimate,
            message,
            paused,
            interval_ms=interval_s * 1_000,
            keep_ms=keep_s * 1_000,
        )
    )


def let_in(jwt: str) -> bytes:
    return encode(messages.LoginAnswer(jwt))


def turned_away(status_code: int, message: str) -> bytes:
    return encode(messages.LoginAnswer("", status_code, message))


def removed() -> bytes:
    return encode(messages.Error(messages.ErrorCode.REMOVED, "You were taken out of the line."))


def error(error: FoyerError) -> bytes:
    """An error in the protocol's words."""
    code = messages.ErrorCode.INTERNAL if isinstance(error, InternalError) else error.code
    return encode(messages.Error(code, error.message))

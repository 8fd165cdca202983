"""Reading the line: what is told to everyone in it, and what admission goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Avg, F, Min, Q, QuerySet
from django.utils import timezone

from queue import rules
from queue.models import Line, LogEntry, LogKind, NeverWaits, Policy, Reason, Session, Ticket, TicketState

OPEN: Final = (TicketState.WAITING, TicketState.ADMITTED)

PACE_TICKETS: Final = 400
"""How many admissions the pace of the line is taken from. More would be steadier, and later to notice."""

_ONLY_ROW = 1


@dataclass(frozen=True, slots=True)
class LineView:
    """The line at one moment.

    Attributes:
        head, tail: the lowest position in line and the highest ever given; tail + 1 and tail: nobody waits.
        waiting: how many are in line; `active` of them have a connection.
        free: how many could be let in now.
        pace: None until enough have been let in.
        clock_set_back: the bucket was last looked at in the future.
    """

    policy: Policy
    head: int
    tail: int
    waiting: int
    active: int
    logging_in: int
    occupied: int
    free: int
    avg_wait_ms: int
    pace: rules.Pace | None
    failing: bool
    some_never_wait: bool
    clock_set_back: bool

    @property
    def may_go(self) -> bool:
        """Whether somebody who comes now need not wait."""
        return not self.policy.paused and (not self.policy.enabled or (self.free > 0 and not self.active))


def load_policy() -> Policy:
    """The policy in force: what is in the database, or the defaults. One query."""
    return Policy.objects.filter(pk=_ONLY_ROW).first() or Policy(pk=_ONLY_ROW)


def load_line() -> Line:
    """The line's own row. One query."""
    return Line.objects.filter(pk=_ONLY_ROW).first() or Line(pk=_ONLY_ROW)


def view_line() -> LineView:
    """The line now. Up to eleven queries, whatever its length."""
    policy, line = load_policy(), load_line()
    head = head_position(line)
    waits = head <= line.last_position
    taken, logging_in = count_occupied(line), count_logging_in()
    return LineView(
        policy=policy,
        head=head,
        tail=line.last_position,
        waiting=Ticket.objects.filter(state=TicketState.WAITING).count() if waits else 0,
        active=next_in_line().count() if waits else 0,
        logging_in=logging_in,
        occupied=taken,
        free=rules.places(
            policy.rules,
            taken=taken,
            logging_in=logging_in,
            tokens=tokens_now(line, policy),
            failing=line.failing,
        ),
        avg_wait_ms=average_wait_ms(policy),
        pace=load_pace(),
        failing=line.failing,
        some_never_wait=NeverWaits.objects.exists(),
        clock_set_back=line.tokens_at is not None and line.tokens_at > timezone.now(),
    )


def may_go(client_id: str, jwt_digest: str) -> bool:
    """Whether a client that comes now need not wait. Up to eight queries."""
    if jwt_digest and Session.objects.filter(jwt_digest=jwt_digest, ended_at=None).exists():
        return True
    policy = load_policy()
    if policy.paused:
        return False
    if not policy.enabled or NeverWaits.objects.filter(client_id=client_id).exists():
        return True
    if next_in_line().exists():
        return False
    line = load_line()
    free = rules.places(
        policy.rules,
        taken=count_occupied(line),
        logging_in=count_logging_in(),
        tokens=tokens_now(line, policy),
        failing=line.failing,
    )
    return free > 0


def head_position(line: Line) -> int:
    """The lowest position in line; of an empty line the next that will be given. One query."""
    head: int | None = Ticket.objects.filter(state=TicketState.WAITING).aggregate(head=Min("position"))[
        "head"
    ]
    return line.last_position + 1 if head is None else head


def next_in_line() -> QuerySet[Ticket]:
    """Those who can be admitted, in order: waiting, with a connection, and not resting."""
    waiting = Ticket.objects.filter(~Q(holder=""), state=TicketState.WAITING, resting=False)
    return waiting.order_by("position")


def count_logging_in() -> int:
    """Admitted tickets on their way that take a place of their own. One query."""
    return Ticket.objects.filter(state=TicketState.ADMITTED, replaces="").count()


def count_occupied(line: Line) -> int:
    """How many places of the main server are taken. Two queries."""
    alive = Session.objects.filter(ended_at=None)
    return rules.occupied(
        logging_in=count_logging_in(),
        sessions=alive.count() if line.reported is None else 0,
        reported=line.reported,
        sessions_since_report=(
            0 if line.reported_at is None else alive.filter(started_at__gt=line.reported_at).count()
        ),
    )


def tokens_now(line: Line, policy: Policy) -> float:
    """How many the pace of the policy lets in at once. No query."""
    elapsed_s = (timezone.now() - line.tokens_at).total_seconds() if line.tokens_at else 0.0
    return rules.refilled(line.tokens, elapsed_s, policy.rules)


def average_wait_ms(policy: Policy) -> int:
    """Mean wait of the tickets admitted last; the policy's guess before there are any. One query."""
    last = (
        Ticket.objects.exclude(admitted_at=None)
        .order_by("-admitted_at")
        .values("wait_ms")[: policy.avg_wait_window]
    )
    mean = last.aggregate(mean=Avg("wait_ms"))["mean"]
    return policy.initial_avg_wait_s * 1_000 if mean is None else round(mean)


def load_pace(*, hours: int = 24) -> rules.Pace | None:
    """How fast the line has moved lately. One query, of at most `PACE_TICKETS` rows."""
    since = timezone.now() - timedelta(hours=hours)
    # Who was put back, or is admitted a second time, is no progress: only a ticket's last admission counts.
    last = LogEntry.objects.filter(
        kind=LogKind.ADMITTED, reason=Reason.TURN, at__gt=since, ticket__admitted_at=F("at")
    ).order_by("-seq")
    counts: dict[float, list[bool]] = {}
    for at, line_left in last.values_list("at", "line_left")[:PACE_TICKETS]:
        counts.setdefault(at.timestamp(), []).append(bool(line_left))
    steps = [rules.Step(at_s, len(left), left[0]) for at_s, left in counts.items()]
    return rules.pace(steps[::-1])

"""Decisions of the login queue, without a database: how many may be let in, and how long it takes. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

# One transaction admits at most so many; with more to admit the next follows at once.
MAX_ADMITTED_AT_ONCE: Final = 1_000
# Half of a normal distribution lies within so many standard deviations of its mean.
_QUARTILE: Final = 0.6745


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is let in, and how fast: what an operator decides."""

    enabled: bool = True
    paused: bool = False
    capacity: int = 1_000
    admit_per_interval: int = 500
    interval_s: float = 10.0


def refilled(tokens: float | None, elapsed_s: float, policy: Policy) -> float:
    """The token bucket `elapsed_s` after it had `tokens`: never more than one interval's worth.

    None, before anybody was let in, is a full bucket. A clock that was set back adds nothing.
    """
    full = float(policy.admit_per_interval)
    if tokens is None:
        return full
    return min(full, tokens + max(0.0, elapsed_s) * full / policy.interval_s)


def occupied(*, logging_in: int, sessions: int, reported: int | None, sessions_since_report: int) -> int:
    """How many places of the main server are taken.

    Args:
        logging_in: admitted, and on their way.
        sessions: those of ours that are alive.
        reported: what the main server said it has, or None where it does not say.
        sessions_since_report: those of ours that are alive and began after that; it cannot have counted them.
    """
    if reported is None:
        return logging_in + sessions
    return logging_in + reported + sessions_since_report


def places(policy: Policy, *, taken: int, logging_in: int, tokens: float, failing: bool) -> int:
    """How many of the line may be admitted now.

    While the main server fails, one is sent to see whether it works again, and only when nobody is on the
    way: not the whole front of the line, to be told one after the other that it does not.
    """
    if policy.paused:
        return 0
    if not policy.enabled:
        return MAX_ADMITTED_AT_ONCE
    free = min(policy.capacity - taken, math.floor(tokens), MAX_ADMITTED_AT_ONCE)
    if failing:
        free = min(free, 1 - logging_in)
    return max(0, free)


# --- How long it takes ----------------------------------------------------------------------------------


class Step(NamedTuple):
    """Tickets admitted at one moment.

    Attributes:
        at_s: seconds on any clock.
        tickets: how many.
        line_left: whether somebody was left waiting; if not, the time to the next step says nothing.
    """

    at_s: float
    tickets: int
    line_left: bool


class Pace(Struct, frozen=True):
    """How fast the line has moved, and how evenly.

    Attributes:
        per_ticket_s: mean time for one ticket.
        variance_s2: how much that varies: of the time for n tickets it is n times as much.
        tickets: how many it was learned from.
    """

    per_ticket_s: float
    variance_s2: float
    tickets: float


class Estimate(NamedTuple):
    """A wait in seconds: between `low` and `high` for half of those it is told to, a quarter on each side."""

    low_s: float
    mean_s: float
    high_s: float


def pace(steps: Sequence[Step]) -> Pace | None:
    """What the last steps, oldest first, say about the pace; None where that is nothing yet.

    A step of n tickets that came after a gap deviates from the mean pace by ``gap - n * mean``:
    the mean square of that is the variance, whether the line moves one by one or five hundred at a time.
    """
    spells = [
        (after.at_s - before.at_s, after.tickets)
        for before, after in pairwise(steps)
        if before.line_left and after.at_s > before.at_s
    ]
    if len(spells) < 3:
        return None
    tickets = sum(count for _, count in spells)
    mean_s = sum(gap_s for gap_s, _ in spells) / tickets
    squares = sum((gap_s - count * mean_s) ** 2 for gap_s, count in spells)
    variance_s2 = squares / (len(spells) - 1) * len(spells) / tickets
    return Pace(mean_s, variance_s2, float(tickets))


def estimate(ahead: int, line_pace: Pace) -> Estimate:
    """How long it takes until a ticket with `ahead` others in front of it is admitted.

    Two things are uncertain: how even the pace will be (which matters less, the more are ahead), and whether
    the pace that was seen is the true one (which matters more).
    """
    count = max(0, ahead) + 1
    mean_s = count * line_pace.per_ticket_s
    spread_s = _QUARTILE * math.sqrt(line_pace.variance_s2 * count * (1 + count / line_pace.tickets))
    return Estimate(max(0.0, mean_s - spread_s), mean_s, mean_s + spread_s)

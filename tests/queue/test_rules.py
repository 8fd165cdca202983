"""Admission and estimates, as pure decisions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue.rules import MAX_ADMITTED_AT_ONCE, Policy, Step, estimate, occupied, pace, places, refilled

OPEN_ENDED = Policy(capacity=10**6, admit_per_interval=10**6)


@pytest.mark.parametrize(
    ("policy", "taken", "logging_in", "tokens", "failing", "free"),
    [
        (Policy(capacity=5), 3, 0, 100.0, False, 2),
        (Policy(capacity=5), 5, 0, 100.0, False, 0),
        (Policy(capacity=5), 9, 0, 100.0, False, 0),
        (Policy(capacity=50), 0, 0, 7.9, False, 7),
        (Policy(capacity=50), 0, 0, 0.9, False, 0),
        (Policy(capacity=50, paused=True), 0, 0, 100.0, False, 0),
        (Policy(capacity=0, enabled=False), 9, 0, 0.0, True, MAX_ADMITTED_AT_ONCE),
        (Policy(capacity=50, enabled=False, paused=True), 0, 0, 100.0, False, 0),
        (Policy(capacity=50), 0, 0, 100.0, True, 1),
        (Policy(capacity=50), 1, 1, 100.0, True, 0),
        (Policy(capacity=50), 7, 7, 100.0, True, 0),
        (Policy(capacity=1), 1, 0, 100.0, True, 0),
        (OPEN_ENDED, 0, 0, 10.0**6, False, MAX_ADMITTED_AT_ONCE),
    ],
)
def test_places(policy: Policy, taken: int, logging_in: int, tokens: float, failing: bool, free: int) -> None:
    assert places(policy, taken=taken, logging_in=logging_in, tokens=tokens, failing=failing) == free


def test_occupied_counts_ours_or_believes_the_main_server() -> None:
    assert occupied(logging_in=2, sessions=3, reported=None, sessions_since_report=1) == 5
    assert occupied(logging_in=2, sessions=3, reported=40, sessions_since_report=1) == 43
    assert occupied(logging_in=0, sessions=3, reported=0, sessions_since_report=0) == 0


@given(st.floats(0, 600), st.floats(0, 10_000), st.integers(1, 10_000), st.integers(1, 1_000))
def test_the_bucket_never_holds_more_than_an_interval(
    tokens: float, elapsed_s: float, per_interval: int, interval_s: int
) -> None:
    policy = Policy(admit_per_interval=per_interval, interval_s=interval_s)
    after = refilled(min(tokens, per_interval), elapsed_s, policy)
    assert min(tokens, per_interval) <= after <= per_interval


def test_the_bucket() -> None:
    policy = Policy(admit_per_interval=500, interval_s=10)
    assert refilled(None, 0, policy) == 500
    assert refilled(0.0, 1, policy) == 50
    assert refilled(0.0, 11, policy) == 500
    assert refilled(7.0, -30, policy) == 7, "a clock that was set back adds nothing and takes nothing"


# --- How long it takes ------------------------------------------------------------------------------


def even(count: int, gap_s: float, tickets: int = 1) -> list[Step]:
    return [Step(number * gap_s, tickets, line_left=True) for number in range(count)]


def test_an_even_line_is_told_to_the_second() -> None:
    found = pace(even(20, 3.0))
    assert found is not None
    assert estimate(9, found) == pytest.approx((30.0, 30.0, 30.0))


def test_batches_are_as_certain_as_single_ones() -> None:
    found = pace(even(20, 10.0, tickets=500))
    assert found is not None
    assert estimate(999, found).mean_s == pytest.approx(20.0)
    assert estimate(999, found).low_s == pytest.approx(20.0)


def test_time_in_which_nobody_waited_says_nothing() -> None:
    steps = even(10, 2.0)
    night = [Step(18.0, 1, line_left=False), Step(30_000.0, 1, line_left=True)]
    later = [Step(30_000.0 + 2.0 * number, 1, line_left=True) for number in range(1, 6)]
    found = pace([*steps[:-1], *night, *later])
    assert found is not None
    assert found.per_ticket_s == pytest.approx(2.0)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_little_is_no_pace(count: int) -> None:
    assert pace(even(count, 1.0)) is None


@given(
    st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(1, 500), st.booleans()), max_size=60),
    st.integers(0, 10**6),
)
def test_an_estimate_is_always_in_order_and_not_negative(
    steps: list[tuple[float, int, bool]], ahead: int
) -> None:
    at_s, made = 0.0, []
    for gap_s, tickets, left in steps:
        at_s += gap_s
        made.append(Step(at_s, tickets, left))
    found = pace(made)
    if found is not None:
        low_s, mean_s, high_s = estimate(ahead, found)
        assert 0 <= low_s <= mean_s <= high_s


def one_by_one(dice: random.Random) -> float:
    """Sessions end by chance: some seconds, sometimes a minute, between two."""
    return dice.expovariate(1 / 6.0)


def in_fits(dice: random.Random) -> float:
    """Mostly quick, now and then a long pause."""
    return dice.expovariate(1 / 2.0) if dice.random() < 0.9 else dice.uniform(20, 60)


@pytest.mark.parametrize("gap", [one_by_one, in_fits])
@pytest.mark.parametrize("ahead", [3, 20, 100, 400])
def test_half_of_all_waits_lie_within_the_band(gap, ahead: int) -> None:
    """What the page promises: one in two, and as many below it as above."""
    within = below = 0
    rounds = 600
    for number in range(rounds):
        dice = random.Random(number)
        at_s, steps = 0.0, []
        for _ in range(200):
            at_s += gap(dice)
            steps.append(Step(at_s, 1, line_left=True))
        truth_s = sum(gap(dice) for _ in range(ahead + 1))
        found = pace(steps)
        assert found is not None
        low_s, _, high_s = estimate(ahead, found)
        within += low_s <= truth_s <= high_s
        below += truth_s < low_s
    assert 0.40 <= within / rounds <= 0.65
    assert 0.10 <= below / rounds <= 0.38

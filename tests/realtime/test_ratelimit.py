"""Token buckets against a model with exact fractions, and the bound on remembered keys."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.ratelimit import KeyedRateLimiter, TokenBucket

# Eighths of a second and rates in eighths are exact as floats, so bucket and model must agree exactly.
eighths = st.integers(0, 80).map(lambda n: n / 8)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 12)),
        st.tuples(st.just("grant"), st.integers(0, 12)),
        st.tuples(st.just("wait"), eighths),
    ),
    max_size=60,
)


class ModelBucket:
    """What a bucket is by definition: filled at each moment that passes, in exact numbers."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = Fraction(rate), Fraction(burst)
        self.tokens = self.burst

    def wait(self, seconds: float) -> None:
        filled = self.tokens + Fraction(seconds) * self.rate
        self.tokens = max(self.tokens, min(filled, self.burst))

    def take(self, n: int) -> bool:
        if n > self.tokens:
            return False
        self.tokens -= n
        return True

    def grant(self, n: int) -> None:
        self.tokens = min(self.tokens + n, 2 * self.burst)


@given(rate=st.integers(1, 64).map(lambda n: n / 8), burst=st.integers(1, 10), actions=actions, start=eighths)
def test_behaves_as_the_model(rate, burst, actions, start):
    bucket, model, now_s = TokenBucket(rate, burst), ModelBucket(rate, burst), start
    bucket.take(now_s, 0)  # a bucket learns the time from its first call
    for action, amount in actions:
        if action == "wait":
            now_s += amount
            model.wait(amount)
        elif action == "grant":
            bucket.grant(now_s, amount)
            model.grant(amount)
        else:
            wait_s = bucket.wait_s(now_s, amount)
            assert bucket.take(now_s, amount) is model.take(amount) is (wait_s == 0)


def test_a_burst_then_the_rate():
    bucket = TokenBucket(rate_per_s=10, burst=100)
    assert [bucket.take(50.0) for _ in range(101)] == [True] * 100 + [False]
    assert [bucket.take(50.5) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(9_999.0) for _ in range(101)] == [True] * 100 + [False]


def test_a_refusal_takes_nothing():
    bucket = TokenBucket(rate_per_s=1, burst=5)
    assert not bucket.take(0.0, 6)
    assert bucket.take(0.0, 5)


def test_a_clock_that_goes_back_gives_nothing():
    bucket = TokenBucket(rate_per_s=1, burst=1)
    bucket.take(10.0, 0)
    assert bucket.take(5.0)
    assert not bucket.take(10.0)
    assert not bucket.take(10.5)
    assert bucket.take(11.0)


def test_granted_answers_are_not_flooding():
    bucket = TokenBucket(rate_per_s=1, burst=2)
    for _ in range(50):
        bucket.grant(0.0)
        assert bucket.take(0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]


def test_granted_credit_is_kept_but_bounded():
    bucket = TokenBucket(rate_per_s=1, burst=2)
    bucket.grant(0.0, 1_000)
    # Time neither adds to what is above the burst nor takes it away.
    assert [bucket.take(100.0) for _ in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize(("n", "wait_s"), [(1, 0.0), (2, 0.5), (4, 1.5), (5, float("inf"))])
def test_says_how_long_to_wait(n, wait_s):
    bucket = TokenBucket(rate_per_s=2, burst=4)
    bucket.take(0.0, 3)
    assert bucket.wait_s(0.0, n) == wait_s


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0), (1, 0.5), (float("nan"), 1)])
def test_refuses_limits_that_make_no_sense(rate, burst):
    with pytest.raises(ValueError, match="need a rate"):
        TokenBucket(rate, burst)
    with pytest.raises(ValueError, match="need a rate"):
        KeyedRateLimiter(rate, burst)


@given(st.lists(st.tuples(st.sampled_from("abc"), eighths), max_size=80))
def test_keys_do_not_touch_each_other(calls):
    limiter = KeyedRateLimiter(rate_per_s=1, burst=3)
    buckets = {key: TokenBucket(1, 3) for key in "abc"}
    now_s = 0.0
    for key, later_s in calls:
        now_s += later_s
        assert limiter.retry_after_s(key, now_s) == buckets[key].wait_s(now_s)
        assert limiter.take(key, now_s) is buckets[key].take(now_s)
    assert len(limiter) == len({key for key, _ in calls})


def test_after_the_time_it_names_a_key_is_let_through():
    limiter = KeyedRateLimiter(rate_per_s=4, burst=1)
    assert limiter.take("key", 1.0)
    assert not limiter.take("key", 1.0)
    assert limiter.retry_after_s("key", 1.0) == 0.25
    assert limiter.take("key", 1.25)


def test_asking_about_a_key_does_not_remember_it():
    limiter = KeyedRateLimiter(rate_per_s=1, burst=1)
    assert limiter.retry_after_s("stranger", 0.0) == 0
    assert len(limiter) == 0


def test_forgets_the_key_unused_for_longest():
    limiter = KeyedRateLimiter(rate_per_s=0.001, burst=1, max_keys=2)
    assert limiter.take("old", 0.0)
    assert limiter.take("used", 0.0)
    assert not limiter.take("old", 1.0)  # refused, but used: it is now the younger one
    assert limiter.take("new", 2.0)
    assert len(limiter) == 2
    assert not limiter.take("old", 3.0)
    assert limiter.take("used", 3.0)  # forgotten, so full again


@given(st.lists(st.integers(0, 1_000).map(str), max_size=100), st.integers(1, 5))
def test_never_remembers_more_keys_than_it_may(keys, max_keys):
    limiter = KeyedRateLimiter(rate_per_s=1, burst=1, max_keys=max_keys)
    for key in keys:
        limiter.take(key, 0.0)
        assert len(limiter) <= max_keys


def test_needs_room_for_a_key():
    with pytest.raises(ValueError, match="at least one key"):
        KeyedRateLimiter(rate_per_s=1, burst=1, max_keys=0)

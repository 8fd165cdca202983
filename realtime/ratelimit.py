"""Token buckets: so many at once, so many a second after that.

Limits are applied before anything is parsed, so a refusal must be the cheapest thing the server does.
`TokenBucket` belongs to one connection and lives on it. `KeyedRateLimiter` holds one bucket for each
key (an API key, an address) and a bounded number of them.

Times are seconds of a monotonic clock and come in as arguments. This module is pure.
"""

__all__ = ["KeyedRateLimiter", "TokenBucket"]


class TokenBucket:
    """Up to `burst` at once and `rate_per_s` on average. It starts full.

    "Over 100 frames in 10 s" is ``TokenBucket(rate_per_s=10, burst=100)``.

    Raises:
        ValueError: `rate_per_s` is not above 0, or `burst` is below 1.
    """

    __slots__ = ("_burst", "_rate_per_s", "_tokens", "_updated_s")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        if not (rate_per_s > 0 and burst >= 1):
            raise ValueError(f"need a rate above 0 and a burst of 1 or more, not {rate_per_s} and {burst}")
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        # Before any reading: the bucket is full whatever the clock of the first call says.
        self._updated_s = float("-inf")

    def take(self, now_s: float, n: float = 1) -> bool:
        """Take `n` tokens if they are there. Otherwise take none and return False."""
        self._refill(now_s)
        if n > self._tokens:
            return False
        self._tokens -= n
        return True

    def wait_s(self, now_s: float, n: float = 1) -> float:
        """Seconds until `n` tokens are there; 0 when they are. More than `burst` never are: infinity."""
        self._refill(now_s)
        if n <= self._tokens:
            return 0.0
        return (n - self._tokens) / self._rate_per_s if n <= self._burst else float("inf")

    def grant(self, now_s: float, n: float = 1) -> None:
        """Allow `n` more, for frames we asked the peer for: an answer to us is not flooding.

        Never above twice the burst, so a peer that saves up what it owes gains little by it.
        """
        self._refill(now_s)
        self._tokens = min(self._tokens + n, 2.0 * self._burst)

    def _refill(self, now_s: float) -> None:
        if now_s <= self._updated_s:
            return
        # Time fills the bucket up to the burst; what was granted above it stays until it is used.
        if self._tokens < self._burst:
            refilled = self._tokens + (now_s - self._updated_s) * self._rate_per_s
            self._tokens = min(refilled, float(self._burst))
        self._updated_s = now_s


class KeyedRateLimiter:
    """A token bucket for each key, and at most `max_keys` of them.

    When there are too many, the one unused for longest is forgotten. That errs in favour of its key,
    which finds a full bucket should it return: nobody is refused because of what others do.

    Raises:
        ValueError: `rate_per_s` is not above 0, or `burst` or `max_keys` is below 1.
    """

    __slots__ = ("_buckets", "_burst", "_max_keys", "_rate_per_s")

    def __init__(self, rate_per_s: float, burst: float, max_keys: int = 10_000) -> None:
        if max_keys < 1:
            raise ValueError(f"a limiter needs room for at least one key, not {max_keys}")
        TokenBucket(rate_per_s, burst)  # the same limits hold: fail now, not at the first request
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: dict[str, TokenBucket] = {}  # the longest unused first

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def take(self, key: str, now_s: float) -> bool:
        """Take one token of `key`'s bucket if there is one."""
        buckets = self._buckets
        bucket = buckets.pop(key, None) or TokenBucket(self._rate_per_s, self._burst)
        buckets[key] = bucket
        if len(buckets) > self._max_keys:
            del buckets[next(iter(buckets))]
        return bucket.take(now_s)

    def retry_after_s(self, key: str, now_s: float) -> float:
        """Seconds until `take` would succeed; 0 when it would now. Takes nothing, remembers nothing."""
        bucket = self._buckets.get(key)
        return bucket.wait_s(now_s) if bucket else 0.0

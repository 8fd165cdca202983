"""How often somebody may ask something of an HTTP API.

Core, for Django REST framework.
"""

from __future__ import annotations

import threading
import time

from realtime.http_errors import HttpError
from realtime.ratelimit import KeyedRateLimiter


class RequestLimit:
    """`burst` at once and `rate_per_s` after that, for each key. One for each process.

    Thread-safe: views run in threads.
    """

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._lock = threading.Lock()
        self._limiter = KeyedRateLimiter(rate_per_s, burst)

    def take(self, key: str) -> int:
        """Count one more of this key. Gives 0, or how many seconds to wait before the next."""
        now_s = time.monotonic()
        with self._lock:
            if self._limiter.take(key, now_s):
                return 0
            return int(self._limiter.retry_after_s(key, now_s)) + 1


def too_many(sentence: str, wait_s: int) -> HttpError:
    """The answer to who asks too often."""
    return HttpError(429, sentence, headers=[(b"retry-after", str(wait_s).encode())])

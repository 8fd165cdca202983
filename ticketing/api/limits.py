"""How often may one address try to sign in? Asked before a password is hashed, which is slow on purpose.

Guessing the password of one account is stopped by the lockout after a few failures (AXES_FAILURE_LIMIT); this
bounds what trying many accounts costs the server. Each process counts by itself.
"""

import threading
import time

from realtime.http_errors import HttpError
from realtime.ratelimit import KeyedRateLimiter

# A shift that signs in at once, from behind one router; then one more every two seconds.
LOGIN_BURST = 30
LOGIN_RATE_PER_S = 0.5


class LoginLimit:
    """One for each process. Thread-safe: views run in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiter = KeyedRateLimiter(LOGIN_RATE_PER_S, LOGIN_BURST)

    def take(self, address: str) -> None:
        """Count one attempt.

        Raises:
            HttpError: 429, with ``retry-after``.
        """
        now_s = time.monotonic()
        with self._lock:
            if self._limiter.take(address, now_s):
                return
            wait_s = self._limiter.retry_after_s(address, now_s)
        raise too_many(int(wait_s) + 1)


def too_many(wait_s: int) -> HttpError:
    """The answer to an attempt too many."""
    return HttpError(
        429, "Too many attempts. Wait before the next.", headers=[(b"retry-after", str(wait_s).encode())]
    )


logins = LoginLimit()

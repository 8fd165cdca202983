"""How often may one address try to sign in? Asked before a password is hashed, which is slow on purpose.

Guessing the password of one account is stopped by the lockout after a few failures (AXES_FAILURE_LIMIT); this
bounds what trying many accounts costs the server. Each process counts by itself.
"""

import threading
import time

from realtime.ratelimit import KeyedRateLimiter

# A shift that signs in at once, from behind one router; then one more every two seconds.
LOGIN_BURST = 30
LOGIN_RATE_PER_S = 0.5


class LoginLimit:
    """One for each process. Thread-safe: views run in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiter = KeyedRateLimiter(LOGIN_RATE_PER_S, LOGIN_BURST)

    def take(self, address: str) -> int:
        """Count one attempt. Gives 0, or how many seconds to wait before the next."""
        now_s = time.monotonic()
        with self._lock:
            if self._limiter.take(address, now_s):
                return 0
            return int(self._limiter.retry_after_s(address, now_s)) + 1


limit = LoginLimit()

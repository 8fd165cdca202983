"""How often may one key or address emit? One account for the document's route and the API."""

from django.conf import settings

from realtime import runtime
from realtime.http_errors import HttpError
from realtime.ratelimit import KeyedRateLimiter


class EmitLimits:
    """The limiter of one process. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._loop = rt.loop
        self._limiter = KeyedRateLimiter(settings.BROADCAST_EMIT_RATE, settings.BROADCAST_EMIT_BURST)

    def take(self, address: str, key: str | None, events: int = 1) -> None:
        """Count `events` emits for the address, and for the key if there is one. Call it before parsing.

        Raises:
            HttpError: 429, with ``retry-after``.
        """
        self._take(address, events)
        if key is not None:
            self._take(key, events)

    def _take(self, name: str, events: int) -> None:
        now_s = self._loop.time()
        for _ in range(events):
            if not self._limiter.take(name, now_s):
                wait_s = int(self._limiter.retry_after_s(name, now_s)) + 1
                headers = [(b"retry-after", str(wait_s).encode())]
                raise HttpError(429, "Too many requests.", headers=headers)

"""Names of channels, each handed out once, and what a seeded database holds (`tests.e2e.seed`)."""

from itertools import count
from typing import Any

KINDS: dict[str, dict[str, Any]] = {
    # Everyone may emit and listen; the last events are kept.
    "kept": {"emit": "open", "listen": "open", "history_size": 2000},
    "short": {"emit": "open", "listen": "open", "history_size": 3},
    "brief": {"emit": "open", "listen": "open", "history_size": 100, "history_age_s": 1},
    "locked": {"emit": "key", "listen": "key", "history_size": 10},
    "closed": {"emit": "closed", "listen": "closed"},
    # Open whatever DEBUG is.
    "open": {"emit": "open", "listen": "open"},
}
CHANNELS_OF_A_KIND = 60

KEYS = {
    "all": ["broadcast:emit", "broadcast:listen", "broadcast:manage"],
    "emit": ["broadcast:emit"],
    "listen": ["broadcast:listen"],
    "news": ["broadcast:emit:news.*", "broadcast:listen:news.*"],
    # Of every service: for what goes through the whole HTTP API.
    "site": [
        "broadcast:emit",
        "broadcast:listen",
        "broadcast:manage",
        "ticketing:read",
        "ticketing:create",
        "ticketing:manage",
        "queue:read",
        "queue:report",
        "queue:manage",
        "notifications:send",
        "notifications:manage",
    ],
}
ADMIN_PASSWORD = "a-password-for-tests-only"


class Channels:
    """``channels()`` is a channel without a policy, ``channels("kept")`` one of a seeded kind."""

    def __init__(self) -> None:
        self._plain = count()
        self._of_kind = {kind: iter(range(CHANNELS_OF_A_KIND)) for kind in KINDS}

    def __call__(self, kind: str | None = None) -> str:
        if kind is None:
            return f"room.{next(self._plain)}"
        return f"{kind}-{next(self._of_kind[kind])}"

"""Access tokens of Facebook, which only Facebook can read: it is asked about each.

Used by `identity`. Source: Graph API reference, "Debug-Token".
"""

import hashlib
from typing import Final

from queue.logins import LoginRefused
from queue.openid_tokens import LEEWAY_S, MAX_REMEMBERED, MAX_TOKEN_CHARS, Proof, until
from realtime.clock import Clock, SystemClock
from realtime.outbound import NoAnswer, Outbound

__all__ = ["FacebookTokens"]

_REFUSED: Final = "This is not an access token that Facebook made for us."
_EXPIRED: Final = "The token of Facebook has expired. Sign in there again."


class FacebookTokens:
    """Verifies access tokens of people for one app."""

    def __init__(
        self,
        *,
        app_id: str,
        app_secret: str,
        debug_url: str,
        outbound: Outbound,
        clock: Clock | None = None,
    ) -> None:
        self._app_id = app_id
        self._access_token = f"{app_id}|{app_secret}"
        self._clock = clock or SystemClock()
        self._debug_url = debug_url
        self._outbound = outbound

    async def prove(self, token: str) -> Proof:
        """Who `token` stands for, for one request to Facebook.

        Raises:
            LoginRefused: 401; Facebook says that it is not valid, or it is for another app or no person.
            NoAnswer: Facebook gave no such answer. It says 400 where our own id or secret
                is wrong, and that is not the client's fault either.
        """
        if not (0 < len(token) <= MAX_TOKEN_CHARS and token.isascii() and token.isprintable()):
            raise LoginRefused(401, _REFUSED)
        answer = await self._outbound.send(
            "GET",
            self._debug_url,
            who="Facebook",
            params={"input_token": token, "access_token": self._access_token},
        )
        data = (answer.json_object() or {}).get("data")
        if answer.status != 200 or not isinstance(data, dict):
            raise NoAnswer(f"Facebook: answered {answer.status}")
        user = data.get("user_id")
        if not (
            data.get("is_valid") is True
            and data.get("app_id") == self._app_id
            and data.get("type", "USER") == "USER"
            and isinstance(user, str)
            and user
        ):
            raise LoginRefused(401, _REFUSED)
        expires_s = data.get("expires_at")
        now_s = self._clock.time_ms() / 1000
        if not isinstance(expires_s, int | float):
            raise LoginRefused(401, _REFUSED)
        if expires_s == 0:  # Facebook's word for never
            expires_s = now_s + MAX_REMEMBERED.total_seconds()
        if expires_s <= now_s - LEEWAY_S:
            raise LoginRefused(401, _EXPIRED)
        return Proof(user, hashlib.sha256(token.encode()).hexdigest(), until(expires_s, self._clock))

    async def close(self) -> None:
        """Nothing is under way between calls."""

"""The public keys of an issuer of identity tokens, fetched when needed and remembered.

Whoever sends tokens chooses the key id in them, so a key that is not known must not make us ask the
issuer each time. And an issuer that cannot be reached must not shut out those whose key is known.

Used by `identity`, on one event loop. Source: RFC 7517 (JSON Web Key sets).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import jwt

from realtime.clock import Clock, SystemClock
from realtime.logs import get_logger
from realtime.outbound import Answer, NoAnswer

__all__ = ["IssuerKeys"]

log = get_logger(__name__)

# However long the issuer's cache header says they are good for. Below, an issuer that forbids caching is
# asked for every login; above, a key it withdrew would be believed for long.
MIN_FRESH_S: Final = 300.0
MAX_FRESH_S: Final = 86_400.0
# The least time between two fetches that only a key id we do not know, or a failure, gives cause for.
# Issuers publish a key well before they use it.
REFETCH_S: Final = 30.0
# Likewise while there are no keys at all: nobody can log in, so it is tried more often.
FIRST_FETCH_S: Final = 1.0

# Keys of other kinds in a set are left out. An "oct" key, above all: it is a secret, not a public key.
_ALGORITHMS: Final = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
_max_age = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})", re.IGNORECASE).search


class IssuerKeys:
    """One issuer's keys by key id. `fetch` asks the issuer once; it may raise NoAnswer."""

    def __init__(self, name: str, fetch: Callable[[], Awaitable[Answer]], clock: Clock | None = None) -> None:
        self.name = name
        self._fetch = fetch
        self._now = (clock or SystemClock()).monotonic
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fresh_until = self._next_fetch = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._failure: str = ""

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """The key, or None where the issuer has none of this id.

        Asks the issuer when the keys are old or do not hold this one, but no more than once at a time and
        no sooner than `REFETCH_S` after the last time: until then a new key of the issuer's is not found.
        While it cannot be reached, the old keys stay in use.

        Raises:
            NoAnswer: the key is not known and the issuer was not reached.
        """
        if self._is_wanting(key_id) and (self._fetching or self._now() >= self._next_fetch):
            await self._refresh()
        key = self._keys.get(key_id)
        if key is None and self._failure:
            raise NoAnswer(self._failure)
        return key

    async def close(self) -> None:
        """Stop a fetch under way."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _is_wanting(self, key_id: str) -> bool:
        return key_id not in self._keys or self._now() >= self._fresh_until

    async def _refresh(self) -> None:
        """Wait for the fetch under way, or begin one. Who gives up waiting does not end it for the others."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_once(), name=f"keys of {self.name}")
        await asyncio.shield(self._fetching)

    async def _fetch_once(self) -> None:
        try:
            answer = await self._fetch()
            keys = _usable_keys(answer)
            if not keys:
                raise NoAnswer(f"{self.name}: answered {answer.status}, without a key that can be used")
        except NoAnswer as error:
            self._failure = error.message
            self._next_fetch = self._now() + (REFETCH_S if self._keys else FIRST_FETCH_S)
            log.warning("queue.keys_unavailable", issuer=self.name, reason=error.message)
        else:
            self._keys, self._failure = keys, ""
            self._fresh_until = self._now() + _fresh_s(answer.headers)
            self._next_fetch = self._now() + REFETCH_S
        finally:
            self._fetching = None


def _usable_keys(answer: Answer) -> dict[str, jwt.PyJWK]:
    """The signature keys in an answer, by id."""
    body = (answer.json_object() if answer.status == 200 else None) or {}
    listed = body.get("keys")
    found = {}
    for data in listed if isinstance(listed, list) else ():
        if isinstance(data, dict) and (key := _usable_key(data)) is not None:
            found[data["kid"]] = key
    return found


def _usable_key(data: dict[str, Any]) -> jwt.PyJWK | None:
    kind, curve, key_id = data.get("kty"), data.get("crv"), data.get("kid")
    if not (isinstance(key_id, str) and isinstance(kind, str) and isinstance(curve, str | None)):
        return None
    algorithm = _ALGORITHMS.get((kind, curve))
    if algorithm is None or data.get("use", "sig") != "sig" or data.get("alg", algorithm) != algorithm:
        return None
    try:
        # Only what is public: a set that gives away a private key is no reason to hold it.
        return jwt.PyJWK({name: data.get(name) for name in ("kty", "crv", "n", "e", "x", "y")}, algorithm)
    except jwt.PyJWTError:
        return None


def _fresh_s(headers: Mapping[str, str]) -> float:
    """How long an answer is good for (RFC 9111, 4.2.1), in seconds and within our bounds."""
    found = _max_age(headers.get("cache-control", ""))
    age = headers.get("age", "")
    seconds = int(found[1]) if found else 0
    return min(max(seconds - (int(age) if age.isdecimal() else 0), MIN_FRESH_S), MAX_FRESH_S)

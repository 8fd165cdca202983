"""HTTP requests to servers that are not ours: the main server, identity providers.

Bounded in time, in connections and in the size of the answer; one attempt each. Whatever goes wrong is a
`MainServerUnavailable` without a trace of what was sent.
"""

import asyncio
import functools
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from queue.logins import MainServerUnavailable
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json

__all__ = ["MAX_ANSWER_BYTES", "MAX_IN_FLIGHT", "Answer", "Outbound"]

# An issuer's keys are a few kilobytes, a session token 8 at most.
MAX_ANSWER_BYTES: Final = 64 * 1024

# As many as the default policy admits at once. Further ones wait for their turn.
MAX_IN_FLIGHT: Final = 500
# What one pool of httpx has to do for a request grows with the square of its connections: 500 requests over
# one pool of 500 took 26 s of a core, over pools of 10 a bit more than 1 s.
CONNECTIONS_PER_POOL: Final = 10
# Servers keep an idle connection for 5 s and longer. A request must not meet its end.
IDLE_S: Final = 4.0

# httpx writes a line for each request, with its URL: Facebook takes tokens in there.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Header names are in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any] | None:
        """The body, if it is a JSON object; None if it is anything else."""
        try:
            value = decode_json(self.body, max_bytes=MAX_ANSWER_BYTES)
        except ProtocolViolation:
            return None
        return value if isinstance(value, dict) else None


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reads some hundred certificates, so once: those of the ``SSL_CERT_FILE`` variable, else certifi's."""
    return httpx.create_ssl_context()


class Outbound:
    """Asks servers, `MAX_IN_FLIGHT` requests at once at most. For one event loop; `close` it when done.

    Redirects are not followed: a token must not travel on to wherever an answer says.
    """

    def __init__(self, timeout_s: float) -> None:
        _tls()  # Now, not while somebody waits.
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._turnstile = asyncio.Lock()
        # Pools, and how many requests are under way in each.
        self._busy: dict[httpx.AsyncClient, int] = {}

    async def send(self, method: str, url: str, *, who: str, **request: Any) -> Answer:
        """Send one request and read the whole answer.

        `who` is asked, for the log ("the keys of Google"); `request` is passed to httpx: ``headers``,
        ``params``, ``content``, ``data``. The time limit is for all of it, so that a server which sends a
        byte now and then cannot hold a login up.

        Raises:
            MainServerUnavailable: nobody answered in time, or at more length than `MAX_ANSWER_BYTES`.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                # One begins each time round the loop: a round of admission must not hold up everybody else.
                async with self._turnstile:
                    await asyncio.sleep(0)
                with self._pool() as pool:
                    return await _exchange(pool, method, url, who, request)
        except TimeoutError:
            raise MainServerUnavailable(f"{who}: no answer within {self._timeout_s:g} s") from None
        except httpx.ConnectError as error:
            # Says what the system says ("Name or service not known"); others may quote what was sent.
            raise MainServerUnavailable(f"{who}: no connection ({error})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MainServerUnavailable(f"{who}: {type(error).__name__}") from None

    async def close(self) -> None:
        """End every connection."""
        for pool in self._busy:
            await pool.aclose()

    @contextmanager
    def _pool(self) -> Iterator[httpx.AsyncClient]:
        """The first pool with room, so that few connections serve few requests."""
        pool = next((pool for pool, busy in self._busy.items() if busy < CONNECTIONS_PER_POOL), None)
        if pool is None:
            pool = _make_pool(self._timeout_s)
        self._busy[pool] = self._busy.get(pool, 0) + 1
        try:
            yield pool
        finally:
            self._busy[pool] -= 1


def _make_pool(timeout_s: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=_tls(),
        timeout=timeout_s,
        limits=httpx.Limits(
            max_connections=CONNECTIONS_PER_POOL,
            max_keepalive_connections=CONNECTIONS_PER_POOL,
            keepalive_expiry=IDLE_S,
        ),
        follow_redirects=False,
        # An answer that unpacks to gigabytes cannot be bounded by its size on the wire.
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "foyer"},
    )


async def _exchange(
    pool: httpx.AsyncClient, method: str, url: str, who: str, request: Mapping[str, Any]
) -> Answer:
    async with pool.stream(method, url, **request) as response:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise MainServerUnavailable(f"{who}: the answer is longer than {MAX_ANSWER_BYTES} bytes")
        return Answer(response.status_code, response.headers, bytes(body))

"""HTTP requests to servers that are not ours. Core.

Bounded in time, in connections and in the size of the answer; one attempt each. Whatever goes wrong is a
`NoAnswer` without a trace of what was sent.
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

from realtime.errors import InternalError, ProtocolViolation
from realtime.wire import decode_json

__all__ = ["MAX_ANSWER_BYTES", "MAX_IN_FLIGHT", "Answer", "NoAnswer", "Outbound"]

# An issuer's keys are a few kilobytes, a session token 8 at most.
MAX_ANSWER_BYTES: Final = 64 * 1024

# As many as the login queue's first policy admits at once. Further ones wait for their turn.
MAX_IN_FLIGHT: Final = 500
# What one pool of httpx has to do for a request grows with the square of its connections: 500 requests over
# one pool of 500 took 26 s of a core, over pools of 10 a bit more than 1 s.
CONNECTIONS_PER_POOL: Final = 10
# Servers keep an idle connection for 5 s and longer. A request must not meet its end.
IDLE_S: Final = 4.0

# httpx writes a line for each request, with its URL: Facebook takes tokens in there.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class NoAnswer(InternalError):  # noqa: N818 (a state of affairs)
    """Nobody answered, or not with what was asked for. Whoever wanted it is not to blame: try again.

    The message is for the log. It names who failed and how, and holds nothing that was sent.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, "NO_ANSWER")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Header names are in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_value(self) -> Any:
        """The body as JSON values.

        Raises:
            ProtocolViolation: it is no JSON.
        """
        return decode_json(self.body, max_bytes=len(self.body))

    def json_object(self) -> dict[str, Any] | None:
        """The body, if it is a JSON object; None if it is anything else."""
        try:
            value = self.json_value()
        except ProtocolViolation:
            return None
        return value if isinstance(value, dict) else None


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reads some hundred certificates, so once: those of the ``SSL_CERT_FILE`` variable, else certifi's."""
    return httpx.create_ssl_context()


class Outbound:
    """Asks servers, so many requests at once at most. For one event loop; `close` it when done.

    Redirects are not followed: a token must not travel on to wherever an answer says.
    """

    def __init__(
        self,
        timeout_s: float,
        *,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        _tls()  # Now, not while somebody waits.
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._room = asyncio.Semaphore(max_in_flight)
        self._turnstile = asyncio.Lock()
        # Pools, and how many requests are under way in each.
        self._busy: dict[httpx.AsyncClient, int] = {}

    async def send(self, method: str, url: str, *, who: str, **request: Any) -> Answer:
        """Send one request and read the whole answer.

        `who` is asked, for the log ("the keys of Google"); `request` is passed to httpx: ``headers``,
        ``params``, ``content``, ``data``. The time limit is for all of it, so that a server which sends a
        byte now and then cannot hold a login up.

        Raises:
            NoAnswer: nobody answered in time, or at more length than is taken.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                # One begins each time round the loop: a round of admission must not hold up everybody else.
                async with self._turnstile:
                    await asyncio.sleep(0)
                with self._pool() as pool:
                    async with pool.stream(method, url, **request) as response:
                        body = await self._read(response, who)
                    return Answer(response.status_code, response.headers, body)
        except TimeoutError:
            raise NoAnswer(f"{who}: no answer within {self._timeout_s:g} s") from None
        except httpx.ConnectError as error:
            # Says what the system says ("Name or service not known"); others may quote what was sent.
            raise NoAnswer(f"{who}: no connection ({error})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{who}: {type(error).__name__}") from None

    async def close(self) -> None:
        """End every connection."""
        for pool in self._busy:
            await pool.aclose()

    async def _read(self, response: httpx.Response, who: str) -> bytes:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._max_answer_bytes:
                raise NoAnswer(f"{who}: the answer is longer than {self._max_answer_bytes} bytes")
        return bytes(body)

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

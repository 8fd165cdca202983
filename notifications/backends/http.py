"""Other services as the backend, over HTTP: who users are, their notifications, and configured commands.

Each is asked with the user's own token, ``Authorization: <token>``. What they answer: 401 and 403 are told to
the client as they are, any other status from 400 on is an error.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from django.conf import settings

from notifications.backends.base import User, unauthorized
from notifications.models import BackendCommand, Method
from notifications.protocol.codec import BadRequest
from notifications.protocol.messages import CountQuery, ListQuery, Update
from realtime import runtime
from realtime.errors import ProtocolViolation, Refused
from realtime.logs import get_logger
from realtime.outbound import NoAnswer, Outbound
from realtime.ratelimit import KeyedRateLimiter

log = get_logger(__name__)

MAX_ANSWER_BYTES: Final = 256 * 1024
# Each thing that is wrong with a service is said so often in the log: clients cause it as often as they ask.
SAID_EVERY_S: Final = 60.0

_placeholder: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")
# What can stand in a header: visible ASCII, no spaces.
_is_token: Final = re.compile(r"[!-~]{1,4096}").fullmatch
_BODY_METHODS: Final = (Method.POST, Method.PUT, Method.PATCH)


class Services:
    """Asks other services. One for each runtime; each service has its own bound on requests at once."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._outbound: dict[str, Outbound] = {}
        self._clock = rt.clock
        self._said = KeyedRateLimiter(1 / SAID_EVERY_S, burst=1)
        # Of which it was said in the log that they do not answer.
        self._silent: set[str] = set()
        rt.on_stop(self._close)

    async def ask(self, method: str, url: str, token: str, **request: Any) -> Any:
        """The answer's JSON values; None if it has no body.

        Raises:
            Refused: UNAUTHORIZED, FORBIDDEN, BACKEND_FAILED, BACKEND_UNAVAILABLE.
        """
        if token and not _is_token(token):
            raise unauthorized()
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        outbound = self._outbound.get(origin)
        if outbound is None:
            outbound = self._outbound[origin] = Outbound(
                settings.NOTIFICATIONS_API_TIMEOUT_S,
                max_in_flight=settings.NOTIFICATIONS_API_MAX_REQUESTS,
                max_answer_bytes=MAX_ANSWER_BYTES,
            )
        headers = {"Authorization": token} if token else {}
        try:
            answer = await outbound.send(method, url, who=origin, headers=headers, **request)
            self._heard_of(origin)
            if answer.status >= 400:
                raise self._refusal(answer.status, origin)
            return answer.json_value() if answer.body.strip() else None
        except NoAnswer as error:
            self._silence_of(origin, error.message)
            raise Refused("BACKEND_UNAVAILABLE", "The service behind this does not answer.") from None
        except ProtocolViolation:
            raise self.malformed(origin) from None

    def malformed(self, backend: str) -> Refused:
        """What to refuse with where a service answers with something else than it should."""
        if self._is_to_be_said(f"malformed {backend}"):
            log.warning("notifications.backend_malformed", backend=backend)
        return Refused(
            "BACKEND_FAILED", "The service behind this answered with something else than it should."
        )

    def _refusal(self, status: int, origin: str) -> Refused:
        if status == 401:
            return unauthorized()
        if status == 403:
            return Refused("FORBIDDEN", "The service behind this does not allow it.")
        if self._is_to_be_said(f"{status} {origin}"):
            log.info("notifications.backend_refused", backend=origin, status=status)
        return Refused("BACKEND_FAILED", f"The service behind this answered {status}.")

    def _is_to_be_said(self, what: str) -> bool:
        return self._said.take(what, self._clock.monotonic())

    def _heard_of(self, origin: str) -> None:
        if origin in self._silent:
            self._silent.discard(origin)
            log.info("notifications.backend_back", backend=origin)

    def _silence_of(self, origin: str, reason: str) -> None:
        # Once for an outage, not for everybody who asks meanwhile.
        if origin not in self._silent and self._is_to_be_said(f"silent {origin}"):
            self._silent.add(origin)
            log.warning("notifications.backend_unavailable", backend=origin, reason=reason)

    async def _close(self) -> None:
        for outbound in self._outbound.values():
            await outbound.close()


class HttpAccounts:
    """Users of another service: ``GET NOTIFICATIONS_USER_API_URL`` answers who a token is of."""

    def __init__(self, services: Services, url: str) -> None:
        self._services = services
        self._url = url

    async def authenticate(self, token: str) -> User:
        if not token:
            # Asked without one, the service might answer who nobody is.
            raise unauthorized()
        profile = await self._services.ask("GET", self._url, token)
        number = profile.pop("id", None) if isinstance(profile, dict) else None
        if type(number) not in (str, int) or not 1 <= len(str(number)) <= 64 or "\x00" in str(number):
            raise self._services.malformed(self._url)
        return User(str(number), profile, token)


class HttpStore:
    """Notifications of another service, at ``NOTIFICATIONS_API_URL``.

    ``GET`` it with ``where`` and ``params`` in the query, as JSON, for a list; its ``/count`` with ``where``
    and ``status`` for ``{"total"}``; ``PATCH`` it with ``{"where", "status"}``.
    """

    def __init__(self, services: Services, url: str) -> None:
        self._services = services
        self._url = url.rstrip("/")

    async def list(self, user: User, query: ListQuery, seq: int) -> tuple[int, bytes]:
        params = {"where": _json(query.where), "params": _json(query.params)}
        found = await self._services.ask("GET", self._url, user.token, params=params)
        if not isinstance(found, list):
            raise self._services.malformed(self._url)
        return seq, msgspec.json.encode(found)

    async def count(self, user: User, query: CountQuery) -> int:
        params = {"where": _json(query.where), "status": query.status}
        found = await self._services.ask("GET", f"{self._url}/count", user.token, params=params)
        total = found.get("total") if isinstance(found, dict) else None
        if type(total) is not int:
            raise self._services.malformed(self._url)
        return total

    async def mark(self, user: User, update: Update, origin: str) -> None:
        body = {"where": msgspec.to_builtins(update.where), "status": update.status}
        await self._services.ask("PATCH", self._url, user.token, json=body)


async def run(services: Services, command: BackendCommand, user: User | None, options: dict[str, Any]) -> Any:
    """What the service of a configured command answers.

    Raises:
        BadRequest: an option that the address needs is missing, or is no plain value.
        Refused: as `Services.ask`.
    """
    rest = dict(options)

    def value(found: re.Match[str]) -> str:
        path = f"options.{found[1]}"
        if found[1] not in options:
            raise BadRequest("required", "This is missing.", path)
        rest.pop(found[1], None)
        given = options[found[1]]
        # "." and ".." would make another address of it.
        if isinstance(given, (dict, list)) or given in (None, "", ".", ".."):
            raise BadRequest("invalid", "Expected a text or a number.", path)
        return quote(_plain(given), safe="")

    url = _placeholder.sub(value, command.url)
    request: dict[str, Any] = (
        {"json": rest}
        if command.method in _BODY_METHODS
        else {"params": {name: _plain(given) for name, given in rest.items()}}
    )
    return await services.ask(command.method, url, user.token if user is not None else "", **request)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

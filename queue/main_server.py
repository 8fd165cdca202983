"""The main server: what admits a login for good and gives the session's token.

`HttpMainServer` asks the server at ``MAIN_SERVER_URL``; without one, `LocalMainServer` decides itself. Both
make one attempt: whether and when to try again is the caller's to say.

I/O, between the consumers and the service's rules. The page is ``docs/protocols/queue.md``.
"""

import hashlib
import json
import string
import uuid
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from queue.identity import IdentityVerifier, make_identity_verifier
from queue.logins import Login, LoginRefused, printable
from queue.protocol.messages import LoginType
from queue.services.used_tokens import remember_token
from realtime.clock import Clock, SystemClock
from realtime.db import in_db_thread
from realtime.outbound import Answer, NoAnswer, Outbound

__all__ = [
    "HttpMainServer",
    "LocalMainServer",
    "Login",
    "LoginRefused",
    "MainServer",
    "make_main_server",
]

# A session token goes into headers, for which servers have 8 KiB or more.
MAX_JWT_BYTES: Final = 8 * 1024
# Longer ones would meet the main server's own limit for headers, with a less helpful answer.
MAX_HEADER_CHARS: Final = 1024
MAX_DEVICE_TOKEN_CHARS: Final = 256

# Type of login -> last part of the path, and what the body calls the token.
_ROUTES: Final = {
    LoginType.FACEBOOK: ("facebook", "token"),
    LoginType.GOOGLE: ("google", "token"),
    LoginType.APPLE: ("apple", "accessToken"),
    LoginType.LINE: ("line", "accessToken"),
    LoginType.DEVICE: ("device", "uniqueId"),
}
# "Try again later" in other words: timeout, too early, too many requests.
_NOT_THE_CLIENTS_FAULT: Final = frozenset({408, 425, 429})
_PRINTABLE_ASCII: Final = string.ascii_letters + string.digits + string.punctuation + " "


class MainServer(Protocol):
    """Logs people in. `fails_for_all`: if it fails for one, others would meet the same."""

    fails_for_all: bool

    async def log_in(self, login: Login) -> str:
        """The session's token, for the client.

        Raises:
            LoginRefused: the login is not accepted.
            NoAnswer: it could not be decided; try again.
        """
        ...

    async def close(self) -> None:
        """End every connection. Nothing can be asked afterwards."""
        ...


def make_main_server() -> MainServer:
    """The main server of the settings, for one event loop. Close it when done.

    Raises:
        ImproperlyConfigured: ``MAIN_SERVER_URL`` is no URL of HTTP.
    """
    if settings.MAIN_SERVER_URL:
        return HttpMainServer(settings.MAIN_SERVER_URL, timeout_s=settings.MAIN_SERVER_TIMEOUT_S)
    return LocalMainServer(
        make_identity_verifier(_remember),
        key=settings.QUEUE_JWT_KEY,
        issuer=settings.QUEUE_JWT_ISSUER,
        lifetime_s=settings.QUEUE_JWT_LIFETIME_S,
    )


async def _remember(digest: str, client_id: str, expires_at: datetime) -> bool:
    try:
        return await in_db_thread(remember_token, digest=digest, client_id=client_id, expires_at=expires_at)
    except (OperationalError, InterfaceError) as error:
        raise NoAnswer("the database cannot say whether a token was used") from error


class HttpMainServer:
    """A main server that is asked over HTTP."""

    fails_for_all = True

    def __init__(self, url: str, *, timeout_s: float) -> None:
        if not _is_address(url):
            raise ImproperlyConfigured("MAIN_SERVER_URL must be like http://game.internal:8080")
        self._url = url.rstrip("/")
        self._outbound = Outbound(timeout_s)

    async def log_in(self, login: Login) -> str:
        name, field = _ROUTES[login.type]
        answer = await self._outbound.send(
            "POST",
            f"{self._url}/api/user/authorization/{name}",
            who="the main server",
            headers={
                "Content-Type": "application/json",
                "platform": header_value(login.platform),
                "deviceid": header_value(login.device_id),
                "sessionid": header_value(login.session_id),
            },
            # ASCII: whatever the token holds, it can be sent.
            content=json.dumps({field: login.token}, separators=(",", ":")).encode("ascii"),
        )
        if 400 <= answer.status < 500 and answer.status not in _NOT_THE_CLIENTS_FAULT:
            raise LoginRefused(answer.status, _reason(answer))
        return _session_token(answer)

    async def close(self) -> None:
        await self._outbound.close()


class LocalMainServer:
    """Decides by itself, and signs the session's token (a JWT, HS256).

    Its claims: ``sub`` (``device:<SHA-256 of the device's token>`` or ``<provider>:<subject there>``),
    ``platform``, ``type`` (the login type's name in lower case), ``iss``, ``iat``, ``exp``, ``jti``. A
    device's token is all that proves who it is, so the subject must not tell it; the digest is without a
    key, so that it stays the same when keys are changed.
    """

    # What fails is one provider, which others may not need.
    fails_for_all = False

    def __init__(
        self,
        identity: IdentityVerifier,
        *,
        key: str,
        issuer: str,
        lifetime_s: int,
        clock: Clock | None = None,
    ) -> None:
        self._identity = identity
        self._key = key
        self._issuer = issuer
        self._lifetime_s = lifetime_s
        self._clock = clock or SystemClock()

    async def log_in(self, login: Login) -> str:
        if login.type is LoginType.DEVICE:
            subject = _device_subject(login.token)
        else:
            subject = await self._identity.verify(login)
        issued_s = self._clock.time_ms() // 1000
        claims: dict[str, Any] = {
            "sub": subject,
            "platform": login.platform,
            "type": login.type.name.lower(),
            "iss": self._issuer,
            "iat": issued_s,
            "exp": issued_s + self._lifetime_s,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    async def close(self) -> None:
        await self._identity.close()


def header_value(text: str) -> str:
    """`text` as the value of a header, which no text can break out of.

    Printable ASCII goes as it is. Any other character is percent-encoded (``é`` as ``%C3%A9``): dropping
    it would make two ids one. White space around it is not part of a value (RFC 9110, 5.5).

    Raises:
        LoginRefused: 400; longer than `MAX_HEADER_CHARS` by then.
    """
    value = quote(text.strip(), safe=_PRINTABLE_ASCII, errors="backslashreplace")
    if len(value) > MAX_HEADER_CHARS:
        raise LoginRefused(400, "The deviceId or sessionId is too long.")
    return value


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no such port, no such IPv6 address
        return False


def _reason(answer: Answer) -> str:
    """What the main server says of a refusal, or else a sentence of ours."""
    body = answer.json_object() or {}
    for name in ("message", "error"):
        if isinstance(text := body.get(name), str) and (shown := printable(text)):
            return shown
    return "The main server refused this login."


def _session_token(answer: Answer) -> str:
    """``data.jwt`` of a good answer."""
    if not 200 <= answer.status < 300:
        raise NoAnswer(f"the main server: answered {answer.status}")
    data = (answer.json_object() or {}).get("data")
    token = data.get("jwt") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token or len(token.encode()) > MAX_JWT_BYTES:
        raise NoAnswer(f"the main server: answered {answer.status} without a usable data.jwt")
    return token


def _device_subject(token: str) -> str:
    if not token.strip() or len(token) > MAX_DEVICE_TOKEN_CHARS:
        raise LoginRefused(401, f"A device's token has 1 to {MAX_DEVICE_TOKEN_CHARS} characters.")
    return "device:" + hashlib.sha256(token.encode(errors="backslashreplace")).hexdigest()

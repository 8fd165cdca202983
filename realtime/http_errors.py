"""What an HTTP request is answered with when it fails: one shape, whichever door it came through.

Core, pure. The body is always ``{"success": false, "error": "<one sentence>"}``, with further members
where they help. Plain ASGI routes raise and catch `HttpError` themselves; under DRF
`realtime.http_api` does.
"""

from collections.abc import Sequence
from typing import Any, Final

from realtime.errors import FoyerError, InternalError

Headers = Sequence[tuple[bytes, bytes]]

CHALLENGE: Final = 'Bearer realm="api"'
"""Goes with every 401 (RFC 9110, 11.6.1)."""


class HttpError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: the HTTP status.
        message: for the body's ``error``; never quotes what the client sent.
        headers: further response headers.
        details: further members of the body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Headers = (),
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
        self.details = details or {}

    @property
    def body(self) -> dict[str, Any]:
        """The response's body."""
        return {"success": False, "error": self.message, **self.details}


_STATUS: Final = {
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "TOO_LARGE": 413,
    "RATE_LIMITED": 429,
}


def http_error(error: FoyerError) -> HttpError:
    """The HTTP answer to an error of ours: 500 for a bug, 400 where nothing fits better."""
    if isinstance(error, InternalError):
        return HttpError(500, "Internal error.")
    status = _STATUS.get(error.code, 400)
    headers = [(b"www-authenticate", CHALLENGE.encode())] if status == 401 else []
    return HttpError(status, error.message, headers=headers)


def database_unavailable() -> HttpError:
    """The answer while the database cannot be used: nothing was done, and trying again may help."""
    return HttpError(503, "The database does not answer now.", headers=[(b"retry-after", b"1")])

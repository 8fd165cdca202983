"""Reading requests and writing responses on plain ASGI, for the document's routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from realtime.gate import Receive, Scope, Send, header
from realtime.http_errors import Headers, HttpError
from realtime.wire import encode_json

# As many as any sensible GET emit has; each costs work before the caller is known.
MAX_PARAMETERS = 100


@dataclass(slots=True)
class Request:
    """One HTTP request to one of the document's routes."""

    scope: Scope
    receive: Receive
    send: Send
    channel: str
    parameters: dict[str, list[str]] = field(default_factory=dict)

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    def header(self, name: bytes) -> str:
        """A header's value, or an empty string."""
        return header(self.scope, name) or ""

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter."""
        values = self.parameters.get(name)
        return values[-1] if values else None

    def read_parameters(self) -> None:
        """Parse the query string into `parameters`.

        Raises:
            HttpError: 400, it is not UTF-8 or has too many.
        """
        query: bytes = self.scope["query_string"]
        if not query:
            return
        try:
            pairs = parse_qsl(
                query.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            raise HttpError(400, "The query string is not valid.") from None
        for name, value in pairs:
            self.parameters.setdefault(name, []).append(value)

    async def read_body(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            HttpError: 413, it is larger than `max_bytes`.
            ClientGoneError: the client left before its end.
        """
        body: bytes = b""
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            body += message.get("body", b"")
            if len(body) > max_bytes:
                raise HttpError(413, f"The body may have at most {max_bytes} bytes.")
            if not message.get("more_body"):
                return body

    async def respond(self, status: int, body: dict[str, Any], headers: Headers = ()) -> None:
        """Answer with JSON."""
        content = encode_json(body)
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(content)).encode()),
                    (b"x-content-type-options", b"nosniff"),
                    *self.cors_headers(),
                    *headers,
                ],
            }
        )
        await self.send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else content})

    def cors_headers(self) -> list[tuple[bytes, bytes]]:
        """What lets a page of another origin read the answer, where it is configured."""
        allowed = settings.BROADCAST_CORS_ORIGINS
        origin = self.header(b"origin") if allowed else ""
        if not origin or ("*" not in allowed and origin not in allowed):
            return []
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]


class ClientGoneError(Exception):
    """There is nobody left to answer."""

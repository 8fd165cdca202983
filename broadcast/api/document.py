"""The routes of the broadcast document, ``/<channel>/…``, as plain ASGI in front of Django.

Emitting is the hot path, and a Django view costs twenty times as much as the work itself. These
routes call the same services as the API under ``/api/broadcast/``. Whatever is not theirs is passed
on. Protocol: docs/protocols/broadcast.md.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from django.db import InterfaceError, OperationalError

from broadcast.api.answers import (
    DEFAULT_HISTORY_LIMIT,
    MAX_HISTORY_LIMIT,
    emit_result,
    read_history,
    read_members,
)
from broadcast.api.limits import EmitLimits
from broadcast.api.requests import ClientGoneError, Request
from broadcast.api.stream import stream
from broadcast.protocol.messages import MAX_FRAME_BYTES
from broadcast.rules import CHANNEL_NAME_PATTERN, is_channel_name, parse_target
from broadcast.services.emitting import emit
from broadcast.services.policies import authorize
from realtime import metrics, runtime
from realtime.apikeys import bearer_key
from realtime.errors import FoyerError
from realtime.gate import AsgiApp, Receive, Scope, Send, client_address, host_allowed
from realtime.http_errors import HttpError, database_unavailable, http_error
from realtime.logs import get_logger
from realtime.wire import decode_compact, encode_json

log = get_logger(__name__)

_route = re.compile(rf"/({CHANNEL_NAME_PATTERN})/(emit|listen|history|members)", re.ASCII).fullmatch

# Query parameters that steer an emit; in a GET all others are the payload.
_STEERING = frozenset({"clients", "require-ack"})

_TRUE = frozenset({"true", "1", ""})
_FALSE = frozenset({"false", "0"})


class DocumentRoutes:
    """ASGI application: the document's routes, and `inner` for every other path."""

    def __init__(self, inner: AsgiApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _route(scope["path"])
        if match is None:
            await self._inner(scope, receive, send)
            return
        request = Request(scope, receive, send, channel=match[1])
        try:
            await self._dispatch(request, match[2])
        except HttpError as error:
            await self._refuse(request, error)
        except FoyerError as error:
            await self._refuse(request, http_error(error))
        except ClientGoneError:
            pass
        except (OperationalError, InterfaceError) as error:
            log.error("broadcast.database_failed", route=match[2], error=type(error).__name__)  # noqa: TRY400
            await self._refuse(request, database_unavailable())
        except Exception:
            log.exception("broadcast.request_failed", route=match[2])
            await self._refuse(request, HttpError(500, "Internal error."))

    async def _dispatch(self, request: Request, action: str) -> None:
        if not host_allowed(request.scope):
            raise HttpError(400, "This server is not known by that name.")
        if not is_channel_name(request.channel):
            if "text/html" in request.header(b"accept"):
                await self._inner(request.scope, request.receive, request.send)
                return
            raise HttpError(404, "No channel has this name: the site uses it itself.")
        methods, handle = self._routes[action]
        if request.method == "OPTIONS":
            await self._preflight(request, methods)
        elif request.method not in methods:
            allow = ", ".join([*methods, "OPTIONS"]).encode()
            raise HttpError(405, f"{request.method} is not allowed here.", headers=[(b"allow", allow)])
        else:
            await handle(self, request)

    # -- routes --------------------------------------------------------------------------------

    async def _emit(self, request: Request) -> None:
        key = bearer_key(request.header(b"authorization"))
        runtime.current().part(EmitLimits).take(client_address(request.scope), key)
        await authorize("emit", request.channel, key)
        request.read_parameters()
        require_ack = _flag(request, "require-ack")
        try:
            target = parse_target(request.parameter("clients"))
        except ValueError as error:
            raise HttpError(400, str(error)) from None
        if request.method == "POST":
            body = await request.read_body(MAX_FRAME_BYTES)
            payload = decode_compact(body, max_bytes=MAX_FRAME_BYTES)[1] if body.strip() else b""
        else:
            payload = _payload_of_query(request)
        emitted = await emit(channel=request.channel, payload=payload, target=target, require_ack=require_ack)
        await request.respond(200, emit_result(emitted))

    async def _listen(self, request: Request) -> None:
        accept = request.header(b"accept")
        if "text/event-stream" in accept:
            await stream(request)
        elif "text/html" in accept:
            await self._inner(request.scope, request.receive, request.send)
        else:
            raise HttpError(
                426,
                "Listen with a WebSocket, or ask for text/event-stream.",
                headers=[(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"vary", b"Accept")],
            )

    async def _history(self, request: Request) -> None:
        request.read_parameters()
        await _authorize_listening(request)
        limit = _number(request, "limit", default=DEFAULT_HISTORY_LIMIT, maximum=MAX_HISTORY_LIMIT)
        since = request.parameter("since")
        await request.respond(200, await read_history(request.channel, limit=limit, since=since))

    async def _members(self, request: Request) -> None:
        request.read_parameters()
        await _authorize_listening(request)
        await request.respond(200, await read_members(request.channel))

    _routes: dict[str, tuple[tuple[str, ...], Callable[[DocumentRoutes, Request], Awaitable[None]]]] = {
        "emit": (("GET", "POST"), _emit),
        "listen": (("GET", "HEAD"), _listen),
        "history": (("GET",), _history),
        "members": (("GET",), _members),
    }

    # -- inside --------------------------------------------------------------------------------

    @staticmethod
    async def _preflight(request: Request, methods: tuple[str, ...]) -> None:
        allow = ", ".join([*methods, "OPTIONS"]).encode()
        headers = [(b"allow", allow)]
        if cors := request.cors_headers():
            headers += [
                *cors,
                (b"access-control-allow-methods", allow),
                (b"access-control-allow-headers", b"authorization, content-type"),
                (b"access-control-max-age", b"600"),
            ]
        await request.send({"type": "http.response.start", "status": 204, "headers": headers})
        await request.send({"type": "http.response.body", "body": b""})

    @staticmethod
    async def _refuse(request: Request, error: HttpError) -> None:
        metrics.ERRORS.labels(app="broadcast", code=str(error.status)).inc()
        await request.respond(error.status, error.body, error.headers)


async def _authorize_listening(request: Request) -> None:
    key = bearer_key(request.header(b"authorization")) or request.parameter("key")
    await authorize("listen", request.channel, key)


def _payload_of_query(request: Request) -> bytes:
    """A GET's payload: its other parameters, a list where one is repeated; empty if there are none."""
    payload = {
        name: values[0] if len(values) == 1 else values
        for name, values in request.parameters.items()
        if name not in _STEERING
    }
    return encode_json(payload) if payload else b""


def _flag(request: Request, name: str) -> bool:
    value = request.parameter(name)
    if value is None or value.lower() in _FALSE:
        return False
    if value.lower() in _TRUE:
        return True
    raise HttpError(400, f"{name} is true or false.")


def _number(request: Request, name: str, *, default: int, maximum: int) -> int:
    value = request.parameter(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= maximum):
        raise HttpError(400, f"{name} is a number between 1 and {maximum}.")
    return int(value)

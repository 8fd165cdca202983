"""The routes of the broadcast document, ``/<channel>/…``, as plain ASGI in front of Django.

Emitting is the hot path, and a Django view costs twenty times as much as the work itself. These
routes call the same services as the API under ``/api/broadcast/``. Whatever is not theirs is passed
on. Protocol: docs/protocols/broadcast.md.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from django.conf import settings
from msgspec import Raw

from broadcast import selectors
from broadcast.api.requests import ClientGoneError, HttpError, Request, http_error
from broadcast.api.stream import stream
from broadcast.events import presence_of
from broadcast.protocol.messages import MAX_FRAME_BYTES
from broadcast.rules import CHANNEL_NAME_PATTERN, is_channel_name, parse_target
from broadcast.services.emitting import Emitted, emit
from broadcast.services.listening import list_members
from broadcast.services.policies import PolicyBook, authorize
from realtime import metrics, runtime
from realtime.apikeys import bearer_key
from realtime.db import in_db_thread
from realtime.errors import FoyerError
from realtime.gate import AsgiApp, Receive, Scope, Send, client_address
from realtime.logs import get_logger
from realtime.ratelimit import KeyedRateLimiter
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
        self._limiter = KeyedRateLimiter(settings.BROADCAST_EMIT_RATE, settings.BROADCAST_EMIT_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _route(scope["path"])
        if match is None or not is_channel_name(match[1]):
            await self._inner(scope, receive, send)
            return
        request = Request(scope, receive, send, channel=match[1])
        try:
            methods, handle = self._routes[match[2]]
            if request.method == "OPTIONS":
                await self._preflight(request, methods)
            elif request.method not in methods:
                allow = ", ".join([*methods, "OPTIONS"]).encode()
                raise HttpError(405, f"{request.method} is not allowed here.", headers=[(b"allow", allow)])
            else:
                await handle(self, request)
        except HttpError as error:
            await self._refuse(request, error)
        except FoyerError as error:
            await self._refuse(request, http_error(error))
        except ClientGoneError:
            pass
        except Exception:
            log.exception("broadcast.request_failed", route=match[2])
            await self._refuse(request, HttpError(500, "Internal error."))

    # -- routes --------------------------------------------------------------------------------

    async def _emit(self, request: Request) -> None:
        key = bearer_key(request.header(b"authorization"))
        self._limit(client_address(request.scope))
        if key is not None:
            self._limit(key)
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
        if emitted.timed_out:
            raise HttpError(
                408,
                "Not every client acknowledged in time.",
                details={"eventID": emitted.event_id, "acked": emitted.acked, "missing": emitted.missing},
            )
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
        policy = await runtime.current().part(PolicyBook).policy(request.channel)
        limit = _number(request, "limit", default=50, maximum=1000)
        since = request.parameter("since")
        gap = False
        if not policy.history_size:
            events, gap = [], since is not None
        elif since is None:
            events = await in_db_thread(selectors.list_history, request.channel, policy, limit=limit)
        else:
            replay = await in_db_thread(selectors.get_replay, request.channel, policy, since=since)
            events, gap = replay.events[:limit], replay.gap
        await request.respond(
            200,
            {
                "success": True,
                "kept": policy.history_size,
                "gap": gap,
                "events": [event_result(event) for event in events],
            },
        )

    async def _members(self, request: Request) -> None:
        request.read_parameters()
        await _authorize_listening(request)
        members = await list_members(channel=request.channel)
        await request.respond(
            200,
            {
                "success": True,
                "count": len(members),
                "members": [
                    {"clientID": member.id, "presence": presence_of(member)}
                    for member in members[: settings.BROADCAST_PRESENCE_LIMIT]
                ],
            },
        )

    _routes: dict[str, tuple[tuple[str, ...], Callable[[DocumentRoutes, Request], Awaitable[None]]]] = {
        "emit": (("GET", "POST"), _emit),
        "listen": (("GET", "HEAD"), _listen),
        "history": (("GET",), _history),
        "members": (("GET",), _members),
    }

    # -- inside --------------------------------------------------------------------------------

    def _limit(self, key: str) -> None:
        now_s = runtime.current().loop.time()
        if not self._limiter.take(key, now_s):
            wait_s = int(self._limiter.retry_after_s(key, now_s)) + 1
            raise HttpError(429, "Too many requests.", headers=[(b"retry-after", str(wait_s).encode())])

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
        body = {"success": False, "error": error.message, **error.details}
        await request.respond(error.status, body, error.headers)


def emit_result(emitted: Emitted) -> dict[str, object]:
    """What an emitter is told, at the document's route and in the API alike."""
    result: dict[str, object] = {
        "success": not emitted.timed_out,
        "eventID": emitted.event_id,
        "clients": emitted.clients,
    }
    if emitted.acked is not None:
        result["acked"] = emitted.acked
    if emitted.missing is not None:
        result["missing"] = emitted.missing
    return result


def event_result(event: selectors.KeptEvent) -> dict[str, object]:
    """One kept event, as HTTP shows it."""
    return {
        "eventID": event.event_id,
        "payload": Raw(event.payload),
        "timestamp": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


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

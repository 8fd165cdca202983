"""Listening by server-sent events: ``GET /<channel>/listen`` with ``Accept: text/event-stream``.

The same messages as over a WebSocket, for whoever only has HTTP. The browser's EventSource reconnects
by itself and sends the last ``id:`` it saw, which makes it resume where the channel keeps history.
"""

from __future__ import annotations

import asyncio
import re

from django.conf import settings

from broadcast.api.requests import Request
from broadcast.services.listening import Listener
from broadcast.services.policies import authorize
from realtime import metrics, runtime
from realtime.apikeys import bearer_key
from realtime.close_codes import CloseCode
from realtime.gate import TooManyConnectionsError, client_address, connections
from realtime.heartbeat import Timer
from realtime.http_errors import HttpError
from realtime.ids import new_client_id
from realtime.logs import get_logger
from realtime.origins import origin_allowed
from realtime.outlet import AsgiOutlet, Batch

log = get_logger(__name__)

# Told to EventSource: how long it waits before it comes back after the stream ended.
RETRY_MS = 2000

# Only kept events have a place to resume from; the id of any other message would point nowhere.
_data_event_id = re.compile(rb'"eventID":"([^"]+)","clientID":"$').search


class StreamOutlet(AsgiOutlet):
    """Writes messages as server-sent events."""

    __slots__ = ("close_code", "ended")

    def __init__(self, request: Request, ended: asyncio.Event) -> None:
        super().__init__(new_client_id(), request.send, self)
        self.ended = ended
        self.close_code = 0

    def overflowed(self) -> None:
        self.ended.set()

    def expect_frames(self, count: int) -> None:
        pass  # a stream brings nothing back

    def comment(self, text: bytes) -> None:
        """Send a line that clients skip; it keeps proxies from taking the stream for dead."""
        if self._ready:
            self._put(b": " + text + b"\n\n")

    def _write(self, batch: Batch) -> None:
        self._put(b"".join([self._event(head) for head in batch.heads]))

    def _event(self, head: bytes) -> bytes:
        found = _data_event_id(head) if head.startswith(b'{"type":"DATA"') else None
        event_id = b"id: " + found[1] + b"\n" if found else b""
        return event_id + b"data: " + head + self.tail + b"\n\n"

    def _put(self, body: bytes) -> None:
        self._queue.append({"type": "http.response.body", "body": body, "more_body": True})
        self._start()

    def _close(self, code: int, reason: str) -> None:
        self.close_code = code
        self.ended.set()


async def stream(request: Request) -> None:
    """Answer with an endless stream of the channel's messages.

    Raises:
        HttpError: 403 for a foreign page, 503 with too many connections.
        Refused: the channel's policy.
    """
    request.read_parameters()
    origin = request.header(b"origin") or None
    if not request.cors_headers() and not origin_allowed(
        origin, request.header(b"host"), allowed=settings.ALLOWED_ORIGINS, required=False
    ):
        raise HttpError(403, "origin not allowed")
    key = bearer_key(request.header(b"authorization")) or request.parameter("key")
    await authorize("listen", request.channel, key)
    if request.method == "HEAD":
        await _start(request)
        await request.send({"type": "http.response.body", "body": b""})
        return
    try:
        with connections.count(client_address(request.scope)):
            await _serve(request, key)
    except TooManyConnectionsError as error:
        raise HttpError(503, str(error)) from None


async def _serve(request: Request, key: str | None) -> None:
    rt = runtime.current()
    outlet = StreamOutlet(request, asyncio.Event())
    listener = Listener(channel=request.channel, outlet=outlet, presence={}, transport="sse", key=key)
    await _start(request)
    await request.send({"type": "http.response.body", "body": b"retry: %d\n\n" % RETRY_MS, "more_body": True})
    metrics.CONNECTIONS.labels(app="broadcast").inc()
    log.info(
        "connection.opened",
        app="broadcast",
        path=request.scope["path"],
        connection=outlet.id,
        transport="sse",
    )
    watches = [
        asyncio.ensure_future(_disconnected(request)),
        asyncio.ensure_future(outlet.ended.wait()),
        asyncio.ensure_future(rt.draining.wait()),
    ]
    keepalive = _Keepalive(rt, outlet)
    try:
        await listener.join(request.header(b"last-event-id") or request.parameter("since"))
        await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    except Exception:
        # The status is out: all that is left is to end, and the client comes back by itself.
        log.exception("broadcast.stream_failed", connection=outlet.id)
    finally:
        gone = watches[0].done()
        keepalive.stop()
        for watch in watches:
            watch.cancel()
        outlet.detach()
        metrics.CONNECTIONS.labels(app="broadcast").dec()
        log.info("connection.closed", app="broadcast", connection=outlet.id, transport="sse")
        await asyncio.shield(listener.leave())
    if outlet.close_code == CloseCode.SLOW_CLIENT:
        metrics.SLOW_CLIENTS_CLOSED.labels(app="broadcast").inc()
        # It would not take the end either. Servers other than ours close the socket when we return.
        if (abort := request.scope.get("extensions", {}).get("foyer.abort")) is not None:
            abort()
            await _disconnected(request)
    elif not gone:
        await request.send({"type": "http.response.body", "body": b""})


async def _start(request: Request) -> None:
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        # Buffering proxies would hold events back.
        (b"x-accel-buffering", b"no"),
        (b"vary", b"Accept"),
        *request.cors_headers(),
    ]
    await request.send({"type": "http.response.start", "status": 200, "headers": headers})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Keepalive:
    """A comment now and then."""

    def __init__(self, rt: runtime.Runtime, outlet: StreamOutlet) -> None:
        self._runtime = rt
        self._outlet = outlet
        self._timer: Timer = self._schedule()

    def stop(self) -> None:
        self._timer.cancel()

    def _schedule(self) -> Timer:
        return self._runtime.wheel.schedule(settings.BROADCAST_PING_INTERVAL_S, self._beat)

    def _beat(self) -> None:
        self._outlet.comment(b"still here")
        self._timer = self._schedule()

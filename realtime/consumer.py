"""The base of every WebSocket consumer: bounds, counts, decodes, maps errors once, always cleans up.

It is a Channels consumer without a channel of its own: the hub is its way to be reached, so it needs
no layer subscription, no second task and no thread hop for each event. Everything it knows is on the
object and every message enters through `dispatch`, so our server drives it by callback, with no task
while nothing happens; any other server runs it the standard way.

A protocol subclasses `RealtimeConsumer` and writes `connect`, `receive_text`, `disconnect` and
`encode_error`. What can be answered at once, `receive_text` answers at once; what takes time it leaves to
a coroutine, and the next message waits for that. Around them this class promises:

* a frame that is too large, binary or sent too fast never reaches `receive_text`;
* a `ProtocolViolation` or `Refused` raised in there is answered in the protocol's own words and the
  connection goes on; anything else is our bug: logged once with its traceback, closed with 1011;
* `disconnect` runs exactly once for every accepted connection, whatever ended it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from realtime import metrics, runtime
from realtime.close_codes import CloseCode
from realtime.errors import FoyerError, InternalError, ProtocolViolation, Refused
from realtime.gate import Receive, Scope, Send, refuse
from realtime.heartbeat import Timer
from realtime.logs import get_logger
from realtime.outlet import AsgiOutlet, FrameOutlet, FrameTransport, Outlet
from realtime.ratelimit import TokenBucket

log = get_logger(__name__)

# The HTTP status of a refused handshake, by the code of the refusal; 403 for all others.
_HANDSHAKE_STATUS = {"UNAUTHORIZED": 401, "NOT_FOUND": 404, "UNAVAILABLE": 503}


class RealtimeConsumer(AsyncConsumer):
    """One WebSocket connection.

    Class attributes for a protocol to set:
        app_name: label of metrics and log lines.
        max_frame_bytes: a longer text frame is a violation with code ``TOO_LARGE``.
        frame_rate_per_s, frame_burst: a client that sends more is told ``RATE_LIMITED`` and closed
            with 1008. What it sends because we asked for it is credited with `expect_frames`.
        ping_interval_s: for a protocol that has no pings of its own: how often the connection is asked for
            a sign of life. Without one from one time to the next it is closed with 4408.
    """

    app_name: ClassVar[str]
    max_frame_bytes: ClassVar[int] = 64 * 1024
    frame_rate_per_s: ClassVar[float] = 10.0
    frame_burst: ClassVar[int] = 100
    ping_interval_s: ClassVar[float | None] = None

    # Of the handshake: gone once `connect` is done.
    scope: Scope
    outlet: Outlet
    runtime: runtime.Runtime

    def __init__(self) -> None:
        self._accepted = False
        self._connecting = False
        self._left = False
        self._frames: TokenBucket | None = None
        self._alive_timer: Timer | None = None

    # -- for a protocol to write -------------------------------------------------------------

    async def connect(self) -> None:
        """Decide about the handshake: call `accept`, or raise `Refused` (answered with HTTP 403, or the
        status its code stands for)."""
        raise NotImplementedError

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Handle one text frame within the limits: at once, or as far as the coroutine that it gives goes
        on with it. That is awaited before the next frame is handed over."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        """Undo what `connect` did. Called once, also after a connect that failed half-way."""

    def encode_error(self, error: FoyerError) -> bytes | None:
        """The protocol's message for an error, as a head; None where it has none."""
        return None

    # -- for a protocol to call --------------------------------------------------------------

    async def accept(self, outlet_id: str) -> None:
        """Accept the handshake. From here on `outlet` sends, and `disconnect` will run.

        Does not return for a client that is gone already.
        """
        frames = self.scope.get("extensions", {}).get("foyer.frames")
        if frames is not None:
            self.outlet = FrameOutlet(outlet_id, frames, self)
        else:
            self.outlet = AsgiOutlet(outlet_id, self.base_send, self)
        try:
            await self.base_send({"type": "websocket.accept"})
        except OSError:  # so ASGI has a server say that the client left
            raise StopConsumer from None
        self._accepted = True
        self._connections.inc()
        if self.ping_interval_s is not None:
            # Not all at the same moment, after a restart that made everyone reconnect at once.
            spread = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
            self._check_alive_in(spread * self.ping_interval_s)
        log.info("connection.opened", app=self.app_name, path=self.scope["path"], connection=outlet_id)

    def send_head(self, *heads: bytes) -> None:
        """Send this client one message, or several in one write."""
        self.outlet.send(*heads)
        self._count_out.inc(len(heads))

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection after what was sent before."""
        self.outlet.close(code, reason)

    def expect_frames(self, count: int) -> None:
        """Credit the client with frames it will send because it was asked to."""
        self._bucket.grant(self.runtime.loop.time(), count)

    # -- inside ------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.base_send = send
        self.runtime = runtime.current()
        frames: FrameTransport | None = scope.get("extensions", {}).get("foyer.frames")
        driven = False
        try:
            await self.dispatch(await receive())  # websocket.connect
            driven = frames is not None and self._accepted and not self._left
            while not driven:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            if self._accepted and not driven:
                # The server cancelled this task: what the connection holds must be let go all the same.
                await self._leave_for_certain(CloseCode.ABNORMAL)
        if driven and frames is not None:
            # With this, what `send` refers to goes.
            del self.base_send
            frames.drive(self)

    def handle(self, message: dict[str, Any]) -> Coroutine[Any, Any, None] | None:
        """Take one event from a server that drives us. What this gives is to be awaited before the next."""
        if message["type"] == "websocket.receive":
            return self._receive(message)
        return self._disconnected(message)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Take one event of the ASGI connection."""
        match message["type"]:
            case "websocket.receive":
                if (rest := self._receive(message)) is not None:
                    await rest
            case "websocket.connect":
                await self._guarded_connect()
            case "websocket.disconnect":
                await self._disconnected(message)
                raise StopConsumer

    async def _guarded_connect(self) -> None:
        self._connecting = True
        try:
            await self.connect()
        except Refused as error:
            if self._accepted:
                self._answer(error)
                self.close(CloseCode.POLICY_VIOLATION, error.message)
            else:
                await self._refuse(_HANDSHAKE_STATUS.get(error.code, 403), error.message)
        except ProtocolViolation as error:
            if self._accepted:
                self._answer(error)
                self.close(CloseCode.POLICY_VIOLATION, error.message)
            else:
                await self._refuse(400, error.message)
        except StopConsumer:
            raise
        except Exception:
            log.exception("consumer.connect_failed", app=self.app_name, path=self.scope["path"])
            if not self._accepted:
                await self._refuse(500, "internal error")
            self._fail()
        finally:
            self._connecting = False
            # A connection lasts longer than its handshake is of use.
            del self.scope
        if self._accepted and self.outlet.closed:
            await self._leave(self.outlet.close_code)

    async def _refuse(self, status: int, reason: str) -> None:
        async def nothing_more() -> dict[str, Any]:
            return {}

        await refuse(self.scope, nothing_more, self.base_send, status, reason)
        raise StopConsumer

    def _receive(self, message: dict[str, Any]) -> Coroutine[Any, Any, None] | None:
        """Take one frame. What is left to be done is in the coroutine that this gives."""
        self._count_in.inc()
        if not self._accepted or self.outlet.closed:
            return None
        if not self._bucket.take(self.runtime.loop.time()):
            self._answer(ProtocolViolation("RATE_LIMITED", "Too many messages"))
            self.close(CloseCode.POLICY_VIOLATION, "too many messages")
            return None
        try:
            text = message.get("text")
            if text is None:
                raise ProtocolViolation("MALFORMED", "Binary messages are not part of this protocol")
            # Characters are a lower bound of bytes; the codec measures exactly where it matters.
            if len(text) > self.max_frame_bytes:
                raise ProtocolViolation(
                    "TOO_LARGE", f"A message may have at most {self.max_frame_bytes} bytes"
                )
            rest = self.receive_text(text)
        except Exception as error:  # noqa: BLE001 - told apart there
            self._receive_failed(error)
            return None
        return None if rest is None else self._finish(rest)

    async def _finish(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except Exception as error:  # noqa: BLE001 - told apart there
            self._receive_failed(error)
        except BaseException:
            # The server cancelled this task: what the connection holds must be let go all the same.
            await self._leave_for_certain(CloseCode.ABNORMAL)
            raise

    def _receive_failed(self, error: Exception) -> None:
        if isinstance(error, (ProtocolViolation, Refused)):
            self._answer(error)
        else:
            log.error("consumer.receive_failed", app=self.app_name, connection=self.outlet.id, exc_info=error)
            self._answer(InternalError("Internal error"))
            self._fail()

    async def _disconnected(self, message: dict[str, Any]) -> None:
        code = message.get("code") or CloseCode.ABNORMAL
        if self._accepted:
            self.outlet.disconnected(code)
        await self._leave_for_certain(code)

    def _answer(self, error: FoyerError) -> None:
        metrics.ERRORS.labels(app=self.app_name, code=error.code).inc()
        try:
            head = self.encode_error(error)
        except Exception:
            log.exception("consumer.error_not_encoded", app=self.app_name, code=error.code)
            self._fail()
            return
        if head is not None:
            self.send_head(head)

    def _fail(self) -> None:
        if self._accepted:
            self.close(CloseCode.INTERNAL_ERROR, "internal error")

    def _check_alive_in(self, delay_s: float) -> None:
        self._alive_timer = self.runtime.wheel.schedule(delay_s, self._check_alive)

    def _check_alive(self) -> None:
        if self.outlet.closed or self.ping_interval_s is None:
            return
        if self.outlet.ping():
            self._check_alive_in(self.ping_interval_s)
        else:
            self.close(CloseCode.PING_TIMEOUT, "no sign of life")

    def overflowed(self) -> None:
        # At once: the disconnect event may be long in coming.
        metrics.SLOW_CLIENTS_CLOSED.labels(app=self.app_name).inc()
        log.warning("connection.too_slow", app=self.app_name, connection=self.outlet.id)
        # `connect` must not be undone while it runs; it looks when it is done.
        if not self._connecting:
            self.runtime.spawn(self._leave(CloseCode.SLOW_CLIENT))

    async def _leave_for_certain(self, code: int) -> None:
        """Leave to the end, also when the server cancels us meanwhile."""
        if self._accepted and not self._left:
            await asyncio.shield(self.runtime.spawn(self._leave(code)))

    async def _leave(self, code: int) -> None:
        if self._left or not self._accepted:
            return
        self._left = True
        if self._alive_timer is not None:
            self._alive_timer.cancel()
        self.runtime.hub.leave(self.outlet)
        self.outlet.detach()
        self._connections.dec()
        log.info("connection.closed", app=self.app_name, connection=self.outlet.id, code=int(code))
        try:
            await self.disconnect(code)
        except Exception:
            log.exception("consumer.disconnect_failed", app=self.app_name, connection=self.outlet.id)

    @property
    def _bucket(self) -> TokenBucket:
        if self._frames is None:
            self._frames = TokenBucket(self.frame_rate_per_s, self.frame_burst)
        return self._frames

    # Bound once for each class: looking a label up costs more than counting.
    _connections: ClassVar[Any]
    _count_in: ClassVar[Any]
    _count_out: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if app_name := cls.__dict__.get("app_name"):
            cls._connections = metrics.CONNECTIONS.labels(app=app_name)
            cls._count_in = metrics.MESSAGES_IN.labels(app=app_name)
            cls._count_out = metrics.MESSAGES_OUT.labels(app=app_name)

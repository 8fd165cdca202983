"""The WebSocket of the gateway. I/O only: what a frame means is in ``protocol.session`` and ``services``.

Protocol: docs/protocols/gateway.md.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar

from django.conf import settings

from gateway.protocol import codec
from gateway.protocol.messages import IDENTIFY_TIMEOUT_S, MAX_FRAME_BYTES, Identify
from gateway.protocol.session import Action, Authenticate, Close, Send, Session
from gateway.services.sockets import GatewaySocket
from realtime.close_codes import CloseCode
from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, ProtocolViolation, Refused
from realtime.heartbeat import Timer
from realtime.ids import random_id


class GatewayConsumer(RealtimeConsumer):
    """Somebody's connection."""

    app_name = "gateway"
    max_frame_bytes = MAX_FRAME_BYTES
    # Heartbeats as often as one likes to look at the latency.
    frame_rate_per_s = 5.0
    frame_burst: ClassVar[int] = 60

    _socket: GatewaySocket | None = None
    _beat_timer: Timer | None = None
    _identify_timer: Timer | None = None

    async def connect(self) -> None:
        await self.accept(random_id("gateway_", 16))
        self._interval_s = settings.GATEWAY_HEARTBEAT_INTERVAL_MS / 1_000
        self._session = Session(settings.GATEWAY_HEARTBEAT_INTERVAL_MS)
        self._socket = GatewaySocket(self.outlet, self._session, self._lost_access)
        self._do(self._session.open())
        wheel = self.runtime.wheel
        self._identify_timer = wheel.schedule(IDENTIFY_TIMEOUT_S, self._identify_timeout)
        # Spread over an interval, so that those who came together do not beat together.
        first_s = random.uniform(0.2, 1.0) * self._interval_s  # noqa: S311 - not a secret
        self._beat_timer = wheel.schedule(first_s, self._beat)

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        match self._session.receive(codec.decode(text), self.runtime.clock.time_ms()):
            case [Authenticate(identify)]:
                return self._identify(identify)
            case actions:
                self._do(actions)
        return None

    async def disconnect(self, code: int) -> None:
        for timer in (self._beat_timer, self._identify_timer):
            if timer is not None:
                timer.cancel()
        if self._socket is not None:
            self._socket.leave()

    def encode_error(self, error: FoyerError) -> bytes | None:
        """There is no frame for errors: the reason of the close says it."""
        if isinstance(error, ProtocolViolation) and error.code != "RATE_LIMITED":
            self._do(self._session.malformed(error.message))
        elif isinstance(error, Refused):
            self.close(CloseCode.TRY_AGAIN_LATER, error.message)
        return None

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(frame):
                    self.send_head(codec.encode(frame))
                case Close(code, reason):
                    self.close(code, reason)

    async def _identify(self, identify: Identify) -> None:
        if self._socket is None:
            return
        if await self._socket.identify(identify):
            self._session.identified()
        else:
            self._do(self._session.not_identified("the token is not valid"))

    def _beat(self) -> None:
        self._do(self._session.beat(self.runtime.clock.time_ms()))
        if not self.outlet.closed:
            self._beat_timer = self.runtime.wheel.schedule(self._interval_s, self._beat)

    def _identify_timeout(self) -> None:
        self._do(self._session.identify_timeout())

    def _lost_access(self) -> None:
        self._do(self._session.not_identified("the token is not valid any more"))

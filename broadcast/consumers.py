"""The WebSocket at ``/<channel>/listen``. I/O only: what it means is in ``services``.

Protocol: docs/protocols/broadcast.md.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from broadcast import events
from broadcast.protocol import codec
from broadcast.protocol.messages import (
    FLOOD_FRAMES,
    FLOOD_WINDOW_S,
    MAX_FRAME_BYTES,
    MAX_MISSED_PONGS,
    Ack,
    ErrorCode,
    Pong,
    Presence,
)
from broadcast.rules import is_channel_name
from broadcast.services.listening import Listener
from broadcast.services.policies import authorize
from realtime.apikeys import bearer_key
from realtime.close_codes import CloseCode
from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, ProtocolViolation, Refused
from realtime.gate import header
from realtime.heartbeat import Timer
from realtime.ids import new_client_id


class ListenConsumer(RealtimeConsumer):
    """One listener of one channel."""

    app_name = "broadcast"
    max_frame_bytes = MAX_FRAME_BYTES
    frame_rate_per_s = FLOOD_FRAMES / FLOOD_WINDOW_S
    frame_burst = FLOOD_FRAMES

    def __init__(self) -> None:
        super().__init__()
        self._listener: Listener | None = None
        self._ping_timer: Timer | None = None
        self._ping_sent_s = 0.0
        self._missed_pongs = 0

    async def connect(self) -> None:
        channel: str = self.scope["url_route"]["kwargs"]["channel"]
        if not is_channel_name(channel):
            raise Refused("NOT_FOUND", "no such channel")
        try:
            query = parse_qs(self.scope["query_string"].decode("ascii", "replace"), max_num_fields=20)
        except ValueError:
            raise ProtocolViolation(ErrorCode.MALFORMED, "too many query parameters") from None
        key = bearer_key(header(self.scope, b"authorization") or "") or query.get("key", [None])[0]
        await authorize("listen", channel, key)
        presence = codec.decode_presence(query["presence"][0]) if "presence" in query else {}

        await self.accept(new_client_id())
        self._listener = Listener(
            channel=channel,
            outlet=self.outlet,
            presence=presence,
            transport="ws",
            key=key,
        )
        await self._listener.join(query.get("since", [None])[0])
        # Not all at the same moment, after a restart that made everyone reconnect at once.
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        self._schedule_ping(spread * settings.BROADCAST_PING_INTERVAL_S)

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        listener = self._listener
        if listener is None:  # what comes before `connect` is done is not for this protocol
            return None
        match codec.decode(text):
            case Ack(event_id):
                listener.acknowledge(event_id)
            case Pong():
                self._pong()
            case Presence(presence):
                return listener.show(presence)
        return None

    async def disconnect(self, code: int) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        if self._listener is not None:
            await self._listener.leave()

    def encode_error(self, error: FoyerError) -> bytes | None:
        return events.error(error)

    # -- heartbeat -----------------------------------------------------------------------------

    def _schedule_ping(self, delay_s: float) -> None:
        self._ping_timer = self.runtime.wheel.schedule(delay_s, self._ping)

    def _ping(self) -> None:
        if self.outlet.closed:
            return
        if self._missed_pongs >= MAX_MISSED_PONGS:
            self._answer(ProtocolViolation(ErrorCode.PING_TIMEOUT, "Client did not respond to PING event"))
            self.close(CloseCode.PING_TIMEOUT, "no PONG")
            return
        self._missed_pongs += 1
        self._ping_sent_s = self.runtime.loop.time()
        self.expect_frames(1)
        self.send_head(events.ping())
        self._schedule_ping(settings.BROADCAST_PING_INTERVAL_S)

    def _pong(self) -> None:
        if self._missed_pongs:
            self._missed_pongs = 0
            latency_ms = round((self.runtime.loop.time() - self._ping_sent_s) * 1000)
            self.outlet.set_tail(codec.encode_tail(self.outlet.id, latency_ms))

"""The WebSocket of the login queue. I/O only: what it means is in ``services``.

Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any

from queue import events
from queue.protocol import codec
from queue.protocol.messages import MAX_BAD_FRAMES, MAX_BAD_FRAMES_WINDOW_S, MAX_FRAME_BYTES
from queue.services.sockets import QueueSocket, may_go_in, should_queue
from realtime.close_codes import CloseCode
from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, ProtocolViolation
from realtime.ids import random_id


class QueueConsumer(RealtimeConsumer):
    """Somebody in front of the main server."""

    app_name = "queue"
    max_frame_bytes = MAX_FRAME_BYTES
    # A client says one thing, Login, and seldom says it again.
    frame_rate_per_s = 1.0
    frame_burst = 60
    ping_interval_s = 25.0

    _socket: QueueSocket | None = None

    def __init__(self) -> None:
        super().__init__()
        # When the last bad frames came.
        self._bad_s: deque[float] = deque(maxlen=MAX_BAD_FRAMES)

    async def connect(self) -> None:
        hello = codec.decode_hello(self.scope["headers"], self.scope["query_string"])
        go = await may_go_in(hello)
        await self.accept(random_id("queue_", 16))
        self.send_head(should_queue(go))
        self._socket = QueueSocket(self.outlet, hello)
        self._socket.arrive()

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        return None if self._socket is None else self._socket.join(codec.decode(text))

    async def disconnect(self, code: int) -> None:
        if self._socket is not None:
            await self._socket.leave()

    def encode_error(self, error: FoyerError) -> bytes | None:
        if isinstance(error, ProtocolViolation):
            self._count_bad()
        return events.error(error)

    def _count_bad(self) -> None:
        now_s = self.runtime.loop.time()
        if len(self._bad_s) == MAX_BAD_FRAMES and now_s - self._bad_s[0] < MAX_BAD_FRAMES_WINDOW_S:
            # Soon: the answer to this one goes first.
            self.runtime.loop.call_soon(self.close, CloseCode.POLICY_VIOLATION, "too many bad messages")
        self._bad_s.append(now_s)

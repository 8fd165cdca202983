"""The WebSocket of the notifications. I/O only: what a request means is in ``services.sockets``.

Protocol: docs/protocols/notifications.md.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final
from uuid import uuid4

from notifications.protocol import codec
from notifications.protocol.codec import BadRequest
from notifications.protocol.messages import MAX_FRAME_BYTES, PUSH, Problem, Request, ResponseStatus
from notifications.protocol.session import Session
from notifications.services.sockets import NotificationsSocket
from realtime.close_codes import CloseCode
from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, Refused
from realtime.logs import get_logger

log = get_logger(__name__)

_STATUS: Final[dict[str, ResponseStatus]] = {"UNAUTHORIZED": "unauthorized", "FORBIDDEN": "forbidden"}


class NotificationsConsumer(RealtimeConsumer):
    """Somebody's connection. Its requests run at the same time."""

    app_name = "notifications"
    max_frame_bytes = MAX_FRAME_BYTES
    ping_interval_s = 25.0
    # A page that opens asks for several lists and counts at once.
    frame_rate_per_s = 20.0
    frame_burst: ClassVar[int] = 200

    _socket: NotificationsSocket | None = None

    async def connect(self) -> None:
        await self.accept(str(uuid4()))
        self._session = Session()
        self._socket = NotificationsSocket(self.outlet, self.send_head, self._lost_access)
        self._tasks: set[asyncio.Task[None]] = set()

    def receive_text(self, text: str) -> None:
        self._start(self._session.begin(codec.decode(text)))

    async def disconnect(self, code: int) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.leave()

    def encode_error(self, error: FoyerError) -> bytes | None:
        return _no(PUSH, "", error)

    def _start(self, requests: list[Request]) -> None:
        for request in requests:
            task = self.runtime.spawn(self._answer_one(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer_one(self, request: Request) -> None:
        if self._socket is None:
            return
        try:
            head = await self._socket.answer(request)
        except BadRequest as error:
            head = _no(request.rid, request.command, error)
        except Refused as error:
            head = _no(request.rid, request.command, error)
        except Exception:
            log.exception("notifications.request_failed", connection=self.outlet.id, command=request.command)
            head = codec.problem(request.rid, request.command, "error", Problem("internal", "Internal error"))
        if self.outlet.closed:
            return
        if head is not None:
            self.send_head(head)
        self._start(self._session.end(request))

    def _lost_access(self) -> None:
        self.close(CloseCode.UNAUTHORIZED, "the token is not valid any more")


def _no(rid: int, event: str, error: FoyerError) -> bytes:
    """The answer that says no, as far as it is known to what."""
    if isinstance(error, BadRequest):
        rid, event = (error.rid, error.command) if rid == PUSH else (rid, event)
        return codec.problem(rid, event, "error", Problem(error.slug, error.message, error.path))
    slug = error.code.lower().replace("_", "-")
    return codec.problem(rid, event, _STATUS.get(error.code, "error"), Problem(slug, error.message))

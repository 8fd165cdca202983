"""The WebSockets of staff, kiosks and displays. I/O only: what it means is in ``services``.

Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from http.cookies import CookieError, SimpleCookie
from typing import Any, ClassVar
from urllib.parse import parse_qs

from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, ProtocolViolation, Refused
from realtime.gate import header
from realtime.ids import random_id
from ticketing import events
from ticketing.protocol import codec
from ticketing.protocol.messages import (
    MAX_FRAME_BYTES,
    QUERY_LIMIT,
    QUERY_WINDOW_S,
    Accept,
    Cancel,
    Complete,
    New,
    Pick,
    Query,
    Unpick,
)
from ticketing.rules import DISPLAY, KIOSK, device_cookie
from ticketing.services.device_sockets import DeviceSocket, admit_device
from ticketing.services.sockets import StaffSocket, ready


class DeskConsumer(RealtimeConsumer):
    """What the three have in common."""

    app_name = "ticketing"
    max_frame_bytes = MAX_FRAME_BYTES
    # A busy clerk and a queue of visitors stay far below; so does a program that serves several kiosks.
    frame_rate_per_s = 20.0
    frame_burst = 200
    # A staff page whose network is gone must not keep its table; proxies cut what is silent for a minute.
    ping_interval_s = 20.0

    # What is being done, for the errors that name it.
    _verb = ""

    def encode_error(self, error: FoyerError) -> bytes | None:
        return events.error(error, self._verb)

    async def _accept(self, prefix: str) -> bool:
        """Accept the handshake; gives whether the socket is one of our pages'."""
        extended = self._query("extended") == "1"
        await ready()
        # Long enough that no two connections of any process are ever confused: it marks what was asked.
        await self.accept(random_id(prefix, 16))
        return extended

    def _query(self, name: str) -> str | None:
        """A query parameter of the handshake."""
        try:
            query = parse_qs(self.scope["query_string"].decode("ascii", "replace"), max_num_fields=20)
        except ValueError:
            raise ProtocolViolation("MALFORMED", "too many query parameters") from None
        values: list[str] = query.get(name, [])
        return values[0] if values else None


class StaffConsumer(DeskConsumer):
    """Somebody of the staff. Anyone may connect; only a token gets further."""

    _socket: StaffSocket | None = None

    async def connect(self) -> None:
        extended = await self._accept("staff_")
        self._socket = StaffSocket(self.outlet, extended=extended)
        self._socket.arrive()

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        socket = self._socket
        if socket is None:
            return None
        command = codec.decode_staff(text)
        self._verb = command.type
        match command:
            case Pick(table, token):
                return socket.pick(table, token)
            case Unpick():
                return socket.unpick()
            case Accept(ticket_id):
                return socket.accept(ticket_id)
            case Cancel(ticket_id):
                return socket.cancel(ticket_id)
            case Complete(ticket_id):
                return socket.complete(ticket_id)

    async def disconnect(self, code: int) -> None:
        if self._socket is not None:
            await self._socket.leave()


class DeviceConsumer(DeskConsumer):
    """A machine that is let in by its token, if it has to have one."""

    kind: ClassVar[str]

    _socket: DeviceSocket | None = None

    async def connect(self) -> None:
        device = await admit_device(self.kind, self._query("token") or self._cookie())
        extended = await self._accept(f"{self.kind}_")
        self._socket = DeviceSocket(self.outlet, extended=extended, device=device)
        self._socket.arrive(self.kind)

    async def disconnect(self, code: int) -> None:
        if self._socket is not None:
            await self._socket.leave()

    def _cookie(self) -> str | None:
        """The token that the page was opened with once."""
        try:
            cookies = SimpleCookie(header(self.scope, b"cookie") or "")
        except CookieError:
            return None
        morsel = cookies.get(device_cookie(self.kind))
        return morsel.value if morsel else None


class KioskConsumer(DeviceConsumer):
    """A machine at which visitors take tickets."""

    kind = KIOSK

    def __init__(self) -> None:
        super().__init__()
        # When the last ones were: an exact window, which a bucket that fills up again is not.
        self._queried_s: deque[float] = deque(maxlen=QUERY_LIMIT)

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        socket = self._socket
        if socket is None:
            return None
        command = codec.decode_kiosk(text)
        self._verb = command.type
        match command:
            case New(email, name, key):
                return socket.take_ticket(email=email, name=name, key=key)
            case Query(email):
                self._limit_queries()
                return socket.find_name(email)

    def _limit_queries(self) -> None:
        now_s = self.runtime.loop.time()
        if len(self._queried_s) == QUERY_LIMIT and now_s - self._queried_s[0] < QUERY_WINDOW_S:
            raise Refused("TOO_MANY_REQUESTS", "Too many requests")
        self._queried_s.append(now_s)


class DisplayConsumer(DeviceConsumer):
    """A screen in the waiting room. It only listens."""

    kind = DISPLAY

    def receive_text(self, text: str) -> None:
        codec.decode_display(text)

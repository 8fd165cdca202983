"""A WebSocket connection of uvicorn (``ws="realtime.server.websocket:WebSocketProtocol"``).

What RFC 6455 says is in `connection`; here are the socket, the clock and the application. An application
that knows the extension is *driven*: after its handshake it is called with the messages, one after the other,
and a task exists only while it takes time over one. An idle connection is a few small objects.

Reading stops while the application is behind, so that no more waits than the kernel and one read hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from realtime import runtime
from realtime.close_codes import CloseCode
from realtime.frames import ping_frame
from realtime.logs import get_logger
from realtime.outlet import FrameOutlet, Receiver
from realtime.ratelimit import TokenBucket
from realtime.server.application import Application, Message
from realtime.server.connection import Connection
from realtime.server.events import Binary, Closed, Event, Ping, Pong, Request, State, Text
from realtime.server.handshake import Headers
from realtime.server.sockets import SocketProtocol

log = get_logger(__name__)

# From the connection's first byte to the answer to its handshake, ours included.
HANDSHAKE_TIMEOUT_S = 20.0
# Protocols here accept 64 KiB at most and answer what is larger with an error of their own; past this
# the connection is closed with 1009 before the message is read to its end.
MAX_MESSAGE_BYTES = 256 * 1024
# Pings and pongs of a client, which never reach an application that could count them.
CONTROL_RATE_PER_S = 10.0
CONTROL_BURST = 100

# Looking it up there costs more than comparing with it.
_OPEN = State.OPEN


class WebSocketProtocol(SocketProtocol):
    """One connection. Implements `realtime.outlet.FrameTransport`."""

    __slots__ = (
        "_application",
        "_connection",
        "_connections",
        "_controls",
        "_handling",
        "_make_application",
        "_message",
        "_on_lost",
        "_paused",
        "_receiver",
        "_tasks",
        "_told",
        "heard",
        "outlet",
        "reading",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(_loop or asyncio.get_running_loop())
        # What the server waits for when it stops. It thinks that only its own protocols are in them.
        self._connections = cast(set[Any], server_state.connections)
        self._tasks = server_state.tasks
        self._connection = Connection(max_message_bytes=config.ws_max_size)
        # Who is on this side: first an application, and then, if it has itself driven, what it is driven as.
        self._application: Application | None = None
        self._make_application = partial(Application, config, server_state, app_state)
        self._receiver: Receiver | None = None
        self._handling = False
        # The event that the application takes next, and whether it has been told that there are no more.
        self._message: Message | None = None
        self._told = False
        self._paused = False
        self._controls: TokenBucket | None = None
        self._on_lost: Callable[[], None] | None = None
        self.outlet: FrameOutlet | None = None
        # Does the client take what it is sent?
        self.reading = True
        # Has it sent anything, if only a pong, since the last ping?
        self.heard = True

    @property
    def state(self) -> State:
        """Where the connection is, by the protocol."""
        return self._connection.state

    # -- asyncio.Protocol ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.bound_what_waits()
        self._connections.add(self)
        self.deadline(HANDSHAKE_TIMEOUT_S, self._handshake_timeout)

    def request_received(self, request: Request, rest: bytes) -> None:
        """The request has been read already; `rest` is what came behind it."""
        self._take_event(self._connection.receive_request(request))
        if rest:
            self.data_received(rest)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self._connection.receive_data(data)
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.reading = False
        self._connections.discard(self)
        self._connection.receive_eof()
        self._pump()
        if self._application is not None:
            self._application.wake()
        if self._on_lost is not None:
            self._on_lost()
        self.outlet = self._on_lost = None

    def pause_writing(self) -> None:
        self.reading = False
        if self.outlet is not None:
            self.outlet.stalled()

    def resume_writing(self) -> None:
        self.reading = True
        if self.outlet is not None:
            self.outlet.resumed()
        if self._application is not None:
            self._application.wake()

    def shutdown(self) -> None:
        """The server stops: say so."""
        runtime.current().drain()
        if self.state is State.OPEN:
            self.close(CloseCode.SERVICE_RESTART, "")
        elif self.state is State.ANSWERING:
            self.refuse(503, (), b"the server is stopping\n")
        elif self.state is State.HANDSHAKE:
            self.end()

    # -- realtime.outlet.FrameTransport --------------------------------------------------------

    def write(self, frames: bytes) -> None:
        """Write finished frames. Nothing is written once a close frame was sent or the socket is lost."""
        # Not by `send`: this is what a fan-out does for each of its members.
        connection = self._connection
        if connection.state is _OPEN and not self.transport.is_closing():
            self.transport.write(connection.data_to_send() + frames if connection.output else frames)

    def ping(self) -> bool:
        """Send a ping; False, and none is sent, if nothing came since the last one."""
        if not self.heard:
            return False
        self.heard = False
        # Behind a full buffer it would only wait; who takes nothing for so long is not heard either.
        if self.reading:
            self.write(ping_frame())
        return True

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and cut the socket if the peer does not answer in `CLOSE_TIMEOUT_S`."""
        if self.state is State.OPEN and not self.transport.is_closing():
            self._connection.close(code, reason)
            self._flush()
            self.cut_soon()
            self._tell(code, reason)
            self._pause_or_resume()

    def drive(self, receiver: Receiver) -> None:
        """Hand every event from here on to `receiver`; the application itself may return."""
        self._receiver = receiver
        self._application = None
        del self._make_application
        self._wake()

    def outlast(self, undo: Callable[[], None]) -> bool:
        """Call this when a connection that is driven ends; False for one that ends with its application."""
        if self._receiver is None or self.gone:
            return False
        self._on_lost = undo
        return True

    # -- for the application -------------------------------------------------------------------

    def accept(self, subprotocol: str | None, headers: Headers) -> None:
        """Open the connection."""
        self._connection.accept(subprotocol, headers)
        self.no_deadline()
        # Soon: what the application says first goes along with it, in one system call.
        self._loop.call_soon(self._pump)

    def refuse(self, status: int, headers: Headers = (), body: bytes = b"") -> None:
        """Answer the handshake with an HTTP status."""
        self._connection.refuse(status, headers, body)
        self._flush()
        self.end()
        self._tell(CloseCode.ABNORMAL, "")

    def take(self) -> Message | None:
        """The next event, if there is one; and room for the one after it."""
        message, self._message = self._message, None
        if message is not None and (self.gone or self._connection.unread_bytes):
            self._pump()
        return message

    def application_left(self) -> None:
        """It has returned, or failed. One that is driven has done with this what it wanted."""
        self._application = None
        if self._receiver is not None:
            return
        if self.state is State.ANSWERING:
            self.refuse(500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error\n")
        else:
            self.close(CloseCode.INTERNAL_ERROR, "")

    # -- inside --------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Read on until there is something for the application."""
        while self._message is None or self._told:
            event = self._connection.next_event()
            if event is None:
                break
            self._take_event(event)
        self._flush()
        if self._message is not None:
            self._wake()
        self._pause_or_resume()

    def _take_event(self, event: Event) -> None:
        match event:
            case Text(text):
                self._message = {"type": "websocket.receive", "text": text}
            case Binary(data):
                self._message = {"type": "websocket.receive", "bytes": data}
            case Ping() | Pong():
                self._count_control()
            case Request():
                self._application = self._make_application(self)
                self._start(self._application.run(event), self._tasks.discard)
            case Closed():
                self._closed(event)

    def _count_control(self) -> None:
        if self._controls is None:
            self._controls = TokenBucket(CONTROL_RATE_PER_S, CONTROL_BURST)
        if not self._controls.take(self._loop.time()):
            self.close(CloseCode.POLICY_VIOLATION, "too many pings")
        elif not self.reading:
            # The answer would wait. Whoever takes no answers gets none, else they would fill memory.
            self._connection.data_to_send()

    def _closed(self, event: Closed) -> None:
        if self._told and event.code != CloseCode.ABNORMAL and not event.broken and self.outlet is not None:
            self.outlet.close_answered()
        self._tell(event.code, event.reason)
        if self.gone:
            return
        self._flush()
        if event.broken:
            self.end_sending()
        else:
            self.end()

    def _tell(self, code: int, reason: str) -> None:
        """Let the application know that it was all. What it has not taken, it need not."""
        if not self._told:
            self._told = True
            self._message = {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._wake()

    def _wake(self) -> None:
        if self._receiver is not None:
            if not self._handling:
                self._hand_over(self._receiver)
        elif self._application is not None:
            self._application.wake()

    def _hand_over(self, receiver: Receiver) -> None:
        """Give the receiver one event after the other, until there are none or it takes time over one."""
        self._handling = True
        while (message := self.take()) is not None:
            try:
                rest = receiver.handle(message)
            except Exception:
                log.exception("server.application_failed")
                self.close(CloseCode.INTERNAL_ERROR, "")
            else:
                if rest is not None:
                    self._start(rest, self._handled)
                    return
        self._handling = False
        if self._told:
            self._receiver = None

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._handling = False
        try:
            task.result()
        except asyncio.CancelledError:
            self.close(CloseCode.INTERNAL_ERROR, "")
        except Exception:
            log.exception("server.application_failed")
            self.close(CloseCode.INTERNAL_ERROR, "")
        self._wake()

    def _start(
        self, coroutine: Coroutine[Any, Any, None], ended: Callable[[asyncio.Task[None]], None]
    ) -> None:
        """Run this as one of the server's tasks; `ended` takes it out of them."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        # Not by the coroutine: of a task that is cancelled before its first step, nothing runs.
        task.add_done_callback(ended)

    def _flush(self) -> None:
        if self._connection.output:
            self.send(self._connection.data_to_send())

    def _pause_or_resume(self) -> None:
        """Read no more while the application is behind, nor of a client that goes on after the end."""
        connection = self._connection
        behind = (self._message is not None and not self._told) or connection.state is State.ANSWERING
        pause = (behind and connection.unread_bytes > 0) or connection.overrun
        if pause is not self._paused and not self.gone and not self.transport.is_closing():
            self._paused = pause
            if pause:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _handshake_timeout(self) -> None:
        if self.state is State.ANSWERING:
            self.refuse(503, (), b"the application did not answer in time\n")
        else:
            self.cut()

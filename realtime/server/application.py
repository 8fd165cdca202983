"""An ASGI application in a WebSocket connection, in the standard way: it is called once and asks for events.

It lives until the connection ends, or until the application has itself driven by callback instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from realtime.close_codes import CloseCode
from realtime.frames import BINARY, frame_header, text_frame
from realtime.logs import get_logger
from realtime.server.events import Request, State

if TYPE_CHECKING:
    from realtime.server.websocket import WebSocketProtocol

log = get_logger(__name__)

Message = dict[str, Any]


class Application:
    """What an application is given to talk with one client: `receive` and `send`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        protocol: WebSocketProtocol,
    ) -> None:
        self._protocol = protocol
        self._config = config
        self._default_headers = server_state.default_headers
        self._app_state = app_state
        self._connect_given = False
        self._news = asyncio.Event()
        # The status and headers of a refusal whose body has yet to come, and what has come of it.
        self._refusal: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._body = b""

    async def run(self, request: Request) -> None:
        """Call the application, and see to it that the client is not left without an answer."""
        try:
            await self._config.loaded_app(self._scope(request), self.receive, self.send)
        except ClientDisconnected:
            pass  # said by `send`, and no fault of the application that lets it pass
        except Exception:
            log.exception("server.application_failed")
        finally:
            self._protocol.application_left()

    def wake(self) -> None:
        """There is a message, room to send, or nobody to send to: all who wait should look again."""
        self._news.set()
        self._news.clear()

    async def receive(self) -> Message:
        """The next event of the connection."""
        if not self._connect_given:
            self._connect_given = True
            return {"type": "websocket.connect"}
        while (message := self._protocol.take()) is None:
            await self._news.wait()
        return message

    async def send(self, message: Message) -> None:
        """Do what the application says. Returns when the client takes what it is sent.

        Raises:
            ClientDisconnected: the client is gone, or has been closed.
            RuntimeError: this cannot be said now.
        """
        state, kind = self._protocol.state, message["type"]
        if state is State.ANSWERING:
            self._answer(kind, message)
        elif state is not State.OPEN or self._protocol.gone:
            raise ClientDisconnected
        elif kind == "websocket.close":
            self._protocol.close(message.get("code") or CloseCode.NORMAL, message.get("reason") or "")
        elif kind == "websocket.send":
            self._protocol.write(_frame(message))
            while not self._protocol.reading and self._protocol.state is State.OPEN:
                if self._protocol.gone:
                    raise ClientDisconnected
                await self._news.wait()
        else:
            raise RuntimeError(f"{kind!r} is nothing to say to an open connection")

    def _answer(self, kind: str, message: Message) -> None:
        match kind:
            case "websocket.accept" if self._refusal is None:
                headers = [*self._default_headers, *(message.get("headers") or ())]
                self._protocol.accept(message.get("subprotocol"), headers)
            case "websocket.close" if self._refusal is None:
                self._protocol.refuse(403, self._default_headers)
            case "websocket.http.response.start" if self._refusal is None:
                headers = [*self._default_headers, *(message.get("headers") or ())]
                self._refusal = message["status"], headers
            case "websocket.http.response.body" if self._refusal is not None:
                self._body += message.get("body", b"")
                if not message.get("more_body", False):
                    self._protocol.refuse(*self._refusal, self._body)
            case _:
                raise RuntimeError(f"{kind!r} is no answer to a handshake")

    def _scope(self, request: Request) -> dict[str, Any]:
        """The scope of the connection, by the ASGI specification 2.4."""
        config, transport = self._config, self._protocol.transport
        raw_path, _, query_string = request.target.partition(b"?")
        return {
            "type": "websocket",
            "asgi": {"version": config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": config.root_path,
            "path": config.root_path + unquote(raw_path.decode("ascii")),
            "raw_path": config.root_path.encode("ascii") + raw_path,
            "query_string": query_string,
            "headers": request.headers,
            "subprotocols": request.subprotocols,
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, "foyer.frames": self._protocol},
        }


def _frame(message: Message) -> bytes:
    if (data := message.get("bytes")) is not None:
        return frame_header(len(data), BINARY) + bytes(data)
    return text_frame(message["text"].encode())

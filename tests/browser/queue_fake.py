"""A line at the other end of the page's socket that says what a test tells it to."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

LOGIN, STATS, TICKET, ERROR = 1001, 1002, 1003, 1004
# A minute for each ticket, evenly, learned from many.
PACE = {"perTicketMsec": 60_000, "varianceMsec2": 0, "tickets": 1_000}


class FakeLine:
    """What is told when a page logs in is `ticket` and `stats`; `heard` are the logins.

    `answers` False: nobody takes connections, as if the server were away or full. `gives_tickets` False:
    a login has no answer but what the test gives.
    """

    def __init__(self, page: Page, *, position: int = 12, **stats: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self.ticket: dict[str, Any] = {"ticketId": "t-1", "position": position}
        self.stats: dict[str, Any] = {
            "headPosition": 1,
            "tailPosition": 42,
            "avgWaitMsec": 180_000,
            "estimate": PACE,
            "intervalMsec": 1_000_000,
            "keepMsec": 300_000,
        } | stats
        self.answers = self.gives_tickets = True
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile(r"/queue/\?"), self._connected)

    def _connected(self, socket: WebSocketRoute) -> None:
        if not self.answers:
            socket.close(code=1011)
            return
        self.sockets.append(socket)
        socket.on_message(self._receive)
        self._tell(1000, {"shouldQueue": False})
        self._tell(STATS, self.stats)

    def _receive(self, text: str | bytes) -> None:
        message = json.loads(text)
        assert message["eventCode"] == LOGIN
        self.heard.append(message["eventData"])
        if self.gives_tickets:
            self.give_ticket()

    def _tell(self, code: int, data: dict[str, Any]) -> None:
        self.sockets[-1].send(json.dumps({"eventCode": code, "eventData": data}))

    def give_ticket(self, **ticket: Any) -> None:
        """A ticket, then the numbers, as the server sends them."""
        self.ticket |= ticket
        self._tell(TICKET, self.ticket)
        self._tell(STATS, self.stats)

    def tell_stats(self, **stats: Any) -> None:
        self.stats |= stats
        self._tell(STATS, self.stats)

    def let_in(self, jwt: str = "the.session.token") -> None:
        """The token, and the end of the connection."""
        self._tell(LOGIN, {"jwt": jwt})
        self.sockets[-1].close(code=1000)

    def turn_away(self, status_code: int, message: str) -> None:
        self._tell(LOGIN, {"jwt": "", "statusCode": status_code, "message": message})

    def say_error(self, code: str, message: str = "Something.") -> None:
        self._tell(ERROR, {"code": code, "message": message})

    def lose(self, code: int = 1011) -> None:
        """The connection ends, with that code."""
        self.sockets[-1].close(code=code)

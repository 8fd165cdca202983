"""A wire between a page and the server, in the hands of a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute


class Wire:
    """The page's connections, one at a time, which the test can cut, refuse, and say something on.

    `down` refuses new ones; `mute` lets nothing through to the page; what is `lost` does not get to the
    server.
    """

    def __init__(self, page: Page, path: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self.came: list[dict[str, Any]] = []
        self.down = self.mute = False
        self.lost: Callable[[dict[str, Any]], bool] = lambda frame: False
        self._route: WebSocketRoute | None = None
        page.route_web_socket(f"**{path}", self._connect)

    def cut(self, code: int = 1006) -> None:
        """Code 1006: without a word."""
        assert self._route
        self._route.close(**({} if code == 1006 else {"code": code, "reason": "by the test"}))

    def say(self, frame: dict[str, Any]) -> None:
        assert self._route
        self._route.send(json.dumps(frame))

    def _connect(self, route: WebSocketRoute) -> None:
        if self.down:
            route.close(code=1012)
            return
        self._route = route
        self.mute = False
        server = route.connect_to_server()

        def to_server(message: str | bytes) -> None:
            self.sent.append(json.loads(message))
            if not self.lost(self.sent[-1]):
                server.send(message)

        def to_page(message: str | bytes) -> None:
            self.came.append(json.loads(message))
            if not self.mute:
                route.send(message)

        route.on_message(to_server)
        server.on_message(to_page)

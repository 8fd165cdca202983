"""WebSocket clients as others have written them, behind one face: open, send, receive, ping, close."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin

import websocket
from playwright.sync_api import ConsoleMessage, Page, sync_playwright
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.components import NODE_SOURCES, node_packages
from tests.fetching import fetch_once

TALK = NODE_SOURCES / "talk.js"
PATIENCE_S = 10.0
FETCH_DEADLINE_S = 120


class EndedError(Exception):
    """The connection has ended, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Client(Protocol):
    """One connection at a time."""

    def open(self, url: str) -> int:
        """Connect; gives the status of the answer, 101 if the connection is open."""

    def send(self, *texts: str) -> None: ...

    def receive(self) -> str:
        """The next message. Raises: EndedError."""

    def ping(self, data: str) -> str | None:
        """What the pong to such a ping holds; None for a client that cannot send one."""

    def close(self, code: int, reason: str) -> None: ...


class Websockets:
    """``websockets``."""

    _socket: ClientConnection

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def open(self, url: str) -> int:
        try:
            self._socket = self._stack.enter_context(connect(url, proxy=None, open_timeout=PATIENCE_S))
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101

    def send(self, *texts: str) -> None:
        # It reads in a thread of its own, and may know already that it is closed; `receive` says so.
        with suppress(ConnectionClosed):
            for text in texts:
                self._socket.send(text)

    def receive(self) -> str:
        try:
            return str(self._socket.recv(PATIENCE_S))
        except ConnectionClosed as closed:
            close = closed.rcvd
        raise EndedError(close.code if close else 1006, close.reason if close else "")

    def ping(self, data: str) -> str:
        # It holds the pong against the ping by itself.
        assert self._socket.ping(data).wait(PATIENCE_S)
        return data

    def close(self, code: int, reason: str) -> None:
        self._socket.close(code, reason)


class WebsocketClient:
    """``websocket-client``."""

    _socket: websocket.WebSocket

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def open(self, url: str) -> int:
        try:
            self._socket = websocket.create_connection(url, timeout=PATIENCE_S, http_no_proxy=["*"])
        except websocket.WebSocketBadStatusException as refused:
            return refused.status_code
        self._stack.callback(self._socket.shutdown)
        return 101

    def send(self, *texts: str) -> None:
        for text in texts:
            self._socket.send(text)

    def receive(self) -> str:
        opcode, data = self._socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise EndedError(int.from_bytes(data[:2], "big"), data[2:].decode())
        assert opcode == websocket.ABNF.OPCODE_TEXT
        return data.decode()

    def ping(self, data: str) -> str:
        self._socket.ping(data)
        opcode, pong = self._socket.recv_data(control_frame=True)
        assert opcode == websocket.ABNF.OPCODE_PONG
        return pong.decode()

    def close(self, code: int, reason: str) -> None:
        self._socket.close(status=code, reason=reason.encode())


class Node:
    """``ws`` in Node: a process that takes commands (`node/client.js`)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def open(self, url: str) -> int:
        error = self._ask("open", url)
        return 101 if error is None else _status(error)

    def send(self, *texts: str) -> None:
        self._ask("send", *texts)

    def receive(self) -> str:
        return _heard(self._ask("receive"))

    def ping(self, data: str) -> str:
        return str(self._ask("ping", data))

    def close(self, code: int, reason: str) -> None:
        self._ask("close", code, reason)

    def _ask(self, *command: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], PATIENCE_S)[0], f"no answer to {command[0]}"
        return json.loads(self._process.stdout.readline())


class Chromium:
    """The ``WebSocket`` of a page (`node/talk.js`)."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._complaint = ""
        page.on("console", self._on_console)

    def open(self, url: str) -> int:
        if self._page.url == "about:blank":
            # A page of the same origin, where nothing else goes on.
            self._page.goto(urljoin(url.replace("ws:", "http:"), "/healthz"))
            self._page.evaluate(f"{TALK.read_text()}; window.talk = new Talk(WebSocket)")
        if self._page.evaluate("url => talk.open(url)", url) is None:
            return 101
        # What went wrong is not for the page to know.
        return 401 if "HTTP Authentication failed" in self._complaint else _status(self._complaint)

    def send(self, *texts: str) -> None:
        self._page.evaluate("texts => talk.send(...texts)", texts)

    def receive(self) -> str:
        return _heard(self._page.evaluate("talk.receive()"))

    def ping(self, data: str) -> str | None:
        """A page cannot."""
        return None

    def close(self, code: int, reason: str) -> None:
        self._page.evaluate("([code, reason]) => talk.close(code, reason)", [code, reason])

    def _on_console(self, message: ConsoleMessage) -> None:
        self._complaint = message.text


def _heard(event: dict[str, Any]) -> str:
    if "code" in event:
        raise EndedError(event["code"], event["reason"])
    text: str = event["text"]
    return text


def _status(complaint: str) -> int:
    """ "Unexpected server response: 404" and the like."""
    return int(complaint.rpartition(": ")[2])


@contextmanager
def websockets() -> Iterator[Client]:
    with ExitStack() as stack:
        yield Websockets(stack)


@contextmanager
def websocket_client() -> Iterator[Client]:
    with ExitStack() as stack:
        yield WebsocketClient(stack)


def node() -> AbstractContextManager[Client]:
    """
    Raises:
        NotFetchedError: there is no ``ws``, and npm could not fetch it.
    """

    def command(folder: Path) -> list[str]:
        shutil.copy(NODE_SOURCES / "package.json", folder)
        return ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]

    packages = node_packages()
    fetch_once(packages, command, makes="node_modules", deadline_s=FETCH_DEADLINE_S)
    return _node(packages)


@contextmanager
def _node(packages: Path) -> Iterator[Client]:
    process = subprocess.Popen(
        ["node", str(NODE_SOURCES / "client.js")],
        env={**os.environ, "NODE_PATH": str(packages)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Node(process)
        process.kill()


@contextmanager
def chromium(path: str) -> Iterator[Client]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        yield Chromium(page)
        browser.close()

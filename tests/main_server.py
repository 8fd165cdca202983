"""A small main server: what the login queue stands in front of, as a program of its own.

``python -m tests.main_server --port 9000 --report-to http://127.0.0.1:8000 --api-key KEY --capacity 100``

Prints ``listening on <port>`` when it is ready (``--port 0`` takes a free one). It speaks the HTTP of
``docs/protocols/queue.md``, keeps its sessions in memory, and can be told to misbehave:

* ``POST /api/user/authorization/{facebook|google|apple|line|device}``: 200 ``{"data": {"jwt": …}}``, a new
  session each time; 403 for a token that begins with "bad"; 400 for what is no login; 503 above its capacity.
* ``POST /control`` with any of `Controls`; ``GET /control``: those and `Counters`.
* ``DELETE /control/sessions?count=n``: ends the n oldest sessions, without a count all of them.

It knows nothing of Foyer and shares no code with it, so that a mistake is not made twice.
"""

import argparse
import asyncio
import json
import random
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import uvicorn

MAX_BODY_BYTES = 64 * 1024
# Between two reports of a changed occupancy, and at least this often without a change.
REPORT_GAP_S = 0.1
REPORT_EVERY_S = 2.0

AUTHORIZATION = "/api/user/authorization/"
TOKEN_NAMES = {
    "facebook": "token",
    "google": "token",
    "apple": "accessToken",
    "line": "accessToken",
    "device": "uniqueId",
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, dict[str, Any]]


@dataclass
class Controls:
    """How it behaves from now on. `fail_rate` is the part of logins answered with 500."""

    fail_rate: float = 0.0
    hang: bool = False
    refuse: bool = False
    delay_s: float = 0.0

    def change(self, changes: dict[str, Any]) -> None:
        """Raises ValueError, and changes nothing, for an unknown name or a value of another type."""
        for name, value in changes.items():
            switch = name in ("hang", "refuse")
            if name not in asdict(self) or isinstance(value, bool) is not switch:
                raise ValueError(name)
            if not isinstance(value, int | float) or not 0 <= value <= (1 if name == "fail_rate" else 3600):
                raise ValueError(name)
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass
class Counters:
    """Since it started. `highest_live` is the most sessions there ever were at the same time."""

    tried: int = 0
    succeeded: int = 0
    refused: int = 0
    failed: int = 0
    over_capacity: int = 0
    highest_live: int = 0
    reports: int = 0
    reports_failed: int = 0


class MainServer:
    """The sessions and what is asked of them, as an ASGI application."""

    def __init__(self, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.controls = Controls()
        self.counters = Counters()
        self.sessions: dict[str, str] = {}  # what logged in, by session token, the oldest first
        self.occupancy_changed = asyncio.Event()
        self._moving = asyncio.Event()
        self._moving.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        method, path = scope["method"], scope["path"]
        if body is None:
            status, answer = 413, {"message": "Too large."}
        elif method == "POST" and path.startswith(AUTHORIZATION):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            status, answer = await self.log_in(path.removeprefix(AUTHORIZATION), headers, body, receive)
        elif path == "/control" and method in ("GET", "POST"):
            status, answer = self.control(body if method == "POST" else b"{}")
        elif path == "/control/sessions" and method == "DELETE":
            status, answer = self.end_sessions(parse_qs(scope["query_string"].decode()).get("count", [""])[0])
        else:
            status, answer = 404, {"message": "There is nothing here."}
        json_type = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": json_type})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def log_in(self, kind: str, headers: dict[str, str], body: bytes, receive: Receive) -> Answer:
        self.counters.tried += 1
        token = _token(kind, body)
        if token is None or not headers.get("platform"):
            return 400, {"message": "This is not a login."}
        if self.controls.hang and not await self._until_moving(receive):
            return 499, {}
        if self.controls.delay_s:
            await asyncio.sleep(self.controls.delay_s)
        if self.controls.refuse or token.startswith("bad"):
            self.counters.refused += 1
            return 403, {"message": "This login is not accepted."}
        if random.random() < self.controls.fail_rate:
            self.counters.failed += 1
            return 500, {"message": "Something broke."}
        if self.capacity is not None and len(self.sessions) >= self.capacity:
            self.counters.over_capacity += 1
            return 503, {"message": "Full."}
        jwt = f"main-{secrets.token_hex(16)}"
        self.sessions[jwt] = f"{kind}:{token}"
        self.counters.succeeded += 1
        self.counters.highest_live = max(self.counters.highest_live, len(self.sessions))
        self.occupancy_changed.set()
        return 200, {"data": {"jwt": jwt}}

    def control(self, body: bytes) -> Answer:
        changes = _json_object(body)
        try:
            self.controls.change(changes or {})
        except ValueError as error:
            return 400, {"message": f"Not a control: {error}"}
        if self.controls.hang:
            self._moving.clear()
        else:
            self._moving.set()
        return 200, {**asdict(self.controls), **asdict(self.counters), "live": len(self.sessions)}

    def end_sessions(self, count: str) -> Answer:
        if count and not count.isdecimal():
            return 400, {"message": "count is a number."}
        oldest = list(self.sessions)[: int(count) if count else None]
        for jwt in oldest:
            del self.sessions[jwt]
        self.occupancy_changed.set()
        return 200, {"ended": len(oldest), "live": len(self.sessions)}

    async def report(self, url: str, api_key: str) -> None:
        """Tell Foyer the occupancy when it changes, and every `REPORT_EVERY_S`. Never ends."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {api_key}"}, timeout=5.0) as client:
            while True:
                self.occupancy_changed.clear()
                report = {"occupied": len(self.sessions), "measuredAt": datetime.now(UTC).isoformat()}
                try:
                    (await client.put(f"{url}/api/queue/occupancy", json=report)).raise_for_status()
                    self.counters.reports += 1
                except httpx.HTTPError:
                    self.counters.reports_failed += 1
                await asyncio.sleep(REPORT_GAP_S)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.occupancy_changed.wait(), REPORT_EVERY_S - REPORT_GAP_S)

    async def _until_moving(self, receive: Receive) -> bool:
        """Wait until it does not hang any more; False if whoever asked went away before."""
        moving = asyncio.create_task(self._moving.wait())
        gone = asyncio.ensure_future(receive())
        await asyncio.wait((moving, gone), return_when=asyncio.FIRST_COMPLETED)
        moving.cancel()
        gone.cancel()
        return not gone.done()


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _token(kind: str, body: bytes) -> str | None:
    value = (_json_object(body) or {}).get(TOKEN_NAMES.get(kind, ""))
    return value if isinstance(value, str) and value else None


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print(f"listening on {self.servers[0].sockets[0].getsockname()[1]}", flush=True)


async def main(arguments: argparse.Namespace) -> None:
    main_server = MainServer(arguments.capacity)
    config = uvicorn.Config(
        main_server,
        host=arguments.host,
        port=arguments.port,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    reporting = None
    if arguments.report_to:
        reporting = asyncio.create_task(
            main_server.report(arguments.report_to.rstrip("/"), arguments.api_key)
        )
    await _Server(config).serve()
    if reporting:
        reporting.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.main_server", description="A small main server.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--report-to", default="", metavar="URL", help="Foyer, which is told the occupancy")
    parser.add_argument("--api-key", default="", help="a key that may tell it")
    parser.add_argument("--capacity", type=int, help="sessions above which logins get 503")
    asyncio.run(main(parser.parse_args()))

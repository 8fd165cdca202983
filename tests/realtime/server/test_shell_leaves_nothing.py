"""Connections that have ended, in whatever way, leave nothing behind."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from realtime import metrics
from realtime.consumer import RealtimeConsumer
from realtime.errors import Refused
from realtime.outlet import Outlet
from realtime.runtime import Runtime
from realtime.server import sockets
from realtime.server.application import Application
from realtime.server.connection import Connection
from realtime.server.websocket import WebSocketProtocol
from tests.e2e.rawsocket import CLOSE, CONTINUATION, PING, TEXT, RawSocket, frame, handshake
from tests.realtime.server.apps import running
from tests.realtime.server.play import Play, Stage


class Guest(RealtimeConsumer):
    """A consumer as services have them: in a group, with a timer."""

    app_name = "guest"
    ping_interval_s = 3600

    async def connect(self) -> None:
        if self.scope["query_string"] == b"refuse":
            raise Refused("FORBIDDEN", "not you")
        await self.accept("client_1")
        await self.runtime.hub.join("guests", self.outlet)

    def receive_text(self, text: str) -> None:
        if text == "fail":
            raise LookupError("a bug")
        self.send_head(text.encode())
        if text == "close":
            self.close(4003, "as you wish")


class Visitor(Guest):
    """The same by the standard events: it is not told of the extension."""

    async def __call__(self, scope, receive, send):
        await super().__call__({**scope, "extensions": {}}, receive, send)


CLOSING = frame((1000).to_bytes(2, "big"), CLOSE)


async def closes(raw: RawSocket) -> None:
    await raw.send(CLOSING)
    assert await raw.close_code() == 1000


async def is_lost(raw: RawSocket) -> None:
    raw.reset()


async def is_lost_within_a_message(raw: RawSocket) -> None:
    await raw.send(frame(b"some", fin=False) + frame(b"more", CONTINUATION, fin=False) + frame(b"x")[:4])
    raw.reset()


async def is_closed(raw: RawSocket) -> None:
    await raw.send(frame(b"close"))
    assert await raw.close_code() == 4003


async def is_closed_and_does_not_answer(raw: RawSocket) -> None:
    await raw.send(frame(b"close"))
    await raw.ended()


async def breaks_the_protocol(raw: RawSocket) -> None:
    await raw.send(frame(b"", PING) + frame(b"", 7))
    assert await raw.close_code() == 1002


async def meets_a_bug(raw: RawSocket) -> None:
    await raw.send(frame(b"fail"))
    assert await raw.close_code() == 1011


async def talks_and_is_lost_behind(raw: RawSocket) -> None:
    await raw.send(frame(b"hello") * 50)
    assert await raw.receive() == (TEXT, b"hello")
    raw.reset()


WAYS: list[Callable[[RawSocket], Awaitable[None]]] = [
    closes,
    is_lost,
    is_lost_within_a_message,
    is_closed,
    is_closed_and_does_not_answer,
    breaks_the_protocol,
    meets_a_bug,
    talks_and_is_lost_behind,
]
KINDS = (WebSocketProtocol, Connection, Application, Guest, Outlet)


def alive() -> Counter[str]:
    """How many of these there are, in the whole process."""
    return Counter(type(thing).__name__ for thing in gc.get_objects() if issubclass(type(thing), KINDS))


@pytest.mark.parametrize("consumer", [Guest, Visitor])
async def test_nothing_is_left(
    consumer: type[Guest], rt: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sockets, "CLOSE_TIMEOUT_S", 0.2)
    # A record of an exception refers to everything on the way to it, and records are kept for the report.
    caplog.set_level(logging.CRITICAL)
    gc.collect()
    before, timers = alive(), len(rt.wheel)
    async with running(consumer.as_asgi()) as server:
        stage = Stage(Play(driven=False), server)
        await asyncio.gather(*[one_by_one(stage, way) for way in WAYS])
        async with await stage.dial() as raw:
            await raw.send(handshake(stage, "x", "?refuse"))  # type: ignore[arg-type]
            assert await raw.head() == 403
        async with await stage.dial() as raw:
            await raw.send(handshake(stage, "x")[:-2])  # type: ignore[arg-type]
        await stage.quiet()
        assert not server.server_state.connections
        assert not server.server_state.tasks
    assert len(rt.wheel) == timers
    assert metrics.CONNECTIONS.labels(app="guest")._value.get() == 0
    gc.collect()
    assert alive() - before == Counter()


async def one_by_one(stage: Stage, way: Callable[[RawSocket], Awaitable[None]]) -> None:
    for _ in range(3):
        async with await RawSocket.open(stage, "x") as raw:  # type: ignore[arg-type]
            await way(raw)

"""The base consumer: bounds, errors, and a disconnect that runs exactly once whatever happened."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ClassVar

import pytest
from prometheus_client import REGISTRY

from realtime import outlet as outlet_module
from realtime.consumer import RealtimeConsumer
from realtime.errors import FoyerError, InternalError, ProtocolViolation, Refused
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeTransport


class Consumer(RealtimeConsumer):
    """Answers what it gets; certain texts fail."""

    app_name = "testing"
    max_frame_bytes: ClassVar[int] = 100
    frame_rate_per_s = 1.0
    frame_burst = 5
    on_connect: ClassVar[Callable[["Consumer"], Any] | None] = None
    made: ClassVar[list["Consumer"]] = []

    def __init__(self) -> None:
        super().__init__()
        self.left: list[int] = []
        Consumer.made.append(self)

    async def connect(self) -> None:
        self.path = self.scope["path"]
        match self.path:
            case "/refused":
                raise Refused(self.scope["code"], "not you")
            case "/violation":
                raise ProtocolViolation("MALFORMED", "not so")
            case "/bug":
                raise LookupError("a bug")
        await self.accept("conn_1")
        await self.runtime.hub.join("testing:room", self.outlet)
        match self.path:
            case "/late-refused":
                raise Refused("FULL", "no room")
            case "/late-violation":
                raise ProtocolViolation("MALFORMED", "not so")
            case "/late-bug":
                raise LookupError("a bug")
            case "/slow":
                await self.scope["go_on"].wait()
        self.send_head(b"hello")

    def receive_text(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Answer at once; what begins with "slow" takes its time."""
        if text.startswith("slow"):
            return self._think(text)
        return self._answer_to(text, text)

    async def _think(self, text: str) -> None:
        await asyncio.sleep(0)
        if text == "slow wait":
            await asyncio.Event().wait()
        self._answer_to(text, text.removeprefix("slow "))

    def _answer_to(self, text: str, what: str) -> None:
        match what:
            case "bug":
                raise LookupError("a bug")
            case "violation":
                raise ProtocolViolation("MALFORMED", "not so")
            case "refused":
                raise Refused("FULL", "no room")
            case "expect":
                self.expect_frames(3)
        self.send_head(text.encode())

    async def disconnect(self, code: int) -> None:
        self.left.append(code)
        if self.path == "/bad-end":
            raise LookupError("a bug")

    def encode_error(self, error: FoyerError) -> bytes | None:
        return None if isinstance(error, InternalError) else f"error {error.code}".encode()


class Connection:
    """A WebSocket connection as a server makes it: the standard way, or `driven` by our own."""

    driven: ClassVar[bool] = False

    def __init__(self, path: str = "/", *, frames: FakeTransport | None = None, **scope: Any) -> None:
        extensions: dict[str, Any] = {"websocket.http.response": {}}
        self.frames = frames if frames is not None or not self.driven else FakeTransport()
        self.heard = 0
        if self.frames is not None:
            extensions["foyer.frames"] = self.frames
        self.scope = {"type": "websocket", "path": path, "headers": [], "extensions": extensions, **scope}
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.failure: Exception | None = None
        self.consumer = Consumer()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        await self.consumer(self.scope, self.incoming.get, self.send)
        if self.frames is not None and self.frames.receiver is not None:
            message = {"type": ""}
            while message["type"] != "websocket.disconnect":
                message = await self.incoming.get()
                if (rest := self.frames.receiver.handle(message)) is not None:
                    await rest

    async def send(self, message: dict[str, Any]) -> None:
        if self.failure:
            raise self.failure
        self.outgoing.put_nowait(message)

    def text(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    def gone(self, code: int | None = 1001) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.outgoing.get(), 5)

    async def said(self) -> str:
        if self.frames is not None:
            async with asyncio.timeout(5):
                while len(self.frames.texts) == self.heard:
                    await asyncio.sleep(0)
            self.heard += 1
            return self.frames.texts[self.heard - 1]
        message = await self.next()
        assert message["type"] == "websocket.send", message
        text: str = message["text"]
        return text

    async def closed(self) -> int:
        code: int
        if self.frames is not None:
            async with asyncio.timeout(5):
                while not self.frames.closes:
                    await asyncio.sleep(0)
            code = self.frames.closes[0][0]
        else:
            message = await self.next()
            assert message["type"] == "websocket.close", message
            code = message["code"]
        self.gone(code)
        await self.over()
        return code

    async def over(self) -> None:
        await asyncio.wait_for(self.task, 5)

    async def open(self) -> None:
        assert (await self.next())["type"] == "websocket.accept"
        assert await self.said() == "hello"


@pytest.fixture(autouse=True, params=[False, True], ids=["standard", "driven"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "driven", request.param)


@pytest.fixture(autouse=True)
async def nothing_is_left_behind(rt: Runtime) -> AsyncIterator[None]:
    def counted() -> float:
        return REGISTRY.get_sample_value("foyer_connections", {"app": "testing"}) or 0.0

    before = counted()
    yield
    assert rt.hub.groups == {}
    assert counted() == before


def errors_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_connection_from_beginning_to_end(rt: Runtime):
    connection = Connection()
    await connection.open()
    assert set(rt.hub.groups) == {"testing:room"}
    connection.text("ping")
    assert await connection.said() == "ping"
    connection.gone()
    await connection.over()
    assert connection.consumer.left == [1001]


async def test_a_connection_without_a_close_frame_is_1006():
    connection = Connection()
    await connection.open()
    connection.gone(None)
    await connection.over()
    assert connection.consumer.left == [1006]


async def test_our_server_is_written_to_directly():
    transport = FakeTransport()
    connection = Connection(frames=transport)
    assert (await connection.next())["type"] == "websocket.accept"
    connection.text("x")
    while transport.texts != ["hello", "x"]:
        await asyncio.sleep(0)
    connection.gone()
    await connection.over()
    assert connection.outgoing.empty()


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ({"text": "x" * 101}, "error TOO_LARGE"),
        ({"bytes": b"x"}, "error MALFORMED"),
        ({"text": None, "bytes": b""}, "error MALFORMED"),
        ({"text": "violation"}, "error MALFORMED"),
        ({"text": "refused"}, "error FULL"),
        ({"text": "slow violation"}, "error MALFORMED"),
        ({"text": "slow refused"}, "error FULL"),
    ],
)
async def test_the_peers_faults_are_answered_and_the_connection_goes_on(event, answer, caplog):
    connection = Connection()
    await connection.open()
    connection.incoming.put_nowait({"type": "websocket.receive", **event})
    assert await connection.said() == answer
    connection.text("x" * 100)
    assert await connection.said() == "x" * 100
    connection.gone()
    await connection.over()
    assert errors_logged(caplog) == []


async def test_flooding_is_told_and_closed_and_what_follows_is_not_looked_at():
    connection = Connection()
    await connection.open()
    for n in range(8):
        connection.text(str(n))
    assert [await connection.said() for _ in range(6)] == [*"01234", "error RATE_LIMITED"]
    assert await connection.closed() == 1008
    assert connection.outgoing.empty()
    assert connection.consumer.left == [1008]


async def test_frames_we_asked_for_are_not_flooding():
    connection = Connection()
    await connection.open()
    connection.text("expect")
    for _ in range(4 + 3):
        connection.text("x")
    assert [await connection.said() for _ in range(8)] == ["expect", *"xxxxxxx"]
    connection.text("x")
    assert await connection.said() == "error RATE_LIMITED"
    assert await connection.closed() == 1008


@pytest.mark.parametrize(("path", "text"), [("/", "bug"), ("/", "slow bug"), ("/late-bug", None)])
async def test_our_bug_is_logged_once_with_its_traceback_and_closed(path, text, caplog, capsys):
    connection = Connection(path)
    if text is not None:
        await connection.open()
        connection.text(text)
    else:
        assert (await connection.next())["type"] == "websocket.accept"
    assert await connection.closed() == 1011
    assert len(errors_logged(caplog)) == 1
    assert capsys.readouterr().err.count("LookupError: a bug") == 1
    assert len(connection.consumer.left) == 1


@pytest.mark.parametrize(
    ("path", "answer"), [("/late-refused", "error FULL"), ("/late-violation", "error MALFORMED")]
)
async def test_refused_after_accepting_says_why_and_closes(path, answer, caplog):
    connection = Connection(path)
    assert (await connection.next())["type"] == "websocket.accept"
    assert await connection.said() == answer
    assert await connection.closed() == 1008
    assert connection.consumer.left == [1008]
    assert errors_logged(caplog) == []


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/refused", "FORBIDDEN", 403),
        ("/refused", "UNAUTHORIZED", 401),
        ("/refused", "NOT_FOUND", 404),
        ("/violation", "", 400),
        ("/bug", "", 500),
    ],
)
async def test_a_refused_handshake_has_nothing_to_undo(path, code, status, caplog):
    connection = Connection(path, code=code)
    assert (await connection.next())["status"] == status
    assert (await connection.next())["type"] == "websocket.http.response.body"
    await connection.over()
    assert connection.consumer.left == []
    assert len(errors_logged(caplog)) == (1 if path == "/bug" else 0)


async def test_refused_where_the_server_knows_no_status():
    connection = Connection("/refused", code="FORBIDDEN")
    connection.scope["extensions"] = {}
    assert (await connection.next())["type"] == "websocket.close"
    await connection.over()


async def test_a_client_that_left_before_it_was_accepted_is_no_error(caplog):
    connection = Connection()
    connection.failure = OSError("the client is gone")
    await connection.over()
    assert connection.consumer.left == []
    assert errors_logged(caplog) == []


@pytest.mark.parametrize("handling", [True, False])
async def test_a_cancelled_connection_is_let_go(handling, monkeypatch):
    if not handling:  # a driven one has then no task that could be cancelled
        monkeypatch.setattr(Connection, "driven", False)
    connection = Connection()
    await connection.open()
    if handling:
        connection.text("slow wait")
    await asyncio.sleep(0)
    connection.task.cancel()
    await asyncio.wait([connection.task])
    assert connection.consumer.left == [1006]


async def test_cancelled_while_leaving_it_leaves_all_the_same(monkeypatch):
    leaving, go_on, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(self: Consumer, code: int) -> None:
        leaving.set()
        await go_on.wait()
        self.left.append(code)
        left.set()

    monkeypatch.setattr(Consumer, "disconnect", slow)
    connection = Connection()
    await connection.open()
    connection.gone()
    await asyncio.wait_for(leaving.wait(), 5)
    connection.task.cancel()
    await asyncio.wait([connection.task])
    go_on.set()
    await asyncio.wait_for(left.wait(), 5)
    assert connection.consumer.left == [1001]


async def test_cancelled_while_connecting(rt: Runtime):
    connection = Connection("/slow", go_on=asyncio.Event())
    assert (await connection.next())["type"] == "websocket.accept"
    connection.task.cancel()
    await asyncio.wait([connection.task])
    assert connection.consumer.left == [1006]


async def test_a_disconnect_that_fails_is_logged(caplog):
    connection = Connection("/bad-end")
    await connection.open()
    connection.gone()
    await connection.over()
    assert len(errors_logged(caplog)) == 1


def slow_clients() -> float:
    return REGISTRY.get_sample_value("foyer_slow_clients_closed_total", {"app": "testing"}) or 0.0


async def test_a_slow_client_is_closed_and_let_go_before_the_server_notices(rt, monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 2)
    before = slow_clients()
    connection = Connection()
    transport = connection.frames
    assert (await connection.next())["type"] == "websocket.accept"
    if transport is None:
        assert await connection.said() == "hello"
        blocked = asyncio.Event()
        real_send = connection.send

        async def send(message: dict[str, Any]) -> None:
            await blocked.wait()
            await real_send(message)

        connection.consumer.outlet._send = send  # type: ignore[attr-defined]
    else:
        while not transport.texts:
            await asyncio.sleep(0)
        transport.stall()
    for _ in range(5):
        connection.consumer.send_head(b"more")
    while not connection.consumer.left:
        await asyncio.sleep(0)
    assert rt.hub.groups == {}
    assert slow_clients() - before == 1
    if transport is None:
        blocked.set()
        assert await connection.said() == "more"
        assert await connection.closed() == 4410
    else:
        assert [code for code, _ in transport.closes] == [4410]
        connection.gone(4410)
        await connection.over()
    assert connection.consumer.left == [4410]


async def test_overflow_while_connecting_waits_for_connect_to_end(rt: Runtime, monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 0)
    go_on = asyncio.Event()
    transport = FakeTransport()
    connection = Connection("/slow", frames=transport, go_on=go_on)
    assert (await connection.next())["type"] == "websocket.accept"
    while "testing:room" not in rt.hub.groups:
        await asyncio.sleep(0)
    transport.stall()
    rt.hub.deliver("testing:room", b"x")
    for _ in range(3):
        await asyncio.sleep(0)
    assert connection.consumer.left == []
    go_on.set()
    while not connection.consumer.left:
        await asyncio.sleep(0)
    connection.gone()
    await connection.over()
    assert len(connection.consumer.left) == 1


async def test_events_of_another_kind_are_passed_over():
    connection = Connection()
    connection.incoming.put_nowait({"type": "something.else"})
    await connection.open()
    connection.gone()
    await connection.over()


async def test_what_a_protocol_must_write():
    consumer = RealtimeConsumer()
    with pytest.raises(NotImplementedError):
        await consumer.connect()
    with pytest.raises(NotImplementedError):
        consumer.receive_text("")
    await consumer.disconnect(1000)
    assert consumer.encode_error(InternalError("x")) is None


class PingedTransport(FakeTransport):
    """A transport that counts its pings; `heard` is whether the client answers them."""

    heard = True
    pings = 0

    def ping(self) -> bool:
        self.pings += 1
        return self.heard


async def test_a_client_that_gives_no_sign_of_life_is_closed(rt: Runtime, monkeypatch) -> None:
    monkeypatch.setattr(Consumer, "ping_interval_s", 20.0)
    transport = PingedTransport()
    connection = Connection(frames=transport)
    assert (await connection.next())["type"] == "websocket.accept"
    now_s = rt.loop.time()
    for seconds in (0, 21, 43, 65):
        rt.wheel.advance(now_s + seconds)
    assert transport.pings == 3
    assert transport.closes == []
    transport.heard = False
    rt.wheel.advance(now_s + 87)
    assert transport.closes == [(4408, "no sign of life")]
    connection.gone(4408)
    await connection.over()
    assert len(rt.wheel) == 0


async def test_pings_end_with_the_connection(rt: Runtime, monkeypatch) -> None:
    monkeypatch.setattr(Consumer, "ping_interval_s", 20.0)
    connection = Connection(frames=PingedTransport())
    assert (await connection.next())["type"] == "websocket.accept"
    assert len(rt.wheel) == 1
    connection.gone()
    await connection.over()
    assert len(rt.wheel) == 0

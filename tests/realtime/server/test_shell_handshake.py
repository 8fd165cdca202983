"""The answer to a handshake: the application's, or ours where it gives none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from realtime.runtime import Runtime
from realtime.server import door, websocket
from realtime.server.websocket import WebSocketProtocol
from tests.e2e.rawsocket import TEXT, RawSocket, frame, handshake
from tests.realtime.server.play import STANDARD, Event, Part, Play, Stage, answering, complaints

ACCEPT = {"type": "websocket.accept"}
LIST = b"Sec-WebSocket-Protocol: chat, graphql-ws\r\n"


def asking(stage: Stage, *headers: bytes) -> bytes:
    """A handshake with these headers as well, each with its line's end."""
    return handshake(stage, "x")[:-2] + b"".join(headers) + b"\r\n"  # type: ignore[arg-type]


async def refusal(stage: Stage, *headers: bytes) -> tuple[int, list[bytes], bytes]:
    """Status, header lines and body of the answer, after which the server hangs up."""
    async with await stage.dial() as raw:
        await raw.send(asking(stage, *headers))
        head, _, body = (await raw.ended()).partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return int(status.split()[1]), lines, body


async def acceptance(raw: RawSocket, stage: Stage, *headers: bytes) -> list[bytes]:
    """The header lines of the answer that opens a connection."""
    await raw.send(asking(stage, *headers))
    status, *lines = (await asyncio.wait_for(raw.reader.readuntil(b"\r\n\r\n"), 5)).split(b"\r\n")
    assert status == b"HTTP/1.1 101 Switching Protocols"
    return lines


async def test_the_application_refuses(stage: Stage) -> None:
    stage.play.opening = answering({"type": "websocket.close", "code": 4001})
    assert (await refusal(stage))[0] == 403
    await stage.quiet()
    assert (await stage.part()).endings == [1006]


async def test_the_application_answers_with_a_response_of_its_own(stage: Stage) -> None:
    headers = [(b"x-why", b"because"), (b"content-length", b"7")]
    stage.play.opening = answering(
        {"type": "websocket.http.response.start", "status": 451, "headers": headers},
        {"type": "websocket.http.response.body", "body": b"not ", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"here\n"},
    )
    status, lines, body = await refusal(stage)
    assert (status, body) == (451, b"not here\n")
    assert b"x-why: because" in lines
    # The length is what it is.
    assert [line for line in lines if line.lower().startswith(b"content-length")] == [b"content-length: 9"]
    await stage.quiet()
    assert (await stage.part()).endings == [1006]


@STANDARD
async def test_an_application_that_returns_without_an_answer_is_a_500(stage: Stage) -> None:
    async def leave(part: Part) -> None:
        part.left = True

    stage.play.opening = leave
    assert (await refusal(stage))[0] == 500


MALFORMED = [(b"x-bad", b"a\r\nb: c")]


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "websocket.send", "text": "too early"}],
        [{"type": "http.response.start", "status": 200}],
        [{"type": "websocket.http.response.body", "body": b""}],
        [{"type": "websocket.http.response.start", "status": 403}, ACCEPT],
        [{"type": "websocket.accept", "subprotocol": "soap"}],
        [{"type": "websocket.accept", "headers": MALFORMED}],
        [
            {"type": "websocket.http.response.start", "status": 403, "headers": MALFORMED},
            {"type": "websocket.http.response.body"},
        ],
    ],
)
async def test_an_application_that_fails_before_its_answer_is_a_500(
    stage: Stage, events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    stage.play.opening = answering(*events)
    status, _, body = await refusal(stage, LIST)
    assert (status, body) == (500, b"Internal Server Error\n")
    assert len(complaints(caplog)) == 1


@STANDARD
async def test_a_response_that_is_only_begun_is_a_500(stage: Stage) -> None:
    async def leave(part: Part) -> None:
        await part.send({"type": "websocket.http.response.start", "status": 403})
        part.left = True

    stage.play.opening = leave
    assert (await refusal(stage))[0] == 500


async def test_what_the_application_says_about_an_open_connection_is_in_the_answer(stage: Stage) -> None:
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"upgrade", b"h2c")]
    stage.play.opening = answering({**ACCEPT, "subprotocol": "graphql-ws", "headers": headers})
    async with await stage.dial() as raw:
        lines = await acceptance(raw, stage, LIST)
        assert b"sec-websocket-protocol: graphql-ws" in lines
        assert b"sec-websocket-accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=" in lines
        assert [line for line in lines if line.startswith(b"set-cookie")] == [
            b"set-cookie: a=1",
            b"set-cookie: b=2",
        ]
        assert [line for line in lines if line.startswith(b"upgrade")] == [b"upgrade: websocket"]


async def test_a_client_that_offers_compression_is_answered_without(stage: Stage) -> None:
    async with await stage.dial() as raw:
        offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        lines = await acceptance(raw, stage, offer, LIST)
        # Nor is a subprotocol chosen that the application has not.
        assert not any(
            line.lower().startswith((b"sec-websocket-ext", b"sec-websocket-pro")) for line in lines
        )
        await raw.send(frame(b"plain"))
        assert await raw.receive() == (TEXT, b"plain")


async def test_the_application_is_told_what_was_asked(stage: Stage) -> None:
    async with await stage.dial() as raw:
        request = asking(stage, LIST, b"X-Name: Zo\xc3\xab\r\n").replace(
            b"/x/listen", b"/a%20b/%E2%86%92?q=%41&r"
        )
        await raw.send(request)
        scope = (await stage.part()).scope
        own = raw.writer.get_extra_info("sockname")
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "ws", "1.1")
    assert (scope["path"], scope["raw_path"]) == ("/a b/→", b"/a%20b/%E2%86%92")
    assert (scope["query_string"], scope["root_path"]) == (b"q=%41&r", "")
    assert scope["subprotocols"] == ["chat", "graphql-ws"]
    assert (scope["client"], scope["server"]) == (own, stage.address)
    assert (b"x-name", b"Zo\xc3\xab") in scope["headers"]
    assert "websocket.http.response" in scope["extensions"]


async def never(part: Part) -> None:
    await asyncio.Event().wait()


async def test_an_application_that_does_not_answer_is_a_503(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "HANDSHAKE_TIMEOUT_S", 0.2)
    stage.play.opening = never
    assert (await refusal(stage))[0] == 503
    for task in stage.server.server_state.tasks:
        task.cancel()


async def test_an_application_that_answers_in_time_has_all_the_time_after_that(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[asyncio.TimerHandle] = []

    class Recorded(WebSocketProtocol):
        def deadline(self, *args: Any) -> None:
            super().deadline(*args)
            assert self._deadline is not None
            timers.append(self._deadline)

    monkeypatch.setattr(door, "WebSocketProtocol", Recorded)
    raw, _ = await stage.open()
    async with raw:
        assert [timer.cancelled() for timer in timers] == [True]


@asynccontextmanager
async def alone(play: Play) -> AsyncIterator[Stage]:
    """Our class without the HTTP class before it, which has a deadline of its own."""
    config = uvicorn.Config(play, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    listening = await asyncio.get_running_loop().create_server(
        lambda: websocket.WebSocketProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with listening:
        stage = Stage(play, SimpleNamespace(servers=[listening], server_state=state))  # type: ignore[arg-type]
        yield stage
        await stage.quiet()


@pytest.fixture
async def lone_stage(rt: Runtime) -> AsyncIterator[Stage]:
    async with alone(Play(driven=True)) as stage:
        yield stage


async def test_alone_it_answers_a_request_that_comes_byte_by_byte(lone_stage: Stage) -> None:
    async with await lone_stage.dial() as raw:
        for byte in asking(lone_stage):
            await raw.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await raw.head() == 101
        await raw.send(frame(b"hello"))
        assert await raw.receive() == (TEXT, b"hello")


@pytest.mark.parametrize("start", [b"", b"GET /x/listen HTTP/1.1\r\n", b"\x16\x03\x01"])
async def test_alone_it_does_not_wait_for_ever_for_a_request(
    lone_stage: Stage, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "HANDSHAKE_TIMEOUT_S", 0.2)
    async with await lone_stage.dial() as raw:
        await raw.send(start)
        ending = asyncio.create_task(raw.ended())
        while not ending.done():
            await raw.send(b"X-A: b\r\n" if start else b"")
            await asyncio.wait([ending], timeout=0.01)
        assert await ending == b""


async def test_alone_it_bounds_the_headers(lone_stage: Stage) -> None:
    async with await lone_stage.dial() as raw:
        await raw.send(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 10_000)
        assert await raw.head() == 431


@pytest.mark.parametrize(
    ("request_line", "status"), [(b"POST / HTTP/1.1", 405), (b"GET / HTTP/1.1", 400), (b"nonsense", 400)]
)
async def test_alone_it_says_what_is_wrong_with_a_request(
    lone_stage: Stage, request_line: bytes, status: int
) -> None:
    async with await lone_stage.dial() as raw:
        await raw.send(request_line + b"\r\n\r\n")
        assert await raw.head() == status

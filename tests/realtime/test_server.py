"""Our protocol classes in a real uvicorn: bounds on headers, and the transport that the hub writes to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime import server as server_module
from realtime.outlet import FrameOutlet


class App:
    """Answers HTTP; keeps the frame transport of each socket and echoes text."""

    def __init__(self) -> None:
        self.outlets: asyncio.Queue[FrameOutlet] = asyncio.Queue()
        self.ended: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        await receive()
        outlet = FrameOutlet("c", scope["extensions"]["foyer.frames"], lambda: None)
        await send({"type": "websocket.accept"})
        self.outlets.put_nowait(outlet)
        while (message := await receive())["type"] == "websocket.receive":
            outlet.send((message.get("text") or "").encode())
        self.ended.put_nowait(message.get("code"))


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def port(app: App, monkeypatch: pytest.MonkeyPatch, rt: Any) -> AsyncIterator[int]:
    monkeypatch.setattr(server_module, "HEADERS_TIMEOUT_S", 0.3)
    monkeypatch.setattr(server_module, "CLOSE_TIMEOUT_S", 0.2)
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_config=None,
        http=server_module.HttpProtocol,
        ws=server_module.WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=server_module.MAX_MESSAGE_BYTES,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    server.force_exit = True
    await server.shutdown()


async def answer(port: int, *pieces: bytes) -> bytes:
    """Send the pieces and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


GET = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"


async def test_a_request_is_answered(port):
    assert b"200 OK" in await answer(port, GET + b"\r\n")


async def test_a_request_in_small_pieces_is_answered(port):
    assert b"200 OK" in await answer(port, GET[:10], GET[10:], b"a: b\r\n", b"\r\n")


async def test_headers_without_end_are_refused(port):
    line = b"x: " + b"y" * 1000 + b"\r\n"
    reply = await answer(port, GET, *[line] * 40)
    assert reply.startswith(b"HTTP/1.1 431") or reply == b"reset"


@pytest.mark.parametrize("pieces", [(), (b"GET / HT",), (GET,)])
async def test_headers_that_do_not_come_are_not_waited_for(port, pieces):
    assert b"200" not in await answer(port, *pieces)


async def test_a_body_is_no_header(port):
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 100000\r\n\r\n"
    assert b"200 OK" in await answer(port, head, b"x" * 50_000, b"x" * 50_000)


async def test_requests_on_one_connection_are_counted_apart(port):
    filler = b"x: " + b"y" * 20_000 + b"\r\n\r\n"
    keep = b"GET / HTTP/1.1\r\nhost: a\r\n"
    reply = await answer(port, keep + filler, keep + filler, GET + b"\r\n")
    assert reply.count(b"200 OK") == 3


async def test_frames_go_both_ways_and_close_is_answered(app, port):
    async with connect(f"ws://127.0.0.1:{port}") as client:
        outlet = await app.outlets.get()
        await client.send("héllo")
        assert await asyncio.wait_for(client.recv(), 5) == "héllo"
        outlet.send(b"x" * 70_000)
        assert len(await asyncio.wait_for(client.recv(), 5)) == 70_000
        outlet.close(4403, "why")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)
        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "why")
    assert await asyncio.wait_for(app.ended.get(), 5) == 4403


async def test_writing_to_a_client_that_is_lost_does_not_raise(app, port):
    """The hub is in the middle of a group: the others must get their message."""
    client = await connect(f"ws://127.0.0.1:{port}")
    outlet = await app.outlets.get()
    client.transport.abort()
    assert await asyncio.wait_for(app.ended.get(), 5) in {1005, 1006}

    class UvloopsTransport:
        """asyncio's own passes over a write to a lost socket; this one does not."""

        def is_closing(self) -> bool:
            return True

        def write(self, data: bytes) -> None:
            raise RuntimeError("the handler is closed")

    protocol: Any = outlet._transport
    protocol.transport = UvloopsTransport()
    outlet.send(b"too late")
    outlet.close(1000)


async def test_a_client_that_does_not_read_stalls_its_outlet_and_is_cut(app, port):
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.write(
        b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    outlet = await asyncio.wait_for(app.outlets.get(), 5)
    async with asyncio.timeout(5):
        while outlet._transport.reading:
            outlet.send(b"x" * 60_000)
            await asyncio.sleep(0)
    outlet.send(b"kept")
    assert outlet._kept
    outlet.close(4410)
    assert await asyncio.wait_for(app.ended.get(), 5) == 4410
    async with asyncio.timeout(5):
        while not outlet._transport.disconnected:
            await asyncio.sleep(0.01)
    writer.close()


async def test_text_that_is_not_utf8_is_1007_and_no_error_of_ours(app, port, caplog):
    async with connect(f"ws://127.0.0.1:{port}") as client:
        await app.outlets.get()
        await client.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1007
    assert "Traceback" not in caplog.text


async def test_a_message_without_bounds_is_1009(app, port):
    async with connect(f"ws://127.0.0.1:{port}") as client:
        await app.outlets.get()
        await client.send("x" * (server_module.MAX_MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009


async def test_a_connection_that_is_closing_does_not_keep_the_server_from_stopping(
    app: App, port: int
) -> None:
    async with connect(f"ws://127.0.0.1:{port}/") as client:
        outlet = await app.outlets.get()
        protocol = outlet._transport
        # As when the peer has sent its close and stopped reading: our answer has not left yet.
        protocol.conn.send_close(1000)
        protocol.shutdown()
        with pytest.raises(ConnectionClosed):
            await client.recv()


async def test_a_ping_asks_for_a_sign_of_life(app: App, port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/") as client:
        outlet = await app.outlets.get()
        assert outlet.ping()
        assert not outlet.ping(), "nothing can have come back yet"
        await client.send("hello")
        await client.recv()
        assert outlet.ping(), "a message is one; and the pong of the first ping came before it"
        await asyncio.wait_for(_heard(outlet), 5)
        assert outlet.ping(), "a pong is one"


async def _heard(outlet: FrameOutlet) -> None:
    while not outlet._transport.heard:  # type: ignore[attr-defined]
        await asyncio.sleep(0)

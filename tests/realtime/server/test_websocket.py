"""WebSockets of a real uvicorn with our class, for applications that ask for events and driven ones."""

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime.outlet import FrameOutlet
from realtime.server import websocket
from tests.realtime.server.apps import App


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
    assert outlet._backlog
    outlet.close(4410)
    assert await asyncio.wait_for(app.ended.get(), 5) == 4410
    async with asyncio.timeout(5):
        while not outlet._transport.gone:
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
        await client.send("x" * (websocket.MAX_MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009


async def test_a_connection_that_is_closing_does_not_keep_the_server_from_stopping(
    app: App, port: int
) -> None:
    async with connect(f"ws://127.0.0.1:{port}/") as client:
        outlet = await app.outlets.get()
        outlet.close(1000)
        outlet._transport.shutdown()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1000


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

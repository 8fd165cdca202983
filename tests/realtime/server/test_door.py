"""Connections whose first bytes say what they are: a handshake in one piece, in several, or anything else."""

import asyncio

import pytest

from realtime.server import door
from realtime.server.door import Door, whole_handshake
from realtime.server.http import MAX_HEADER_BYTES, HttpProtocol
from tests.e2e.rawsocket import PING, PONG, TEXT, frame
from tests.realtime.server.handshakes import HOST, UPGRADE, request
from tests.realtime.server.play import Stage, soon
from tests.realtime.server.test_http import GET, answer

HANDSHAKE = request()
BEHIND = frame(b"hello") + frame(b"?", PING)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[HttpProtocol]:
    """The connections that an HTTP parser has seen."""
    made: list[HttpProtocol] = []

    class Recorded(HttpProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            made.append(self)
            super().connection_made(transport)

    monkeypatch.setattr(door, "HttpProtocol", Recorded)
    return made


def test_a_handshake_in_one_piece_is_one():
    found = whole_handshake(HANDSHAKE + BEHIND)
    assert found is not None
    assert found[0].target == b"/"
    assert found[1] == BEHIND


@pytest.mark.parametrize(
    "data",
    [
        HANDSHAKE[:-1],
        b"\r\n" + HANDSHAKE,
        GET + b"\r\n",
        request(without=[HOST]),
        request(without=[UPGRADE]),
        request(line=b"GET / HTTP/1.0"),
        request(line=b"POST / HTTP/1.1"),
        request(b"x: " + b"x" * MAX_HEADER_BYTES),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_all_else_is_for_http(data):
    assert whole_handshake(data) is None


async def test_a_handshake_in_one_piece_needs_no_http(stage: Stage, parsed: list[HttpProtocol]) -> None:
    raw, part = await stage.open()
    async with raw:
        await raw.send(frame(b"hello"))
        assert await raw.receive() == (TEXT, b"hello")
    assert part.scope["client"][0] == "127.0.0.1"
    assert not parsed


@pytest.mark.parametrize("at", [1, len(HANDSHAKE) // 2, len(HANDSHAKE) - 1])
async def test_one_in_two_pieces_opens_all_the_same(
    stage: Stage, parsed: list[HttpProtocol], at: int
) -> None:
    async with await stage.dial() as raw:
        await raw.send(HANDSHAKE[:at])
        await soon(lambda: parsed, what="the parser")
        await raw.send(HANDSHAKE[at:])
        part = await stage.part()
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await raw.send(frame(b"hello"))
        assert await raw.receive() == (TEXT, b"hello")
    assert part.scope["path"] == "/"


async def test_what_comes_behind_it_in_the_same_piece_is_read(stage: Stage) -> None:
    async with await stage.dial() as raw:
        await raw.send(HANDSHAKE + BEHIND)
        await stage.part()
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert sorted([await raw.receive(), await raw.receive()]) == [(TEXT, b"hello"), (PONG, b"?")]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(without=[HOST]), b"400"),
        (request(b"Sec-WebSocket-Version: 8"), b"426"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"400"),
        (GET + b"\r\n", b"200"),
    ],
)
async def test_a_fault_is_answered(port: int, data: bytes, status: bytes) -> None:
    reply = await answer(port, data)
    assert reply.split(b" ")[1] == status


async def test_who_says_nothing_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEADERS_TIMEOUT_S", 0.1)
    async with await stage.dial() as raw:
        assert await raw.reader.read() == b""


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_who_leaves_without_a_word_leaves_nothing(stage: Stage, how: str) -> None:
    raw = await stage.dial()
    await soon(lambda: stage.server.server_state.connections, what="the connection")
    raw.reset() if how == "reset" else raw.end()
    await raw.close()
    await stage.quiet()


async def test_a_server_that_stops_closes_those_who_have_said_nothing(stage: Stage) -> None:
    async with await stage.dial() as raw:
        await soon(lambda: stage.server.server_state.connections, what="the connection")
        (connection,) = stage.server.server_state.connections
        assert isinstance(connection, Door)
        connection.shutdown()
        assert await raw.reader.read() == b""

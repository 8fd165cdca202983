"""HTTP of a real uvicorn with our class: bounds on headers."""

import asyncio

import pytest


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

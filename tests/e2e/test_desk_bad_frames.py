"""What no proper client of the desk sends, on both servers. They log no error and count nobody afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from realtime.errors import ProtocolViolation
from tests.e2e.desk import Desk
from tests.e2e.listener import PATIENCE_S, eventually
from tests.e2e.rawsocket import BINARY, CLOSE, CONTINUATION, TEXT, RawSocket, frame
from tests.e2e.servers import until
from ticketing.protocol.client import decode

PAGES = ["staff", "kiosk", "display"]


async def told(raw: RawSocket) -> bytes:
    """The next line."""
    received = await raw.receive()
    assert received is not None, "the connection ended"
    opcode, line = received
    assert opcode == TEXT, received
    return line


async def opened(desk: Desk, page: str) -> RawSocket:
    raw = await desk.raw(page)
    if page == "staff":
        assert await told(raw) == b"taken"
    return raw


@pytest.mark.parametrize("page", PAGES)
async def test_what_is_no_line_is_answered_and_the_connection_goes_on(desk: Desk, page: str) -> None:
    async with await opened(desk, page) as raw:
        for payload in (b"", b"accept 1", b"\xff\xfe", b"x" * 5000):
            await raw.send(frame(payload, BINARY))
            assert await told(raw) == b"error message must be text"
        # Measured in bytes.
        for text in ("x" * 4097, "ü" * 2049, "x" * 60_000):
            await raw.send(frame(text.encode()))
            assert await told(raw) == b"error message too large"
        await raw.send(frame(b"x" * 4096))
        assert await told(raw) == b"error " + b"x" * 4096 + b" unknown command"
        await raw.send(frame(b"non", fin=False) + frame(b"sense \xc3", CONTINUATION, fin=False))
        await raw.send(frame(b"\xbc", CONTINUATION))
        assert await told(raw) == b"error nonsense unknown command"


@pytest.mark.parametrize("page", PAGES)
async def test_flooding_is_answered_once_and_ended(desk: Desk, page: str) -> None:
    before = desk.connections()
    async with await opened(desk, page) as raw:
        await raw.send(frame(b"unpick x") * 150 + frame(b"", BINARY) * 150)
        answers = [await told(raw)]
        while answers[-1] != b"error message too many messages":
            answers.append(await told(raw))
        # 200 at once, and those that became due meanwhile.
        assert len(answers) > 200
        # daphne does not let an application send 1008.
        assert await raw.close_code() == (1008 if desk.server.is_serve else 4008)
    await eventually(lambda: desk.connections() == before, what="the end of the connection")


@pytest.mark.parametrize("page", PAGES)
async def test_what_is_no_utf8_ends_the_connection(desk: Desk, page: str) -> None:
    before = desk.connections()
    for data in (
        frame(b"accept \xff\xfe"),
        frame(b"new ada@example.org \xed\xa0\x80"),  # a surrogate
        frame(b"query \xc3", fin=False) + frame(b"\x28", CONTINUATION),
    ):
        async with await opened(desk, page) as raw:
            await raw.send(data)
            # daphne only hangs up.
            assert await raw.close_code() == (1007 if desk.server.is_serve else None)
    await eventually(lambda: desk.connections() == before, what="the end of the connections")


async def test_leaving_in_any_way_leaves_nothing_behind(desk: Desk) -> None:
    before = desk.connections()
    for page in PAGES:
        for data in (b"", frame(b"\x03\xe8", CLOSE), frame(b"accept 1")[:9], frame(b"accept 1") * 20):
            for how in ("reset", "close"):
                raw = await opened(desk, page)
                await raw.send(data)
                if how == "reset":
                    raw.reset()
                await raw.close()
    # Somebody who leaves while the answer to a pick is on its way leaves no table behind, either: after
    # the grace period; it can be taken back at once.
    for _ in range(5):
        raw = await desk.raw("staff")
        await raw.send(frame(f"pick 1 {desk.ana.token}".encode()))
        raw.reset()
        await raw.close()
    await eventually(lambda: desk.connections() == before, what="everybody's leaving")
    async with await desk.wire("staff") as ana:
        assert await ana.next() in ("taken", "taken 1")
        await ana.send(f"pick 1 {desk.ana.token}")
        while (line := await ana.next()) != "success pick 1":
            assert line in ("taken", "taken 1")
        await ana.ask("unpick", "success unpick", "taken")


VERBS = ["pick", "unpick", "accept", "cancel", "complete", "new", "query", "once", "error", "taken"]
ARGUMENTS = [
    "a@b.example",
    "Ada",
    "0",
    "1",
    "99",
    "-1",
    "12345678",
    "\x00",
    "\n",
    "\r\n",
    "'",
    "{}",
    "→",
    "🎫",
]
WORDS = st.sampled_from(VERBS) | st.sampled_from(ARGUMENTS) | st.text(max_size=8)
LINES = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=5).map(" ".join))
# Two messages each: as many as there may be at once.
EXAMPLES = 95


def test_random_text_is_answered_in_the_protocols_own_words(whole_desk: Desk) -> None:
    desk = whole_desk
    before = desk.connections()
    for page in PAGES:
        url = f"{desk.server.ws_url}/ticketing/{page}/"
        with connect(url, proxy=None, open_timeout=PATIENCE_S) as ws:

            @settings(max_examples=EXAMPLES, deadline=None)
            @given(LINES, st.just(ws))
            def is_answered(line: str, ws: ClientConnection) -> None:
                ws.send(line)
                ws.send("that-was-it")
                answers = 0
                while (answer := str(ws.recv(PATIENCE_S))) != "error that-was-it unknown command":
                    answers += not answer.startswith("taken")
                    try:
                        decode(answer)
                    except ProtocolViolation as violation:
                        raise AssertionError(answer) from violation
                assert answers == 1

            try:
                is_answered()
            except ConnectionClosed as closed:
                raise AssertionError(f"closed: {closed}") from closed
    until(lambda: desk.connections() == before, within_s=PATIENCE_S, what="as many as before")
    desk.clear()

"""The write end of a connection: framing, holding back, bounds and closing, for each kind of outlet."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import outlet as outlet_module
from realtime.close_codes import CloseCode
from realtime.frames import frame_header
from realtime.outlet import AsgiOutlet, Batch, FrameOutlet, Outlet
from tests.realtime.fakes import FakeOutlet, FakeTransport, Nobody, parse_frames


def _letters(data: bytes) -> bytes:
    return data.replace(b"\0", b"x")


ascii_bytes = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300).map(str.encode)


# --- batches --------------------------------------------------------------------------------------


@given(
    heads=st.lists(
        st.one_of(ascii_bytes, st.sampled_from([65_000, 70_000]).map(bytes).map(_letters)),
        min_size=1,
        max_size=6,
    ),
    tails=st.lists(ascii_bytes, max_size=5),
)
def test_a_batch_frames_each_head_with_each_tail(heads, tails):
    batch = Batch(heads)
    assert batch.size_bytes == sum(map(len, heads))
    # Tails of one length share frames; the same tail twice must not see what the other left.
    for tail in [b"", *tails, b"", *tails]:
        assert parse_frames(batch.framed(tail)) == [(head + tail).decode() for head in heads]


def test_frames_are_built_once_for_each_length_of_tail(monkeypatch):
    lengths: list[int] = []

    def counting(length: int) -> bytes:
        lengths.append(length)
        return frame_header(length)

    monkeypatch.setattr(outlet_module, "frame_header", counting)
    batch = Batch([b"ab", b"cde"])
    for tail in (b"-1", b"-2", b"-10", b"", b"-3", b""):
        batch.framed(tail)
    assert lengths == [4, 5, 5, 6, 2, 3]


# --- what all outlets do -----------------------------------------------------------------------------


async def test_what_a_client_does_not_take_is_kept_and_sent_as_one_when_it_reads_again():
    outlet = FakeOutlet("c")
    outlet.stall()
    for head in (b"1", b"2", b"3"):
        outlet.send(head)
    assert outlet.got == []
    outlet.read()
    assert outlet.got == [b"1", b"2", b"3"]
    assert outlet.batches == [3]
    outlet.send(b"4")
    assert outlet.got[-1] == b"4"


async def test_a_client_that_stalls_again_while_it_catches_up_keeps_the_order():
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    transport.stall()
    outlet.send(b"1")
    transport.stall_after = 1
    transport.drain()
    outlet.send(b"2")
    assert transport.texts == ["1"]
    transport.drain()
    assert transport.texts == ["1", "2"]


async def test_corked_messages_come_after_what_uncork_sends_first():
    outlet = FakeOutlet("c")
    outlet.cork()
    outlet.deliver(Batch([b"live 1", b"live 2"]))
    outlet.tail = b"!"
    outlet.uncork(b"state", b"replay")
    outlet.send(b"live 3")
    assert outlet.got == [b"state!", b"replay!", b"live 1!", b"live 2!", b"live 3!"]


async def test_what_waited_before_the_cork_is_sent_before_everything():
    """Such as a heartbeat, without which the client could not answer it."""
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    transport.stall()
    outlet.send(b"before")
    outlet.cork()
    outlet.cork()
    transport.drain()
    outlet.send(b"live")
    outlet.uncork(b"state")
    assert transport.texts == ["before", "state", "live"]


async def test_what_waited_before_the_cork_is_sent_before_a_close_in_the_middle():
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    transport.stall()
    outlet.send(b"before")
    outlet.cork()
    outlet.send(b"live, after a state that will not come")
    outlet.close(4003)
    assert transport.texts == ["before"]


async def test_reading_again_does_not_uncork():
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    outlet.cork()
    outlet.send(b"later")
    transport.stall()
    transport.drain()
    assert transport.writes == []
    outlet.uncork(b"first")
    assert transport.texts == ["first", "later"]


async def test_uncorked_while_the_client_does_not_read_waits_for_it():
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    outlet.cork()
    outlet.send(b"second")
    transport.stall()
    outlet.uncork(b"first")
    assert transport.writes == []
    transport.drain()
    assert transport.texts == ["first", "second"]


@pytest.mark.parametrize(
    ("bytes_bound", "messages_bound", "fits"), [(1_000, 10**6, 9), (10**6, 7, 7)], ids=["bytes", "messages"]
)
async def test_past_the_backlog_bound_the_client_is_closed_once(
    monkeypatch, bytes_bound, messages_bound, fits
):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_BYTES", bytes_bound)
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", messages_bound)
    outlet = FakeOutlet("c")
    outlet.tail = b"t" * 10
    outlet.stall()
    for _ in range(fits):
        outlet.send(b"h" * 100)
    assert outlet.closes == []
    outlet.send(b"h" * 100)
    assert outlet.closes == [CloseCode.SLOW_CLIENT]
    outlet.send(b"more")
    outlet.close(1000)
    outlet.read()
    assert outlet.overflows == 0  # soon, not now: the hub may be in the middle of a group
    await asyncio.sleep(0)
    assert (outlet.closes, outlet.overflows, outlet.got) == ([CloseCode.SLOW_CLIENT], 1, [])


async def test_the_bound_is_for_what_waits_not_for_what_passed(monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 2)
    outlet = FakeOutlet("c")
    for _ in range(5):
        outlet.stall()
        outlet.send(b"1")
        outlet.send(b"2")
        outlet.read()
    assert len(outlet.got) == 10


async def test_close_sends_what_was_kept_first_and_nothing_after():
    transport = FakeTransport()
    outlet = FrameOutlet("c", transport, Nobody())
    transport.stall()
    outlet.send(b"kept")
    outlet.close(4403, "r" * 200)
    outlet.close(1000)
    outlet.send(b"too late")
    outlet.uncork(b"too late")
    transport.drain()
    assert transport.texts == ["kept"]
    assert transport.closes == [(4403, "r" * 123)]


async def test_close_of_a_corked_outlet_drops_what_it_held_back():
    outlet = FakeOutlet("c")
    outlet.cork()
    outlet.send(b"never to be seen without its state")
    outlet.close(1000)
    outlet.uncork(b"state")
    assert (outlet.got, outlet.closes) == ([], [1000])


async def test_close_that_overflows_while_catching_up_closes_once(monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 1)

    class Owing:
        def catch_up(self, outlet: Outlet) -> None:
            outlet.deliver(Batch([b"1", b"2"]))

    outlet = FakeOutlet("c")
    outlet.groups = (Owing(),)  # type: ignore[assignment]
    outlet.stall()
    outlet.close(1000)
    assert outlet.closes == [CloseCode.SLOW_CLIENT]


async def test_a_detached_outlet_is_silent():
    outlet = FakeOutlet("c")
    outlet.stall()
    outlet.send(b"1")
    outlet.detach()
    outlet.read()
    outlet.send(b"2")
    outlet.close(1000)
    assert (outlet.got, outlet.closes) == ([], [])


async def test_a_new_tail_is_for_later_messages_only():
    outlet = FakeOutlet("c")
    outlet.set_tail(b" old")
    outlet.send(b"1")
    outlet.set_tail(b" new")
    outlet.send(b"2")
    assert outlet.got == [b"1 old", b"2 new"]


# --- the standard way -----------------------------------------------------------------------------------


class Server:
    """A `send` that waits until it is let go."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None

    async def send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        if self.failure:
            raise self.failure
        self.got.append(message)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.got if message["type"] == "websocket.send"]


async def drained(outlet: AsgiOutlet) -> None:
    while (task := outlet._task) is not None:
        await asyncio.wait_for(asyncio.wait([task]), 5)
        assert outlet._task is not task


async def test_asgi_sends_each_message_with_its_tail_and_needs_no_task_afterwards():
    server = Server()
    outlet = AsgiOutlet("c", server.send, Nobody())
    outlet.set_tail("é".encode())
    for head in (b"1", b"2", b"3"):
        outlet.send(head)
    await drained(outlet)
    assert server.got == [{"type": "websocket.send", "text": f"{n}é"} for n in (1, 2, 3)]


async def test_asgi_bounds_what_waits_for_a_server_that_does_not_take_it(monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 3)
    server = Server()
    server.open.clear()
    overflowed = asyncio.Event()
    outlet = AsgiOutlet("c", server.send, Nobody(overflowed))
    outlet.send(b"in hand")
    for head in (b"1", b"2", b"3"):
        outlet.send(head)
    assert not outlet.closed
    outlet.send(b"4")
    await asyncio.wait_for(overflowed.wait(), 5)
    outlet.detach()  # as the consumer does when it hears of it
    server.open.set()
    await drained(outlet)
    # The client still has to be told, though the application is done with it.
    assert server.got[-1] == {
        "type": "websocket.close",
        "code": CloseCode.SLOW_CLIENT,
        "reason": "the client reads too slowly",
    }
    assert server.texts == ["in hand"]


async def test_asgi_close_comes_after_what_was_sent_also_when_detached_at_once():
    server = Server()
    outlet = AsgiOutlet("c", server.send, Nobody())
    outlet.send(b"1")
    outlet.send(b"2")
    outlet.close(1008, "why")
    outlet.detach()
    await drained(outlet)
    assert server.texts == ["1", "2"]
    assert server.got[-1] == {"type": "websocket.close", "code": 1008, "reason": "why"}


async def test_asgi_detach_ends_the_task():
    server = Server()
    server.open.clear()
    outlet = AsgiOutlet("c", server.send, Nobody())
    outlet.send(b"1")
    task = outlet._task
    assert task is not None
    await asyncio.sleep(0)
    outlet.detach()
    await asyncio.wait([task])
    server.open.set()
    assert server.got == []
    assert outlet.closed


async def test_asgi_a_server_that_refuses_to_send_ends_the_outlet_quietly():
    server = Server()
    server.failure = OSError("gone")
    outlet = AsgiOutlet("c", server.send, Nobody())
    outlet.send(b"1")
    await drained(outlet)
    assert outlet.closed
    outlet.send(b"2")
    assert outlet._task is None


@given(
    st.lists(
        st.sampled_from(["send", "stall", "read", "cork", "uncork", "tail"]),
        max_size=40,
    )
)
def test_any_order_of_events_delivers_everything_in_order(actions):
    """As long as nothing overflows, a client gets each message once, in order, whatever happens."""
    outlet = FakeOutlet("c")
    expected: list[bytes] = []
    count = 0
    for action in [*actions, "uncork", "read"]:
        match action:
            case "send":
                outlet.send(b"%d" % count)
                expected.append(b"%d" % count)
                count += 1
            case "stall":
                outlet.stall()
            case "read":
                outlet.read()
            case "cork" if not outlet.corked and not outlet._backlog:
                outlet.cork()
            case "uncork" if outlet.corked:
                outlet.uncork()
    assert outlet.got == expected

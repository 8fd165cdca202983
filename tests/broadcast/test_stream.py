"""Listening by server-sent events, as any ASGI server drives it."""

import asyncio
from typing import Any

import pytest

from broadcast.api.document import DocumentRoutes
from broadcast.protocol import client
from broadcast.services.listening import kick, list_members
from realtime import gate
from realtime import outlet as outlet_module
from realtime.runtime import Runtime
from tests.broadcast.listeners import allow
from tests.broadcast.test_emitting import say


@pytest.fixture(autouse=True)
def open_channels(rt: Runtime) -> None:
    allow(rt)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("passed on")


class Stream:
    """One request for a stream."""

    def __init__(self, query: str = "", method: str = "GET", **headers: str) -> None:
        headers = {"accept": "text/event-stream", **headers}
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/news/listen",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.1", 1),
            "extensions": {},
        }
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.task = asyncio.ensure_future(DocumentRoutes(_nothing)(self.scope, self.incoming.get, self.send))

    async def send(self, message: dict[str, Any]) -> None:
        await self.reading.wait()
        self.outgoing.put_nowait(message)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.outgoing.get(), 5)

    async def open(self) -> dict[bytes, bytes]:
        start = await self.next()
        assert start["status"] == 200
        assert (await self.next())["body"] == b"retry: 2000\n\n"
        return dict(start["headers"])

    async def said(self) -> list[tuple[str, client.Delivery]]:
        """(id, message) of each event in the next piece; comments are passed over."""
        found: list[tuple[str, client.Delivery]] = []
        while not found:
            body = (await self.next())["body"].decode()
            for block in body.split("\n\n"):
                fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
                if "data" in fields:
                    found.append((fields.get("id", ""), client.decode(fields["data"])))
        return found

    async def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(self.task, 5)

    async def ended(self) -> None:
        """The answer is complete, as HTTP wants it."""
        message = await self.next()
        while message.get("more_body"):
            message = await self.next()
        assert message == {"type": "http.response.body", "body": b""}
        await asyncio.wait_for(self.task, 5)


async def test_the_same_messages_as_events(rt: Runtime):
    stream = Stream()
    headers = await stream.open()
    assert headers[b"content-type"] == b"text/event-stream"
    assert headers[b"cache-control"] == b"no-store"
    ((event_id, connected),) = await stream.said()
    assert (event_id, connected.message.type) == ("", "CONNECTED")
    emitted = await say(b'{"n":1}')
    ((event_id, data),) = await stream.said()
    assert (event_id, data.event_id, data.client_id) == (
        emitted.event_id,
        emitted.event_id,
        connected.client_id,
    )
    assert gate.connections.total == 1
    await stream.leave()
    assert gate.connections.total == 0
    assert await list_members(channel="news") == []
    assert rt.hub.groups == {}


@pytest.mark.parametrize("ending", ["drain", "kick"])
async def test_the_server_ends_it_properly(rt: Runtime, ending):
    stream = Stream()
    await stream.open()
    ((_, connected),) = await stream.said()
    if ending == "drain":
        rt.drain()
    else:
        await asyncio.to_thread(kick, channel="news", client_id=connected.client_id)
    await stream.ended()
    assert await list_members(channel="news") == []


@pytest.mark.parametrize("how", ["header", "parameter"])
@pytest.mark.django_db(transaction=True)
async def test_it_resumes_after_the_last_event(rt: Runtime, how):
    allow(rt, history_size=10)
    ids = [(await say(b"%d" % n)).event_id for n in range(3)]
    stream = Stream(last_event_id=ids[0]) if how == "header" else Stream(f"since={ids[0]}")
    await stream.open()
    said = await stream.said()
    assert [event_id for event_id, _ in said] == ["", *ids[1:]]
    await stream.leave()


async def test_comments_keep_it_open(settings, rt: Runtime):
    settings.BROADCAST_PING_INTERVAL_S = 0.05
    stream = Stream()
    await stream.open()
    await stream.said()
    assert [(await stream.next())["body"] for _ in range(2)] == [b": still here\n\n"] * 2
    await stream.leave()


async def test_a_slow_reader_is_let_go(rt: Runtime, monkeypatch):
    monkeypatch.setattr(outlet_module, "MAX_BACKLOG_MESSAGES", 3)
    stream = Stream()
    await stream.open()
    await stream.said()
    stream.reading.clear()
    for n in range(6):
        await say(b"%d" % n)
        rt.hub.flush()
    async with asyncio.timeout(5):
        while await list_members(channel="news"):
            await asyncio.sleep(0.001)
    assert rt.hub.groups == {}
    stream.reading.set()
    await stream.leave()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example", "host": "testserver"}, 403),
        ({"origin": "http://testserver", "host": "testserver"}, 200),
        ({"host": "testserver"}, 200),
    ],
)
async def test_foreign_pages(headers, status):
    stream = Stream(method="HEAD", **headers)
    assert (await stream.next())["status"] == status
    await asyncio.wait_for(stream.task, 5)


async def test_refused_by_policy_and_by_number(rt: Runtime, settings):
    settings.MAX_CONNECTIONS = 0
    stream = Stream()
    assert (await stream.next())["status"] == 503
    allow(rt, listen="closed")
    stream = Stream()
    assert (await stream.next())["status"] == 403
    await asyncio.wait_for(stream.task, 5)


async def test_a_bug_while_joining_ends_the_stream_and_is_logged(rt: Runtime, monkeypatch, caplog):
    async def broken(*arguments: Any, **options: Any) -> Any:
        raise LookupError("a bug")

    monkeypatch.setattr(rt.presence, "join", broken)
    stream = Stream()
    await stream.open()
    await asyncio.wait([stream.task], timeout=5)
    assert stream.task.exception() is None
    starts = 0
    while not stream.outgoing.empty():
        starts += (await stream.next())["type"] == "http.response.start"
    assert starts == 0  # the status is out already: a second one would be an error of the server's
    assert "Traceback" in caplog.text or "LookupError" in caplog.text
    assert gate.connections.total == 0
    assert rt.hub.groups == {}

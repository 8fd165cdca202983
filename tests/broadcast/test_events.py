"""What happened, as messages: read back by the client's side of the protocol."""

from typing import Any

import pytest
from msgspec import Raw

from broadcast import events
from broadcast.protocol import client, messages
from realtime.errors import InternalError, ProtocolViolation, Refused
from realtime.presence import Member


def read(head: bytes | None) -> client.Delivery:
    assert head is not None
    return client.decode((head + b'client_1","latency":7}').decode())


def test_groups_and_channels():
    assert events.channel_of(events.group_of("a:b~c")) == "a:b~c"
    assert events.group_of("x").startswith(events.ROOM_PREFIX)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (events.data(b"[1]", "evt_1", requires_ack=True), messages.Data(Raw(b"[1]"), requires_ack=True)),
        (
            events.connected(
                [Member("client_2", "p", {"presence": {"n": 1}}), Member("client_3", "p")], None
            ),
            messages.Connected([messages.Member("client_2", {"n": 1}), messages.Member("client_3", {})]),
        ),
        (events.connected([], 2000), messages.Connected([], 2000)),
        (
            events.presence_change("joined", "client_2", {"n": 1}, "evt_1"),
            messages.PresenceJoined("client_2", {"n": 1}),
        ),
        (events.presence_change("left", "client_2", {}, "evt_1"), messages.PresenceLeft("client_2")),
        (
            events.presence_change("updated", "client_2", {}, "evt_1"),
            messages.PresenceUpdated("client_2", {}),
        ),
        (events.ping(), messages.Ping()),
        (
            events.error(ProtocolViolation("MALFORMED", "no")),
            messages.Error("no", messages.ErrorCode.MALFORMED),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_is_read_back(head, message):
    delivery = read(head)
    assert delivery.message == message
    assert delivery.event_id.startswith("evt_")
    assert (delivery.client_id, delivery.latency_ms) == ("client_1", 7)


def test_a_gap_is_an_error_of_its_own():
    message: Any = read(events.history_gap()).message
    assert message.code == messages.ErrorCode.HISTORY_GAP


@pytest.mark.parametrize("problem", [InternalError("secret"), Refused("NOT_OF_THE_PROTOCOL", "no")])
def test_what_the_protocol_has_no_words_for_is_not_said(problem):
    assert events.error(problem) is None


def test_who_can_acknowledge():
    assert events.can_acknowledge(Member("c", "p", {"transport": "ws"}))
    assert not events.can_acknowledge(Member("c", "p", {"transport": "sse"}))
    assert not events.can_acknowledge(Member("c", "p"))

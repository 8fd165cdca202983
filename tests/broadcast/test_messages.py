"""The structs: frozen, named on the wire as the document names them, and limits that fit together."""

from typing import get_args

import msgspec
import pytest

from broadcast.protocol import messages
from broadcast.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_PRESENCE_BYTES,
    Ack,
    ClientMessage,
    Connected,
    Data,
    Error,
    ErrorCode,
    Member,
    Ping,
    Pong,
    Presence,
    PresenceJoined,
    PresenceLeft,
    PresenceUpdated,
    ServerMessage,
)

SHOWN = {"username": "Cerulean"}


@pytest.mark.parametrize(
    ("message", "type_", "payload"),
    [
        (Ack("evt_gPVZZQC5"), "ACK", {"eventID": "evt_gPVZZQC5"}),
        (Pong(), "PONG", {}),
        (Ping(), "PING", {}),
        (Connected([]), "CONNECTED", {"members": []}),
        (
            Connected([Member("client_X0JBf69q", SHOWN)]),
            "CONNECTED",
            {"members": [{"clientID": "client_X0JBf69q", "presence": SHOWN}]},
        ),
        (Connected([], count=1_412), "CONNECTED", {"members": [], "count": 1_412}),
        (PresenceJoined("client_a", {}), "PRESENCE:JOINED", {"clientID": "client_a", "presence": {}}),
        (PresenceLeft("client_a"), "PRESENCE:LEFT", {"clientID": "client_a"}),
        (PresenceUpdated("client_a", SHOWN), "PRESENCE:UPDATED", {"clientID": "client_a", "presence": SHOWN}),
        (
            Error("Slow down.", ErrorCode.RATE_LIMITED),
            "ERROR",
            {"message": "Slow down.", "code": "RATE_LIMITED"},
        ),
    ],
)
def test_a_struct_is_its_payload(message, type_, payload):
    assert message.type == type_
    assert msgspec.to_builtins(message) == payload
    assert msgspec.convert(payload, type(message)) == message


@pytest.mark.parametrize("kind", [*get_args(ClientMessage), *get_args(ServerMessage), Member])
def test_a_message_cannot_be_changed(kind):
    assert kind.__struct_config__.frozen


def test_types_are_apart():
    kinds = [*get_args(ClientMessage), *get_args(ServerMessage)]
    assert len({kind.type for kind in kinds}) == len(kinds)


def test_every_message_is_in_a_union_and_exported():
    defined = {
        name
        for name, value in vars(messages).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    }
    unions = {kind.__name__ for kind in (*get_args(ClientMessage), *get_args(ServerMessage))}
    assert defined == unions | {"Member"}
    assert defined <= set(messages.__all__)


def test_data_is_not_acknowledged_unless_asked_for():
    assert Data(msgspec.Raw(b"1")).requires_ack is False
    assert Data(msgspec.Raw(b"1"), True) == Data(msgspec.Raw(b"1"), requires_ack=True)  # noqa: FBT003


def test_presence_fits_into_a_frame():
    assert MAX_PRESENCE_BYTES < MAX_FRAME_BYTES
    assert msgspec.json.encode(Presence({})) == b'{"presence":{}}'

"""The client's side of the wire: what it makes of a server that says something else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from broadcast.protocol import client
from broadcast.protocol.messages import Ack, Data, Ping, Pong, Presence
from realtime.errors import ProtocolViolation


def sent(type_: str, payload: str = "{}") -> str:
    """What a server would send, with whatever stands for its type and payload."""
    envelope = '"eventID":"evt_gPVZZQC5","clientID":"client_fXoSDfqi","latency":0'
    return f'{{"type":"{type_}","payload":{payload},{envelope},"unknown":[]}}'


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Ack("evt_gPVZZQC5"), '{"type":"ACK","payload":{"eventID":"evt_gPVZZQC5"}}'),
        (Pong(), '{"type":"PONG"}'),
        (Presence({"type": "é"}), '{"type":"PRESENCE","payload":{"type":"é"}}'),
    ],
)
def test_encodes_to_the_server(message, wire):
    assert client.encode(message) == wire


def test_passes_over_properties_it_does_not_know():
    assert client.decode(sent("PING", '{"new":1}')) == client.Delivery(
        Ping(), "evt_gPVZZQC5", "client_fXoSDfqi", 0
    )


def test_a_message_without_event_id_is_read():
    wire = '{"type":"DATA","payload":1,"clientID":"client_fXoSDfqi","latency":4}'
    assert client.decode(wire) == client.Delivery(Data(Raw(b"1")), "", "client_fXoSDfqi", 4)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (sent("FUTURE"), "UNKNOWN_TYPE"),
        (sent("ping"), "UNKNOWN_TYPE"),
        (sent("PING", "[]"), "MALFORMED"),
        (sent("CONNECTED"), "MALFORMED"),
        (sent("ERROR", '{"message":"?","code":"?"}'), "MALFORMED"),
        ('{"type":"PING","payload":{}}', "MALFORMED"),
        ('{"type":"PING","clientID":"client_fXoSDfqi","latency":0}', "MALFORMED"),
        ("", "MALFORMED"),
        ("\ud800", "MALFORMED"),
        ("[" * 30_000, "MALFORMED"),
        (sent("DATA", "[" * 30_000), "MALFORMED"),
    ],
)
def test_refuses_what_is_no_message(wire, code):
    with pytest.raises(ProtocolViolation) as caught:
        client.decode(wire)
    assert caught.value.code == code


payloads = st.sampled_from(["{}", "[]", "1", '{"members":[]}', '{"clientID":"client_a","presence":{}}', "{"])
types = st.sampled_from(["DATA", "PING", "CONNECTED", "ERROR", "PRESENCE:LEFT", "PRESENCE:JOINED", "X"])


@given(st.one_of(st.text(), st.builds(sent, types, payloads)))
def test_any_text_gives_a_message_or_a_violation(wire):
    with suppress(ProtocolViolation):
        assert isinstance(client.decode(wire), client.Delivery)

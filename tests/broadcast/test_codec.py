"""The server's side of the wire: every vector in both directions, every example of the document."""

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from broadcast.protocol import client, codec
from broadcast.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_PRESENCE_BYTES,
    Ack,
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
)
from realtime.errors import ProtocolViolation
from realtime.ids import new_client_id, new_event_id
from realtime.wire import encode_json

VECTORS = Path(__file__).parents[1] / "vectors" / "broadcast"
KINDS = {
    kind.type: kind
    for kind in (Ack, Connected, Error, Ping, Pong, PresenceJoined, PresenceLeft, PresenceUpdated)
}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        text,
    ),
    lambda children: st.one_of(st.lists(children, max_size=4), st.dictionaries(text, children, max_size=4)),
    max_leaves=12,
)
presences = st.dictionaries(text, values, max_size=4)
client_ids = st.builds(new_client_id)
members = st.lists(st.builds(Member, client_ids, presences), max_size=3)
server_messages = st.one_of(
    st.builds(Connected, members, st.one_of(st.none(), st.integers(1, 10**6))),
    st.builds(Data, values.map(encode_json).map(Raw), st.booleans()),
    st.builds(Ping),
    st.builds(PresenceJoined, client_ids, presences),
    st.builds(PresenceLeft, client_ids),
    st.builds(PresenceUpdated, client_ids, presences),
    st.builds(Error, text, st.sampled_from(ErrorCode)),
)
client_messages = st.one_of(
    st.builds(Ack, text),
    st.builds(Pong),
    st.builds(Presence, presences.filter(lambda presence: len(encode_json(presence)) <= MAX_PRESENCE_BYTES)),
)


def vectors(name):
    """The entries of one file, for parametrize: those that fail are told by name."""
    entries = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert len({entry["name"] for entry in entries}) == len(entries)
    return [pytest.param(entry, id=entry["name"]) for entry in entries]


def as_message(parsed):
    """The struct for a message in its parsed form."""
    if parsed["type"] == Data.type:
        return Data(Raw(encode_json(parsed["payload"])), parsed["requires_ack"])
    if parsed["type"] == Presence.type:
        return Presence(parsed["payload"])
    return msgspec.convert(parsed.get("payload", {}), KINDS[parsed["type"]])


# --- vectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("server"))
def test_encodes_to_exactly_these_bytes(vector):
    parsed = vector["parsed"]
    wire = codec.encode(as_message(parsed), parsed["eventID"], parsed["clientID"], parsed["latency"])
    assert wire == vector["wire"]
    assert json.loads(wire) == parsed


@pytest.mark.parametrize("vector", vectors("server"))
def test_what_is_sent_is_understood(vector):
    parsed = vector["parsed"]
    assert client.decode(vector["wire"]) == client.Delivery(
        as_message(parsed), parsed["eventID"], parsed["clientID"], parsed["latency"]
    )


@pytest.mark.parametrize("vector", vectors("client"))
def test_decodes_what_clients_send(vector):
    assert codec.decode(vector["wire"]) == as_message(vector["parsed"])


@pytest.mark.parametrize("vector", vectors("client"))
def test_clients_encode_to_the_canonical_form(vector):
    wire = client.encode(as_message(vector["parsed"]))
    assert (wire == vector["wire"]) is vector["canonical"]
    assert codec.decode(wire) == as_message(vector["parsed"])


@pytest.mark.parametrize("vector", vectors("bad"))
def test_bad_input_gets_its_code(vector):
    with pytest.raises(ProtocolViolation) as caught:
        codec.decode(vector["wire"])
    assert caught.value.code == vector["code"]
    assert caught.value.code in list(ErrorCode)


@pytest.mark.parametrize(
    "vector", [entry for entry in vectors("document") if entry.values[0]["direction"] == "server"]
)
def test_the_documents_examples_are_what_we_send(vector):
    """All that is printed, in the document's words, and nothing beside it but the eventID it promises."""
    documented = vector["parsed"]
    ours = json.loads(
        codec.encode(
            as_message(documented),
            documented.get("eventID", "evt_gPVZZQC5"),
            documented["clientID"],
            documented["latency"],
        )
    )
    assert {name: ours[name] for name in documented} == documented
    assert set(ours) - set(documented) <= {"eventID"}
    assert client.decode(encode_json(documented).decode()).message == as_message(documented)


@pytest.mark.parametrize(
    "vector", [entry for entry in vectors("document") if entry.values[0]["direction"] == "client"]
)
def test_the_documents_examples_are_understood_as_printed(vector):
    """Character by character: tabs, line feeds and the comma before the last brace of PONG too."""
    assert codec.decode(vector["printed"]) == as_message(vector["parsed"])


# --- limits ------------------------------------------------------------------------------------


def test_a_frame_of_the_greatest_size_is_read():
    frame = '{"type":"PONG","payload":"%s"}'
    room = MAX_FRAME_BYTES - len(frame % "")
    assert codec.decode(frame % ("x" * room)) == Pong()
    for too_much in ("x" * (room + 1), "x" * (room - 1) + "é", "é" * room):
        with pytest.raises(ProtocolViolation) as caught:
            codec.decode(frame % too_much)
        assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize("decode", [codec.decode_presence, lambda text: codec.decode(presence_frame(text))])
@pytest.mark.parametrize(
    ("filler", "count", "fits"),
    [
        ("x", MAX_PRESENCE_BYTES - 8, True),  # {"x":""} are 8
        ("x", MAX_PRESENCE_BYTES - 7, False),
        ("é", (MAX_PRESENCE_BYTES - 8) // 2, True),
        ("é", (MAX_PRESENCE_BYTES - 8) // 2 + 1, False),
        ("\\u00e9", (MAX_PRESENCE_BYTES - 8) // 2, True),  # an escape counts as what it stands for
    ],
)
def test_presence_is_measured_as_compact_json(decode, filler, count, fits):
    text = '{ "x" : "%s" }' % (filler * count)
    if fits:
        decode(text)
    else:
        with pytest.raises(ProtocolViolation, match="at most 4096 bytes") as caught:
            decode(text)
        assert caught.value.code == "TOO_LARGE"


def presence_frame(presence: str) -> str:
    return '{"type":"PRESENCE","payload":' + presence + "}"


@pytest.mark.parametrize("given_text", ["", "null", "[]", '"x"', "1", "{", '{"a":1,"a":2}', "{\udcff}"])
def test_presence_given_at_connect_follows_the_same_rules(given_text):
    assert codec.decode_presence('{"username":"Cerulean"}') == {"username": "Cerulean"}
    with pytest.raises(ProtocolViolation) as caught:
        codec.decode_presence(given_text)
    assert caught.value.code == "MALFORMED"


# --- heads and tails ---------------------------------------------------------------------------


def test_one_head_serves_every_receiver():
    head = codec.encode_head(Data(Raw(b'{"hello":"world"}'), requires_ack=True), "evt_gPVZZQC5")
    assert head == (
        b'{"type":"DATA","payload":{"hello":"world"},"requires_ack":true,'
        b'"eventID":"evt_gPVZZQC5","clientID":"'
    )
    assert codec.encode_tail("client_fXoSDfqi", 7) == b'client_fXoSDfqi","latency":7}'
    for client_id, latency_ms in (("client_fXoSDfqi", 0), ("client_hp39x_sa", 250)):
        delivery = client.decode((head + codec.encode_tail(client_id, latency_ms)).decode())
        assert (delivery.client_id, delivery.latency_ms) == (client_id, latency_ms)


def test_an_event_id_of_any_kind_stays_inside_its_string():
    head = codec.encode_head(Ping(), 'evt"\\é')
    assert client.decode((head + codec.encode_tail("client_a", 0)).decode()).event_id == 'evt"\\é'


# --- properties --------------------------------------------------------------------------------


@given(server_messages, st.builds(new_event_id), client_ids, st.integers(0, 10**6))
def test_a_client_reads_what_the_server_sends(message, event_id, client_id, latency_ms):
    wire = codec.encode(message, event_id, client_id, latency_ms)
    assert client.decode(wire) == client.Delivery(message, event_id, client_id, latency_ms)
    parsed = json.loads(wire)
    assert list(parsed)[:2] == ["type", "payload"]
    assert list(parsed)[-3:] == ["eventID", "clientID", "latency"]
    assert ("requires_ack" in parsed) is (type(message) is Data)
    assert "\n" not in wire  # it fits a line of a server-sent event


@given(client_messages)
def test_the_server_reads_what_a_client_sends(message):
    wire = client.encode(message)
    assert codec.decode(wire) == message
    assert json.loads(wire)["type"] == message.type


@given(client_messages, st.data())
def test_the_case_of_the_type_does_not_matter(message, data):
    frame = json.loads(client.encode(message))
    frame["type"] = "".join(
        letter.lower() if data.draw(st.booleans()) else letter for letter in frame["type"]
    )
    assert codec.decode(json.dumps(frame)) == message


frames = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(st.sampled_from(["ACK", "PONG", "PRESENCE", "DATA"]), values),
        "payload": values,
    },
).map(json.dumps)


@given(st.one_of(st.text(), frames, values.map(json.dumps)))
def test_any_text_gives_a_message_or_a_violation(wire):
    with suppress(ProtocolViolation):
        assert isinstance(codec.decode(wire), Ack | Pong | Presence)
    with suppress(ProtocolViolation):
        assert isinstance(codec.decode_presence(wire), dict)


@given(client_messages, st.data())
def test_any_damage_gives_a_message_or_a_violation(message, data):
    wire = client.encode(message)
    start = data.draw(st.integers(0, len(wire)))
    end = data.draw(st.integers(start, min(len(wire), start + 3)))
    with suppress(ProtocolViolation):
        codec.decode(wire[:start] + data.draw(st.text(max_size=3)) + wire[end:])

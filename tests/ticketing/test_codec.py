"""The server's side of the wire: every vector in both directions, every string of the document."""

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolViolation
from ticketing.protocol import client, codec, messages
from ticketing.protocol.messages import (
    ERROR_TEXTS,
    MAX_FRAME_BYTES,
    Accept,
    Accepted,
    Call,
    Cancel,
    Cancelled,
    Complete,
    Completed,
    Failure,
    Line,
    NameFound,
    New,
    Pick,
    Picked,
    Query,
    Ready,
    SignedOut,
    TableCancelled,
    TableClaimed,
    TableCompleted,
    TablePicked,
    TableState,
    TableUnpicked,
    Taken,
    Ticket,
    TicketClaimed,
    TicketCreated,
    TicketNew,
    TicketState,
    Unpick,
    Unpicked,
    failure,
    ticket,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "ticketing"
DECODERS = {"staff": codec.decode_staff, "kiosk": codec.decode_kiosk, "display": codec.decode_display}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
words = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=20)
# Without a line break at the end, which stands for the end of the line.
lasts = texts.filter(lambda text: not text.endswith(("\n", "\r")))
ids = st.integers(0, 10**18 - 1)
tables = st.integers(0, 9_999)
times = st.one_of(st.none(), st.integers(0, 2**33))
tickets = st.builds(ticket, id=ids, email=texts, name=texts, staff=texts, start=times, end=times)
states = st.fixed_dictionaries(
    {"id": ids, "label": texts, "state": st.sampled_from(["waiting", "serving", "completed"])},
    optional={"name": texts, "table": st.one_of(st.none(), tables)},
)
answers = st.one_of(
    st.builds(Taken, st.lists(tables, max_size=6).map(tuple)),
    st.builds(TicketNew, tickets),
    st.builds(TicketClaimed, tickets),
    st.builds(TicketCreated, tickets),
    st.builds(Picked, tables.map(str)),
    *(st.builds(kind, ids) for kind in (Accepted, Cancelled, Completed)),
    st.builds(NameFound, texts),
    *(st.builds(kind, tables) for kind in (TablePicked, TableUnpicked, TableCompleted, TableCancelled)),
    *(st.builds(kind, tables, ids) for kind in (TableClaimed, Call)),
    *(st.builds(kind) for kind in (Unpicked, Ready, SignedOut)),
    st.builds(TicketState, states),
    st.builds(TableState, tables, texts, st.sampled_from(["off", "offline", "paused", "free", "serving"])),
    st.builds(Line, st.integers(0, 10**6), st.one_of(st.none(), st.integers(0, 10**6))),
    st.sampled_from(sorted(ERROR_TEXTS)).map(lambda key: failure(*key)),
)
staff_commands = st.one_of(
    st.builds(Pick, words, lasts.filter(bool)),
    st.builds(Unpick),
    *(st.builds(kind, st.one_of(st.none(), ids)) for kind in (Accept, Cancel, Complete)),
)
kiosk_commands = st.one_of(
    st.builds(Query, lasts.filter(bool)),
    st.builds(New, words, lasts, st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True))),
)


def vectors(name, **wanted):
    """The entries of one file, for parametrize: those that fail are told by name."""
    entries = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert len({entry["name"] for entry in entries}) == len(entries)
    found = [entry for entry in entries if wanted.items() <= entry.items()]
    assert found
    return [pytest.param(entry, id=entry["name"]) for entry in found]


def as_message(parsed):
    """The struct for a message in its parsed form."""
    fields = {name: value for name, value in parsed.items() if name != "kind"}
    return msgspec.convert(fields, getattr(messages, parsed["kind"]))


# --- vectors -----------------------------------------------------------------------------------

FROM_SERVER = [*vectors("document", direction="server"), *vectors("server")]
FROM_CLIENT = [*vectors("document", direction="client"), *vectors("client")]


@pytest.mark.parametrize("vector", FROM_SERVER)
def test_encodes_to_exactly_these_bytes(vector):
    assert codec.encode(as_message(vector["parsed"])) == vector["wire"].encode()


@pytest.mark.parametrize("vector", FROM_SERVER)
def test_what_is_sent_is_understood(vector):
    assert client.decode(vector["wire"].encode()) == as_message(vector["parsed"])


@pytest.mark.parametrize(
    "vector", [entry for entry in FROM_SERVER if entry.values[0]["parsed"]["kind"] == "Failure"]
)
def test_a_refusal_gets_its_text(vector):
    assert codec.encode(failure(*vector["refusal"])) == vector["wire"].encode()


def test_every_text_of_an_error_is_a_vector():
    told = {tuple(entry.values[0]["refusal"]) for entry in FROM_SERVER if "refusal" in entry.values[0]}
    assert {key for key in ERROR_TEXTS if key[0]} <= told
    assert {code for verb, code in ERROR_TEXTS if not verb} <= {code for _, code in told}


@pytest.mark.parametrize("vector", vectors("document"))
def test_the_document_is_followed_to_the_letter(vector):
    """A printed string is what goes over the wire; only braces with a word stand for something."""
    values = {
        "{id}": "0",
        "{table}": "0",
        "{name}": "Example Name",
        "{jsonEncodedTicket}": codec.encode(
            TicketNew(ticket(id=0, email="example@example.com", name="Example Name", start=1_569_903_139))
        )
        .decode()
        .removeprefix("new "),
    }
    printed = vector["printed"]
    for placeholder, value in values.items():
        printed = printed.replace(placeholder, value)
    assert printed == vector["wire"]


@pytest.mark.parametrize("vector", FROM_CLIENT)
def test_decodes_what_clients_send(vector):
    assert DECODERS[vector["socket"]](vector["wire"]) == as_message(vector["parsed"])


@pytest.mark.parametrize("vector", FROM_CLIENT)
def test_clients_encode_to_the_canonical_form(vector):
    wire = client.encode(as_message(vector["parsed"]))
    assert (wire == vector["wire"]) is vector.get("canonical", True)
    assert DECODERS[vector["socket"]](wire) == as_message(vector["parsed"])


@pytest.mark.parametrize("vector", vectors("bad"))
def test_bad_input_gets_its_answer(vector):
    with pytest.raises(codec.CommandViolation) as caught:
        DECODERS[vector["socket"]](vector["wire"])
    assert caught.value.code == vector["code"]
    answer = failure(caught.value.verb, caught.value.code)
    assert codec.encode(answer) == vector["answer"].encode()
    assert client.decode(vector["answer"]) == answer
    assert caught.value.message in ERROR_TEXTS.values()  # fit for a log: nothing of what was sent


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@pytest.mark.parametrize("filler", ["x", "é", "😀"])
def test_a_frame_is_measured_in_bytes(decode, filler):
    longest = "x " + filler * ((MAX_FRAME_BYTES - 2) // len(filler.encode()))
    with pytest.raises(codec.CommandViolation) as caught:
        decode(longest)
    assert caught.value.code == "UNKNOWN_COMMAND"
    with pytest.raises(codec.CommandViolation) as caught:
        decode(longest + "xxx")
    assert codec.encode(failure(caught.value.verb, caught.value.code)) == b"error message too large"


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@pytest.mark.parametrize("wire", ["\ud800", "pick 0 \udfff", "new a@b.example \ud800", "\udc80 x"])
def test_half_of_a_surrogate_pair_is_no_text(decode, wire):
    with pytest.raises(codec.CommandViolation) as caught:
        decode(wire)
    assert codec.encode(failure(caught.value.verb, caught.value.code)) == b"error message must be text"


# --- properties --------------------------------------------------------------------------------


@given(answers)
def test_a_client_reads_what_the_server_sends(message):
    assert client.decode(codec.encode(message)) == message
    assert client.decode(codec.encode(message).decode()) == message


@given(tickets)
def test_a_ticket_is_one_line_of_compact_json(shown):
    wire = codec.encode(TicketNew(shown)).decode()
    assert "\n" not in wire
    assert list(json.loads(wire.removeprefix("new "))) == list(Ticket.__struct_fields__)
    assert wire == "new " + json.dumps(
        json.loads(wire.removeprefix("new ")), separators=(",", ":"), ensure_ascii=False
    )


@given(staff_commands)
def test_the_server_reads_what_staff_send(command):
    assert codec.decode_staff(client.encode(command)) == command


@given(kiosk_commands)
def test_the_server_reads_what_kiosks_send(command):
    assert codec.decode_kiosk(client.encode(command)) == command


verbs = st.sampled_from(["pick", "unpick", "accept", "cancel", "complete", "new", "query", "once", ""])
arguments = st.lists(st.one_of(texts, st.just(""), ids.map(str), verbs), max_size=4)
lines = st.builds(lambda verb, rest: " ".join([verb, *rest]), verbs, arguments)


@given(st.one_of(st.text(st.characters()), lines), st.sampled_from(sorted(DECODERS)))
def test_any_text_gives_a_command_or_a_violation_with_an_answer(wire, socket):
    try:
        command = DECODERS[socket](wire)
    except codec.CommandViolation as violation:
        answer = codec.encode(failure(violation.verb, violation.code))
        assert answer.startswith(b"error ")
        assert isinstance(client.decode(answer), Failure)
    else:
        kinds = {"staff": Pick | Unpick | Accept | Cancel | Complete, "kiosk": New | Query}
        assert isinstance(command, kinds[socket])


@given(st.one_of(staff_commands, kiosk_commands), st.data())
def test_any_damage_gives_a_command_or_a_violation(command, data):
    wire = client.encode(command)
    start = data.draw(st.integers(0, len(wire)))
    end = data.draw(st.integers(start, min(len(wire), start + 3)))
    damaged = wire[:start] + data.draw(st.text(max_size=3)) + wire[end:]
    for decode in DECODERS.values():
        with suppress(ProtocolViolation):
            decode(damaged)

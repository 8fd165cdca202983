"""The client's side of the wire: a server that says something else, and what lines add up to."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolViolation
from ticketing.protocol.client import DisplayView, StaffView, decode, encode
from ticketing.protocol.codec import encode as encode_answer
from ticketing.protocol.messages import (
    Accept,
    Cancel,
    Complete,
    Failure,
    Line,
    New,
    Pick,
    Query,
    TableState,
    Taken,
    TicketClaimed,
    TicketNew,
    Unpick,
    ticket,
)

START = 1_569_903_139


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (Pick("0", "abc"), "pick 0 abc"),
        (Unpick(), "unpick"),
        (Accept(0), "accept 0"),
        (Cancel(17), "cancel 17"),
        (Complete(None), "complete ?"),
        (New("a@b.example", "Zoë Z"), "new a@b.example Zoë Z"),
        (New("a@b.example", ""), "new a@b.example"),
        (New("a@b.example", "Zoë", "Zq1_mB4f"), "once Zq1_mB4f new a@b.example Zoë"),
        (Query("a@b.example"), "query a@b.example"),
    ],
)
def test_encodes_to_the_server(command, wire):
    assert encode(command) == wire


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "UNKNOWN_COMMAND"),
        ("later 1", "UNKNOWN_COMMAND"),
        ("TAKEN", "UNKNOWN_COMMAND"),
        ("success", "UNKNOWN_COMMAND"),
        ("success accept 1", "UNKNOWN_COMMAND"),
        ("success taken", "UNKNOWN_COMMAND"),
        ("error", "MALFORMED"),
        ("error ", "MALFORMED"),
        ("error accept", "MALFORMED"),
        ("taken 0  3", "MALFORMED"),
        ("taken x", "MALFORMED"),
        ("taken ٣", "MALFORMED"),
        ("new", "MALFORMED"),
        ("new 1", "MALFORMED"),
        ('new {"id":0}', "MALFORMED"),
        ('new {"id":"0","email":"","name":"","staff":"{}","start":"","end":""}', "MALFORMED"),
        ("claimed", "MALFORMED"),
        ("claimed 0", "MALFORMED"),
        ("claimed 0 1 2", "MALFORMED"),
        ("claimed 0 -1", "MALFORMED"),
        ("claimed {", "MALFORMED"),
        ("pick", "MALFORMED"),
        ("pick window", "MALFORMED"),
        ("success pick", "MALFORMED"),
        ("success unpick 1", "MALFORMED"),
        ("success claimed x", "MALFORMED"),
        ("success new {}", "MALFORMED"),
        ("ticket []", "MALFORMED"),
        ('table {"number":0,"name":"","state":"gone"}', "MALFORMED"),
        ("line {}", "MALFORMED"),
        ("line " + "[" * 30_000, "MALFORMED"),
        ("call 1", "MALFORMED"),
        ("ready now", "MALFORMED"),
        ("success claimed " + "9" * 5_000, "MALFORMED"),
        (b"new \xff", "MALFORMED"),
    ],
)
def test_refuses_what_is_no_message(line, code):
    with pytest.raises(ProtocolViolation) as caught:
        decode(line)
    assert caught.value.code == code


heads = st.sampled_from(
    ["taken", "new", "claimed", "pick", "error", "ticket", "table", "line", "call", "ready", "success new"]
)
rests = st.one_of(st.text(max_size=20), st.sampled_from(["0", "0 1", "{}", "[]", '{"id":0}', "null"]))


@given(st.one_of(st.text(st.characters()), st.binary(), st.builds("{} {}".format, heads, rests)))
def test_any_line_gives_a_message_or_a_violation(line):
    with suppress(ProtocolViolation):
        assert decode(line).type


# --- staff -------------------------------------------------------------------------------------


def new(ticket_id: int) -> bytes:
    return encode_answer(TicketNew(ticket(id=ticket_id, email="a@b.example", name="Zoë", start=START)))


def claimed(ticket_id: int) -> bytes:
    shown = ticket(id=ticket_id, email="a@b.example", name="Zoë", staff="Ana", start=START)
    return encode_answer(TicketClaimed(shown))


def staff_after(*lines: str | bytes) -> StaffView:
    view = StaffView()
    for line in lines:
        view.apply(line)
    return view


def test_the_line_is_what_came_and_did_not_go():
    view = staff_after("taken 2", "success pick 0", new(1), new(2), claimed(1), new(3), "success claimed 2")
    assert (view.table, view.taken, list(view.waiting)) == ("0", (2,), [3])
    view.apply(new(2))  # released
    assert sorted(view.waiting) == [2, 3]
    view.apply("success complete 9")
    view.apply("success cancel 8")
    assert sorted(view.waiting) == [2, 3]


@pytest.mark.parametrize("line", ["success unpick", "taken", "taken 0 3", "signed-out"])
def test_without_a_table_nothing_is_known_of_visitors(line):
    view = staff_after("success pick 0", new(1), 'ticket {"id":1,"state":"waiting"}', line)
    assert (view.table, view.waiting, view.tickets) == (None, {}, {})
    assert view.signed_out is (line == "signed-out")


def test_a_table_picked_anew_brings_the_line_anew():
    view = staff_after("success pick 0", new(1), new(2), "ready", "success pick 3", new(2))
    assert (view.table, list(view.waiting), view.ready) == ("3", [2], False)
    assert staff_after("success pick 0", "ready").ready


def test_refusals_change_nothing():
    view = staff_after("success pick 0", new(1), "error accept this ticket is now claimed")
    assert view.failures == [Failure("accept", "this ticket is now claimed")]
    assert (view.table, list(view.waiting)) == ("0", [1])


def test_pages_know_more():
    view = staff_after(
        "taken",
        'table {"number":3,"name":"","state":"offline"}',
        'line {"waiting":1,"estimate_s":null}',
        "success pick 3",
        'ticket {"id":1,"state":"waiting"}',
        'ticket {"id":2,"state":"serving"}',
        'table {"number":3,"name":"","state":"free"}',
        'ticket {"id":1,"state":"serving"}',
        'ticket {"id":2,"state":"no_show"}',
    )
    assert view.tickets == {1: {"id": 1, "state": "serving"}}
    assert view.tables == {3: TableState(3, "", "free")}
    assert view.line == Line(1, None)


# --- displays ----------------------------------------------------------------------------------


def display_after(*lines: str) -> DisplayView:
    view = DisplayView()
    for line in lines:
        view.apply(line)
    return view


@pytest.mark.parametrize("end", ["complete", "cancel"])
def test_a_table_is_offline_free_or_shows_a_ticket(end):
    view = display_after("pick 0", "pick 3", "claimed 3 7")
    assert view.tables == {0: None, 3: 7}
    view.apply(f"{end} 3")
    assert view.tables == {0: None, 3: None}
    view.apply("claimed 3 6")
    view.apply("claimed 3 8")
    view.apply("unpick 0")
    view.apply("unpick 5")
    assert view.tables == {3: 8}
    view.apply("unpick 3")
    view.apply("pick 3")
    assert view.tables == {3: None}


def test_displays_of_our_own_read_labels_and_say_calls():
    view = display_after(
        'table {"number":3,"name":"Counter","state":"free"}',
        "pick 3",
        'line {"waiting":0,"estimate_s":60}',
        "ready",
        'ticket {"id":7,"label":"A-017","table":3}',
        "claimed 3 7",
        "call 3 7",
    )
    assert view.shown() == {3: "A-017"}
    assert (view.calls, view.ready, view.line) == ([(3, 7)], True, Line(0, 60))
    assert view.states == {3: TableState(3, "Counter", "free")}
    view.apply("claimed 3 8")
    view.apply("pick 1")
    assert view.shown() == {3: "8", 1: None}


def test_a_view_says_what_it_was_told():
    assert StaffView().apply("taken 1") == Taken((1,))
    with pytest.raises(ProtocolViolation):
        DisplayView().apply("later")

"""The structs of the messages: made as said, each in its union, every error with its text."""

from typing import get_args

import msgspec
import pytest

from ticketing.protocol import messages
from ticketing.protocol.messages import (
    EPOCH,
    ERROR_TEXTS,
    DisplayMessage,
    ErrorCode,
    Failure,
    KioskCommand,
    KioskMessage,
    ServerMessage,
    StaffCommand,
    StaffMessage,
    Ticket,
    failure,
    format_time,
    ticket,
)

COMMANDS = {*get_args(StaffCommand), *get_args(KioskCommand)}
ANSWERS = set(get_args(ServerMessage))


def exported() -> set[type[msgspec.Struct]]:
    found = [getattr(messages, name) for name in messages.__all__]
    return {value for value in found if isinstance(value, type) and issubclass(value, msgspec.Struct)}


def test_every_message_is_in_a_union():
    assert exported() == COMMANDS | ANSWERS | {Ticket}
    assert {*get_args(StaffMessage), *get_args(KioskMessage), *get_args(DisplayMessage)} == ANSWERS


@pytest.mark.parametrize("kind", sorted(exported(), key=lambda kind: kind.__name__))
def test_a_message_cannot_be_changed(kind):
    assert kind.__struct_config__.frozen


@pytest.mark.parametrize(
    "union", [StaffCommand, KioskCommand, StaffMessage, KioskMessage, DisplayMessage], ids=repr
)
def test_what_is_said_on_one_socket_begins_differently(union):
    kinds = get_args(union)
    assert len({kind.type for kind in kinds}) == len(kinds)


def test_a_ticket_has_the_documents_keys_in_their_order():
    made = ticket(id=0, email="example@example.com", name="Example Name", start=1_569_903_139)
    assert msgspec.json.encode(made) == (
        b'{"id":0,"email":"example@example.com","name":"Example Name","staff":"{}",'
        b'"start":"2019-10-01T04:12:19Z","end":"1970-01-01T00:00:00Z"}'
    )
    assert ticket(id=1, email="", name="", staff="Ana", start=1, end=2) == Ticket(
        1, "", "", "Ana", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"
    )
    assert ticket(id=1, email="", name="") == Ticket(1, "", "", "{}", EPOCH, EPOCH)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, EPOCH),
        (0, EPOCH),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (4_102_444_800, "2100-01-01T00:00:00Z"),
    ],
)
def test_times_are_whole_seconds_of_utc(seconds, text):
    assert format_time(seconds) == text


def test_every_code_has_a_text():
    assert {code for _, code in ERROR_TEXTS} == set(ErrorCode)


@pytest.mark.parametrize("code", ["UNKNOWN_COMMAND", "MISSING_ARGUMENTS", "UNAVAILABLE"])
@pytest.mark.parametrize("verb", ["", "dance", "accept", "message"])
def test_some_errors_come_with_any_verb(verb, code):
    assert failure(verb, code) == Failure(verb, ERROR_TEXTS["", code])


def test_the_error_that_the_document_prints_without_verb():
    assert failure("pick", "TABLE_UNAVAILABLE") == Failure("", "the chosen table is not available")
    assert failure("pick", "TOKEN_INVALID").verb == "pick"


@pytest.mark.parametrize(("verb", "code"), [("cancel", "TOKEN_INVALID"), ("dance", "NO_TABLE"), ("", "?")])
def test_a_failure_that_no_command_has_is_our_mistake(verb, code):
    with pytest.raises(KeyError):
        failure(verb, code)

"""The wire form of the ticket desk's protocol, the server's side: decode commands, encode the rest.

A command is a verb, then its arguments, apart by one space each; the last argument takes all that is left,
spaces too. An argument that is empty is missing. `ticketing.protocol.client` is the other side.
The page is ``docs/protocols/ticketing.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NoReturn, TypeVar

from msgspec import Struct

from realtime.errors import ProtocolViolation
from realtime.wire import encode_json
from ticketing.protocol.messages import (
    MAX_FRAME_BYTES,
    Accept,
    Accepted,
    Call,
    Cancel,
    Cancelled,
    Complete,
    Completed,
    ErrorCode,
    Failure,
    KioskCommand,
    Line,
    NameFound,
    New,
    Pick,
    Picked,
    Query,
    ServerMessage,
    StaffCommand,
    TableCancelled,
    TableClaimed,
    TableCompleted,
    TablePicked,
    TableState,
    TableUnpicked,
    Taken,
    TicketClaimed,
    TicketCreated,
    TicketNew,
    TicketState,
    Unpick,
    failure,
)

__all__ = ["CommandViolation", "decode_display", "decode_kiosk", "decode_staff", "encode"]

_Command = TypeVar("_Command")
_Readers = Mapping[str, Callable[[str], _Command]]


class CommandViolation(ProtocolViolation):
    """A line that is no command. Answer with ``failure(error.verb, error.code)``, go on.

    Attributes:
        verb: what the answer names, as the client sent it; "" where it sent none.
    """

    def __init__(self, verb: str, code: ErrorCode) -> None:
        super().__init__(code, failure(verb, code).text)
        self.verb = verb


def decode_staff(text: str) -> StaffCommand:
    """The command in one text frame of staff.

    Raises:
        CommandViolation: anything else. Nothing else is ever raised.
    """
    return _decode(text, _STAFF)


def decode_kiosk(text: str) -> KioskCommand:
    """The command in one text frame of a kiosk. What address and name are worth is not looked at.

    Raises:
        CommandViolation: anything else. Nothing else is ever raised.
    """
    return _decode(text, _KIOSK)


def decode_display(text: str) -> NoReturn:
    """Displays have no commands.

    Raises:
        CommandViolation: always.
    """
    _decode(text, _DISPLAY)
    raise AssertionError  # there is no reader that could have returned


def encode(message: ServerMessage) -> bytes:
    """The text of a message, in UTF-8."""
    writer = _WRITERS.get(type(message))
    # Those without arguments are what they begin with.
    return message.type.encode() if writer is None else writer(message)


# --- commands ----------------------------------------------------------------------------------


def _decode(text: str, readers: _Readers[_Command]) -> _Command:
    verb, _, rest = _bounded(text).partition(" ")
    reader = readers.get(verb)
    if reader is None:
        raise CommandViolation(verb, ErrorCode.UNKNOWN_COMMAND)
    return reader(rest)


def _bounded(text: str) -> str:
    """`text`, if it is not too long, without the line break that some tools send at the end."""
    try:
        if len(text) > MAX_FRAME_BYTES or len(text.encode()) > MAX_FRAME_BYTES:
            raise CommandViolation("message", ErrorCode.TOO_LARGE)
    except UnicodeEncodeError:  # half of a surrogate pair: no text that UTF-8 could carry
        raise CommandViolation("message", ErrorCode.MALFORMED) from None
    return text.removesuffix("\n").removesuffix("\r")


def _read_pick(rest: str) -> Pick:
    table, _, token = rest.partition(" ")
    if not table or not token:
        raise CommandViolation(Pick.type, ErrorCode.MISSING_ARGUMENTS)
    return Pick(table, token)


def _read_unpick(rest: str) -> Unpick:
    if rest:
        raise CommandViolation(Unpick.type, ErrorCode.TOO_MANY_ARGUMENTS)
    return Unpick()


def _read_accept(rest: str) -> Accept:
    return Accept(_read_ticket_id(Accept.type, rest))


def _read_cancel(rest: str) -> Cancel:
    return Cancel(_read_ticket_id(Cancel.type, rest))


def _read_complete(rest: str) -> Complete:
    return Complete(_read_ticket_id(Complete.type, rest))


def _read_ticket_id(verb: str, rest: str) -> int | None:
    if not rest:
        raise CommandViolation(verb, ErrorCode.MISSING_ARGUMENTS)
    return int(rest) if _is_number(rest) else None


def _read_new(rest: str, key: str | None = None) -> New:
    email, _, name = rest.partition(" ")
    if not email:
        raise CommandViolation(New.type, ErrorCode.MISSING_ARGUMENTS)
    return New(email, name, key)


def _read_query(rest: str) -> Query:
    if not rest:
        raise CommandViolation(Query.type, ErrorCode.MISSING_ARGUMENTS)
    return Query(rest)


def _read_once(rest: str) -> New:
    key, _, command = rest.partition(" ")
    if not key or not command:
        raise CommandViolation(_ONCE, ErrorCode.MISSING_ARGUMENTS)
    if not _is_key(key):
        raise CommandViolation(_ONCE, ErrorCode.KEY_INVALID)
    verb, _, arguments = command.partition(" ")
    if verb != New.type:
        raise CommandViolation(_ONCE, ErrorCode.UNKNOWN_COMMAND)
    return _read_new(arguments, key)


_ONCE: Final = "once"
# Every number that fits fits into the 64 bits that a database keeps.
_is_number: Final = re.compile(r"[0-9]{1,18}").fullmatch
_is_key: Final = re.compile(r"[A-Za-z0-9_-]{8,64}").fullmatch

_STAFF: Final[_Readers[StaffCommand]] = {
    Pick.type: _read_pick,
    Unpick.type: _read_unpick,
    Accept.type: _read_accept,
    Cancel.type: _read_cancel,
    Complete.type: _read_complete,
}
_KIOSK: Final[_Readers[KioskCommand]] = {New.type: _read_new, Query.type: _read_query, _ONCE: _read_once}
_DISPLAY: Final[_Readers[NoReturn]] = {}


# --- everything else ---------------------------------------------------------------------------


def _write_taken(message: Taken) -> bytes:
    return " ".join([message.type, *map(str, message.tables)]).encode()


def _write_ticket(message: TicketNew | TicketClaimed | TicketCreated) -> bytes:
    return b"%b %b" % (message.type.encode(), encode_json(message.ticket))


def _write_ticket_id(message: Accepted | Cancelled | Completed) -> bytes:
    return f"{message.type} {message.ticket_id}".encode()


def _write_table(
    message: Picked | TablePicked | TableUnpicked | TableCompleted | TableCancelled,
) -> bytes:
    return f"{message.type} {message.table}".encode()


def _write_table_and_ticket_id(message: TableClaimed | Call) -> bytes:
    return f"{message.type} {message.table} {message.ticket_id}".encode()


def _write_name(message: NameFound) -> bytes:
    return f"{message.type} {message.name}".encode()


def _write_failure(message: Failure) -> bytes:
    verb = f"{message.verb} " if message.verb else ""
    return f"{message.type} {verb}{message.text}".encode()


def _write_fields(message: TicketState) -> bytes:
    return b"%b %b" % (message.type.encode(), encode_json(message.fields))


def _write_struct(message: TableState | Line) -> bytes:
    return b"%b %b" % (message.type.encode(), encode_json(message))


# What a writer takes is its kind alone, which the type of a mapping cannot say.
_WRITERS: Final[Mapping[type[Struct], Callable[..., bytes]]] = {
    Taken: _write_taken,
    TicketNew: _write_ticket,
    TicketClaimed: _write_ticket,
    TicketCreated: _write_ticket,
    Picked: _write_table,
    Accepted: _write_ticket_id,
    Cancelled: _write_ticket_id,
    Completed: _write_ticket_id,
    NameFound: _write_name,
    TablePicked: _write_table,
    TableUnpicked: _write_table,
    TableCompleted: _write_table,
    TableCancelled: _write_table,
    TableClaimed: _write_table_and_ticket_id,
    Call: _write_table_and_ticket_id,
    Failure: _write_failure,
    TicketState: _write_fields,
    TableState: _write_struct,
    Line: _write_struct,
}

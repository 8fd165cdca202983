"""The wire form of the ticket desk's protocol, the client's side, and what a client then knows.

`encode` writes commands, `decode` reads the server's lines, and the views say what lines applied in
order add up to: `StaffView` what a socket of staff knows, `DisplayView` what a display shows. Tests and
the load generator use them; `codec` is the other side. The page is ``docs/protocols/ticketing.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from realtime.errors import ProtocolViolation
from ticketing.protocol.messages import (
    ERROR_TEXTS,
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
    Ready,
    ServerMessage,
    SignedOut,
    StaffCommand,
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
)

__all__ = ["DisplayView", "StaffView", "decode", "encode"]


def encode(command: StaffCommand | KioskCommand) -> str:
    """One line for the server. What stands for no number is sent as ``?``."""
    match command:
        case Pick(table, token):
            return f"pick {table} {token}"
        case Unpick():
            return "unpick"
        case Accept(ticket_id) | Cancel(ticket_id) | Complete(ticket_id):
            return f"{command.type} {'?' if ticket_id is None else ticket_id}"
        case Query(email):
            return f"query {email}"
        case New(email, name, key):
            line = f"new {email} {name}" if name else f"new {email}"
            return line if key is None else f"once {key} {line}"


def decode(line: str | bytes) -> ServerMessage:
    """One line of the server, whichever of the three sockets it came over.

    Raises:
        ProtocolViolation: ``UNKNOWN_COMMAND``, which a client should pass over, since later versions may
            say more; ``MALFORMED`` for what begins like a message and is none. Nothing else is ever raised.
    """
    try:
        text = line if isinstance(line, str) else line.decode()
        verb, _, rest = text.partition(" ")
        if verb == "success":
            verb, _, rest = rest.partition(" ")
            reader = _ANSWERS.get(verb)
        else:
            reader = _READERS.get(verb)
        if reader is None:
            raise ProtocolViolation(ErrorCode.UNKNOWN_COMMAND, "The line is none that this version knows.")
        return reader(rest)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ProtocolViolation(ErrorCode.MALFORMED, "The line is no message of the ticket desk.") from None


# --- what lines add up to ------------------------------------------------------------------------


class StaffView:
    """What a socket of staff knows after the lines applied to it.

    Attributes:
        taken: tables in use, as last told; nothing is told while seated.
        table: one's own, None without.
        waiting: tickets that wait, by id.
        tickets: with the extension, all that wait or are served, by id (`StaffTicket`).
        tables, line, ready, signed_out: with the extension.
        failures: refused commands, in order.
    """

    def __init__(self) -> None:
        self.taken: tuple[int, ...] = ()
        self.table: str | None = None
        self.waiting: dict[int, Ticket] = {}
        self.tickets: dict[int, Mapping[str, Any]] = {}
        self.tables: dict[int, TableState] = {}
        self.line: Line | None = None
        self.ready = False
        self.signed_out = False
        self.failures: list[Failure] = []

    def apply(self, line: str | bytes) -> ServerMessage:
        """Go on by one line; gives what it says."""
        message = decode(line)
        match message:
            case Taken(tables):
                # Only those without a table are told.
                self._stand_up()
                self.taken = tables
            case Picked(table):
                # All that waits follows: what was known before is not to be trusted any more.
                self._stand_up()
                self.table = str(table)
                self.ready = False
            case Unpicked():
                self._stand_up()
            case TicketNew(ticket):
                self.waiting[ticket.id] = ticket
            case TicketClaimed(Ticket(id=ticket_id)) | Accepted(ticket_id):
                self.waiting.pop(ticket_id, None)
            case Failure():
                self.failures.append(message)
            case _:
                self._apply_extension(message)
        return message

    def _apply_extension(self, message: ServerMessage) -> None:
        match message:
            case TicketState(fields):
                if fields["state"] in _OPEN:
                    self.tickets[fields["id"]] = fields
                else:
                    self.tickets.pop(fields["id"], None)
            case TableState(number):
                self.tables[number] = message
            case Line():
                self.line = message
            case Ready():
                self.ready = True
            case SignedOut():
                self.signed_out = True
                self._stand_up()

    def _stand_up(self) -> None:
        self.table = None
        self.waiting.clear()
        self.tickets.clear()


class DisplayView:
    """What a display shows after the lines applied to it.

    Attributes:
        tables: tables in use and the ticket each shows, None where it shows none.
        labels: with the extension, what people read for a ticket.
        states, line, ready: with the extension.
        calls: with the extension, what was said: tables and tickets, in order.
    """

    def __init__(self) -> None:
        self.tables: dict[int, int | None] = {}
        self.labels: dict[int, str] = {}
        self.states: dict[int, TableState] = {}
        self.line: Line | None = None
        self.ready = False
        self.calls: list[tuple[int, int]] = []

    def apply(self, line: str | bytes) -> ServerMessage:
        """Go on by one line; gives what it says."""
        message = decode(line)
        match message:
            case TablePicked(table) | TableCompleted(table) | TableCancelled(table):
                self.tables[table] = None
            case TableClaimed(table, ticket_id):
                self.tables[table] = ticket_id
            case TableUnpicked(table):
                self.tables.pop(table, None)
            case TicketState(fields):
                self.labels[fields["id"]] = fields["label"]
            case TableState(number):
                self.states[number] = message
            case Line():
                self.line = message
            case Call(table, ticket_id):
                self.calls.append((table, ticket_id))
            case Ready():
                self.ready = True
        return message

    def shown(self) -> dict[int, str | None]:
        """Tables in use and what people read there; for a ticket without a label, its id."""
        return {
            table: None if ticket_id is None else self.labels.get(ticket_id, str(ticket_id))
            for table, ticket_id in self.tables.items()
        }


_OPEN: Final = ("waiting", "serving")


# --- readers -------------------------------------------------------------------------------------


def _nothing(message: Callable[[], ServerMessage]) -> Callable[[str], ServerMessage]:
    def read(rest: str) -> ServerMessage:
        if rest:
            raise ValueError(rest)
        return message()

    return read


def _number(message: Callable[[int], ServerMessage]) -> Callable[[str], ServerMessage]:
    return lambda rest: message(_natural(rest))


def _two_numbers(message: Callable[[int, int], ServerMessage]) -> Callable[[str], ServerMessage]:
    def read(rest: str) -> ServerMessage:
        table, ticket_id = rest.split(" ")
        return message(_natural(table), _natural(ticket_id))

    return read


def _ticket(message: Callable[[Ticket], ServerMessage]) -> Callable[[str], ServerMessage]:
    return lambda rest: message(_decode_ticket(rest))


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(text)
    return int(text)


def _read_taken(rest: str) -> Taken:
    return Taken(tuple(_natural(number) for number in rest.split(" ")) if rest else ())


def _read_picked(rest: str) -> Picked:
    if not rest:
        raise ValueError(rest)
    return Picked(rest)


def _read_claimed(rest: str) -> ServerMessage:
    # Staff are told of the ticket, displays of the table.
    return _claimed_ticket(rest) if rest.startswith("{") else _claimed_table(rest)


def _read_failure(rest: str) -> Failure:
    # One of the document's texts stands without a verb, and so does the answer to an empty line.
    if rest in _TEXTS:
        return Failure("", rest)
    verb, _, text = rest.partition(" ")
    if not text:
        raise ValueError(rest)
    return Failure(verb, text)


_TEXTS: Final = frozenset(ERROR_TEXTS.values())
_decode_ticket: Final = msgspec.json.Decoder(Ticket).decode
_decode_fields: Final = msgspec.json.Decoder(dict[str, Any]).decode
_decode_table: Final = msgspec.json.Decoder(TableState).decode
_decode_line: Final = msgspec.json.Decoder(Line).decode
_claimed_ticket: Final = _ticket(TicketClaimed)
_claimed_table: Final = _two_numbers(TableClaimed)

_ANSWERS: Final[Mapping[str, Callable[[str], ServerMessage]]] = {
    "pick": _read_picked,
    "unpick": _nothing(Unpicked),
    "claimed": _number(Accepted),
    "cancel": _number(Cancelled),
    "complete": _number(Completed),
    "new": _ticket(TicketCreated),
    "query": NameFound,
}
_READERS: Final[Mapping[str, Callable[[str], ServerMessage]]] = {
    "taken": _read_taken,
    "new": _ticket(TicketNew),
    "claimed": _read_claimed,
    "pick": _number(TablePicked),
    "unpick": _number(TableUnpicked),
    "complete": _number(TableCompleted),
    "cancel": _number(TableCancelled),
    "error": _read_failure,
    "ticket": lambda rest: TicketState(_decode_fields(rest)),
    "table": _decode_table,
    "line": _decode_line,
    "call": _two_numbers(Call),
    "ready": _nothing(Ready),
    "signed-out": _nothing(SignedOut),
}

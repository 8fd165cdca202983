"""Every message of the ticket desk's protocol, as a frozen struct, its errors' texts and its limits.

A message is one line of text: a verb and its arguments, apart by single spaces. Some end in a JSON object.
`type` is what a line of that kind begins with; `codec` writes and reads the rest.
The page is ``docs/protocols/ticketing.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypedDict

from msgspec import Struct

__all__ = [
    "EPOCH",
    "ERROR_TEXTS",
    "MAX_FRAME_BYTES",
    "NOBODY",
    "QUERY_LIMIT",
    "QUERY_WINDOW_S",
    "Accept",
    "Accepted",
    "Call",
    "Cancel",
    "Cancelled",
    "Complete",
    "Completed",
    "DisplayMessage",
    "DisplayTicket",
    "ErrorCode",
    "Failure",
    "KioskCommand",
    "KioskMessage",
    "KioskTicket",
    "Line",
    "NameFound",
    "New",
    "Pick",
    "Picked",
    "Query",
    "Ready",
    "ServerMessage",
    "SignedOut",
    "StaffCommand",
    "StaffMessage",
    "StaffTicket",
    "TableCancelled",
    "TableClaimed",
    "TableCompleted",
    "TablePicked",
    "TableState",
    "TableUnpicked",
    "Taken",
    "Ticket",
    "TicketClaimed",
    "TicketCreated",
    "TicketNew",
    "TicketState",
    "Unpick",
    "Unpicked",
    "failure",
    "format_time",
    "ticket",
]

# One frame from a client. The longest command is a name and an address, some 500 characters.
MAX_FRAME_BYTES: Final = 4096
# A kiosk may ask for this many names in this time. Fast fingers need fewer; whoever tries addresses to
# learn who comes here would be at it for years.
QUERY_LIMIT: Final = 30
QUERY_WINDOW_S: Final = 60.0

# What the document prints for a ticket that nobody has claimed, and for a time that has not come.
NOBODY: Final = "{}"
EPOCH: Final = "1970-01-01T00:00:00Z"


class Ticket(Struct, frozen=True):
    """A ticket as the protocol shows it: these six keys in this order. Made by `ticket`."""

    id: int
    email: str
    name: str
    staff: str = NOBODY
    start: str = EPOCH
    end: str = EPOCH


def ticket(
    *,
    id: int,  # noqa: A002 - the protocol's name
    email: str,
    name: str,
    staff: str = "",
    start: int | None = None,
    end: int | None = None,
) -> Ticket:
    """A `Ticket` of what we keep: `start` and `end` in seconds since 1970, `staff` empty until claimed."""
    return Ticket(id, email, name, staff or NOBODY, format_time(start), format_time(end))


def format_time(seconds: int | None) -> str:
    """Seconds since 1970 as ``2019-10-01T04:12:19Z``; None is the epoch, the protocol's "not yet"."""
    if not seconds:
        return EPOCH
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


# --- from staff --------------------------------------------------------------------------------


class Pick(Struct, frozen=True):
    """Sit down at a table, or move to it. The token says who."""

    type: ClassVar[str] = "pick"
    table: str
    token: str


class Unpick(Struct, frozen=True):
    """Leave the table."""

    type: ClassVar[str] = "unpick"


class Accept(Struct, frozen=True):
    """Claim a ticket. None, here and below: what was sent is no number, so there is no such ticket."""

    type: ClassVar[str] = "accept"
    ticket_id: int | None


class Cancel(Struct, frozen=True):
    """The visitor does not want to come any more, or did not show up."""

    type: ClassVar[str] = "cancel"
    ticket_id: int | None


class Complete(Struct, frozen=True):
    """The visitor has been served."""

    type: ClassVar[str] = "complete"
    ticket_id: int | None


StaffCommand: TypeAlias = Pick | Unpick | Accept | Cancel | Complete


# --- from kiosks -------------------------------------------------------------------------------


class New(Struct, frozen=True):
    """Take a ticket. `name` is as it was typed, perhaps empty.

    With a `key` it can be sent again when no answer came: the same key makes one ticket.
    """

    type: ClassVar[str] = "new"
    email: str
    name: str
    key: str | None = None


class Query(Struct, frozen=True):
    """What is the name of the visitor with this address?"""

    type: ClassVar[str] = "query"
    email: str


KioskCommand: TypeAlias = New | Query


# --- to staff ----------------------------------------------------------------------------------


class Taken(Struct, frozen=True):
    """Tables in use. Sent to those who have none, first and whenever it changes."""

    type: ClassVar[str] = "taken"
    tables: tuple[int, ...]


class TicketNew(Struct, frozen=True):
    """A ticket waits: one just taken, one gone back to the line, or one of those a picker finds waiting."""

    type: ClassVar[str] = "new"
    ticket: Ticket


class TicketClaimed(Struct, frozen=True):
    """A ticket does not wait any more: somebody else has claimed it. Or, with an end, it was cancelled."""

    type: ClassVar[str] = "claimed"
    ticket: Ticket


class Picked(Struct, frozen=True):
    """You have the table. The tickets that wait follow."""

    type: ClassVar[str] = "success pick"
    table: int | str


class Unpicked(Struct, frozen=True):
    """You have left your table."""

    type: ClassVar[str] = "success unpick"


class Accepted(Struct, frozen=True):
    """The ticket is yours: the answer to `Accept`, with the document's odd verb."""

    type: ClassVar[str] = "success claimed"
    ticket_id: int


class Cancelled(Struct, frozen=True):
    """Your ticket is cancelled."""

    type: ClassVar[str] = "success cancel"
    ticket_id: int


class Completed(Struct, frozen=True):
    """Your ticket is completed."""

    type: ClassVar[str] = "success complete"
    ticket_id: int


# --- to kiosks ---------------------------------------------------------------------------------


class TicketCreated(Struct, frozen=True):
    """The visitor has this ticket."""

    type: ClassVar[str] = "success new"
    ticket: Ticket


class NameFound(Struct, frozen=True):
    """The name of the visitor with that address."""

    type: ClassVar[str] = "success query"
    name: str


# --- to displays -------------------------------------------------------------------------------


class TablePicked(Struct, frozen=True):
    """Somebody sits at the table from now on: show it as free."""

    type: ClassVar[str] = "pick"
    table: int


class TableUnpicked(Struct, frozen=True):
    """Nobody serves at the table any more: show it as offline, without a ticket."""

    type: ClassVar[str] = "unpick"
    table: int


class TableClaimed(Struct, frozen=True):
    """Show this ticket at the table, in place of what it showed."""

    type: ClassVar[str] = "claimed"
    table: int
    ticket_id: int


class TableCompleted(Struct, frozen=True):
    """The table is done with its ticket: show it as free."""

    type: ClassVar[str] = "complete"
    table: int


class TableCancelled(Struct, frozen=True):
    """The table's ticket is not served any more: show it as free."""

    type: ClassVar[str] = "cancel"
    table: int


# --- to all ------------------------------------------------------------------------------------


class Failure(Struct, frozen=True):
    """What was asked for was not done. Made by `failure`; `verb` is that of the command, mostly."""

    type: ClassVar[str] = "error"
    verb: str
    text: str


# --- to pages: with ?extended=1 ----------------------------------------------------------------


class StaffTicket(TypedDict):
    """`TicketState` to staff at a table. Without an owner `staff_id` is 0 and `staff` empty."""

    id: int
    label: str
    email: str
    name: str
    state: Literal["waiting", "serving", "completed", "cancelled", "no_show"]
    staff_id: int
    staff: str
    table: int | None
    start: str


class KioskTicket(TypedDict):
    """`TicketState` to the kiosk that took the ticket: its place in the line."""

    id: int
    label: str
    ahead: int
    estimate_s: int | None


class DisplayTicket(TypedDict):
    """`TicketState` to displays: nothing personal."""

    id: int
    label: str
    table: int


class TicketState(Struct, frozen=True):
    """The state of a ticket, ahead of the line that tells of the same change.

    `fields` is a `StaffTicket`, a `KioskTicket` or a `DisplayTicket`, according to who is told.
    """

    type: ClassVar[str] = "ticket"
    fields: Mapping[str, Any]


class TableState(Struct, frozen=True):
    """What goes on at a table. `name` is empty for one that is called Table and its number.

    ``off`` is a table nobody can pick, ``offline`` one where nobody is.
    """

    type: ClassVar[str] = "table"
    number: int
    name: str
    state: Literal["off", "offline", "paused", "free", "serving"]


class Line(Struct, frozen=True):
    """How many wait, and in how many seconds somebody who comes now is called; None if nobody can say."""

    type: ClassVar[str] = "line"
    waiting: int
    estimate_s: int | None


class Call(Struct, frozen=True):
    """Say it: this ticket has just been called, or called again, to this table."""

    type: ClassVar[str] = "call"
    table: int
    ticket_id: int


class Ready(Struct, frozen=True):
    """The state is told in full; from here on come changes."""

    type: ClassVar[str] = "ready"


class SignedOut(Struct, frozen=True):
    """Your token is not valid any more."""

    type: ClassVar[str] = "signed-out"


StaffMessage: TypeAlias = (
    Taken
    | TicketNew
    | TicketClaimed
    | Picked
    | Unpicked
    | Accepted
    | Cancelled
    | Completed
    | Failure
    | TicketState
    | TableState
    | Line
    | Ready
    | SignedOut
)
KioskMessage: TypeAlias = TicketCreated | NameFound | Failure | TicketState | Line | Ready
DisplayMessage: TypeAlias = (
    TablePicked
    | TableUnpicked
    | TableClaimed
    | TableCompleted
    | TableCancelled
    | Failure
    | TicketState
    | TableState
    | Line
    | Call
    | Ready
)
ServerMessage: TypeAlias = StaffMessage | KioskMessage | DisplayMessage


# --- errors ------------------------------------------------------------------------------------


class ErrorCode(StrEnum):
    """Why something was not done. Ours: on the wire there is only the text."""

    TOKEN_INVALID = "TOKEN_INVALID"
    TABLE_UNAVAILABLE = "TABLE_UNAVAILABLE"
    NO_TABLE = "NO_TABLE"
    UNKNOWN_TICKET = "UNKNOWN_TICKET"
    TICKET_ENDED = "TICKET_ENDED"
    TICKET_CLAIMED = "TICKET_CLAIMED"
    NOT_OWNER = "NOT_OWNER"
    EMAIL_INVALID = "EMAIL_INVALID"
    NAME_MISSING = "NAME_MISSING"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    UNKNOWN_VISITOR = "UNKNOWN_VISITOR"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    KEY_INVALID = "KEY_INVALID"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    MISSING_ARGUMENTS = "MISSING_ARGUMENTS"
    TOO_MANY_ARGUMENTS = "TOO_MANY_ARGUMENTS"
    MALFORMED = "MALFORMED"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


# By verb and code. The verb "" stands for every other one; "message" is no command, but the frame itself.
ERROR_TEXTS: Final[Mapping[tuple[str, str], str]] = {
    ("accept", ErrorCode.TOKEN_INVALID): "your session token was found to be invalid. please relogin",
    ("accept", ErrorCode.NO_TABLE): "you do not have a table chosen",
    ("accept", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("accept", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("accept", ErrorCode.TICKET_CLAIMED): "this ticket is now claimed",
    ("cancel", ErrorCode.NO_TABLE): "you are not assigned to any table",
    ("cancel", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("cancel", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("cancel", ErrorCode.NOT_OWNER): "you do not own this ticket",
    ("complete", ErrorCode.NO_TABLE): "you are not assigned to any table",
    ("complete", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("complete", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("complete", ErrorCode.NOT_OWNER): "you do not own this ticket",
    ("pick", ErrorCode.TOKEN_INVALID): "the provided token does not belong to any staff member",
    ("pick", ErrorCode.TABLE_UNAVAILABLE): "the chosen table is not available",
    ("unpick", ErrorCode.NO_TABLE): "you do not have a table assigned",
    ("new", ErrorCode.EMAIL_INVALID): "the email address is not valid",
    ("new", ErrorCode.NAME_MISSING): "the name is missing",
    ("new", ErrorCode.NAME_TOO_LONG): "the name is too long",
    ("query", ErrorCode.UNKNOWN_VISITOR): "visitor email does not exist",
    ("query", ErrorCode.TOO_MANY_REQUESTS): "too many requests",
    ("once", ErrorCode.KEY_INVALID): "the key is not valid",
    ("message", ErrorCode.MALFORMED): "must be text",
    ("message", ErrorCode.TOO_LARGE): "too large",
    ("message", ErrorCode.RATE_LIMITED): "too many messages",
    ("", ErrorCode.UNKNOWN_COMMAND): "unknown command",
    ("", ErrorCode.MISSING_ARGUMENTS): "missing arguments",
    ("", ErrorCode.TOO_MANY_ARGUMENTS): "too many arguments",
    ("", ErrorCode.UNAVAILABLE): "temporarily unavailable",
    ("", ErrorCode.INTERNAL): "internal error",
}
# The document prints this one without the verb.
_WITHOUT_VERB: Final = ("pick", ErrorCode.TABLE_UNAVAILABLE)


def failure(verb: str, code: str) -> Failure:
    """The answer to a command that was refused with `code`, an `ErrorCode`.

    Raises:
        KeyError: no such command fails in this way; our own mistake.
    """
    key = (verb, code)
    text = ERROR_TEXTS.get(key) or ERROR_TEXTS["", code]
    return Failure("" if key == _WITHOUT_VERB else verb, text)

"""What the server sends: the document's messages, and those of our own pages (``?extended=1``).

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypedDict

from msgspec import Struct

# What the document prints for a ticket that nobody has claimed, and for a time that has not come.
NOBODY: Final = "{}"
EPOCH: Final = "1970-01-01T00:00:00Z"


class Ticket(Struct, frozen=True):
    """A ticket as the protocol shows it: these six keys in this order. Made by `ticket`."""

    id: int
    email: str
    name: str
    staff: str
    start: str
    end: str


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
    """What was asked for was not done, and why. The verb is that of the command, but for one text."""

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
    """The state of a ticket, ahead of the line that tells everybody else of the same change.

    Only with `extended=1`.
    """

    type: ClassVar[str] = "ticket"
    # A `StaffTicket`, `KioskTicket` or `DisplayTicket`, according to who is told.
    fields: Mapping[str, Any]


class TableState(Struct, frozen=True):
    """What goes on at a table: all of them at first, then whenever one changes.

    `name` is empty for a table that is called Table and its number. ``off`` is a table that nobody can
    pick, ``offline`` one where nobody is. Only with `extended=1`.
    """

    type: ClassVar[str] = "table"
    number: int
    name: str
    state: Literal["off", "offline", "paused", "free", "serving"]


class Line(Struct, frozen=True):
    """How many wait, and in how many seconds somebody who comes now would be called.

    At first, when it changes, and every 20 s as a sign of life. `estimate_s` is null when there have been
    too few calls to tell. Only with `extended=1`.
    """

    type: ClassVar[str] = "line"
    waiting: int
    estimate_s: int | None


class Call(Struct, frozen=True):
    """Say it: this ticket has just been called, or called again, to this table.

    Only with `extended=1`.
    """

    type: ClassVar[str] = "call"
    table: int
    ticket_id: int


class Ready(Struct, frozen=True):
    """The state is told in full; from here on come changes.

    Only with `extended=1`.
    """

    type: ClassVar[str] = "ready"


class SignedOut(Struct, frozen=True):
    """Your token is not valid any more.

    Only with `extended=1`.
    """

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

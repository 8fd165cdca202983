"""What staff and kiosks send, and how much of it.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

# One frame from a client. The longest command is a name and an address, some 500 characters.
MAX_FRAME_BYTES: Final = 4096
# A kiosk may ask for this many names in this time. Fast fingers need fewer; whoever tries addresses to
# learn who comes here would be at it for years.
QUERY_LIMIT: Final = 30
QUERY_WINDOW_S: Final = 60.0


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
    """Claim a ticket."""

    type: ClassVar[str] = "accept"
    # None, here and below: what was sent is no number, so there is no such ticket.
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
    """Take a ticket.

    With `once` and a key in front it can be sent again when no answer came: the same key makes one ticket.
    """

    type: ClassVar[str] = "new"
    # Both as they were typed; the name may be empty.
    email: str
    name: str
    key: str | None = None


class Query(Struct, frozen=True):
    """What is the name of the visitor with this address?"""

    type: ClassVar[str] = "query"
    email: str


KioskCommand: TypeAlias = New | Query

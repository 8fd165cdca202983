"""Pure decisions about the desk: numbers people read, the estimate, and the state everybody is shown.

`Floor` is the state of the desk as one process knows it: made from the database once, and from then on
kept up by applying the journal's entries in order. No Django, no protocol.
Source: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import msgspec

# Kinds of device.
KIOSK = "kiosk"
DISPLAY = "display"

# Calls that the estimate looks back on: enough to even out one long visit, few enough to follow a rush.
RECENT_CALLS = 20
# Fewer times between calls say nothing.
MIN_GAPS = 2
# A pause for lunch is no sign of slow service.
MAX_GAP_S = 1800.0


def ticket_label(prefix: str, number: int) -> str:
    """The number people read: ``A-017``; without a prefix ``017``."""
    return f"{prefix}-{number:03d}" if prefix else f"{number:03d}"


def device_cookie(kind: str) -> str:
    """Name of the cookie that keeps a device's token, once its page was opened with it."""
    return f"foyer_device_{kind}"


def email_key(email: str) -> str:
    """What addresses are compared by: the same for every way of writing one in upper and lower case."""
    return email.casefold()


TableStateName = Literal["off", "offline", "paused", "free", "serving"]


class TicketView(msgspec.Struct, frozen=True):
    """What is told about a ticket. `created_at` in seconds since 1970, whole ones."""

    id: int
    email: str
    name: str
    label: str
    created_at: int


class TableView(msgspec.Struct, frozen=True):
    """A table as people know it."""

    number: int
    name: str
    is_active: bool = True


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the journal: everything needed to tell of it and to apply it. Travels over the bus.

    `kind` is an `EventKind`; `table` and `left_table` are numbers; `staff_id` is whose ticket or table it
    is (at a release: was). `origin` is the request that asked for it, "" where no connection did.
    """

    seq: int
    kind: str
    at: float
    ticket: TicketView | None = None
    staff_id: int = 0
    staff_name: str = ""
    table: TableView | None = None
    left_table: int | None = None
    pick_id: int = 0
    origin: str = ""

    @property
    def connection(self) -> str:
        """The connection that asked for it; "" where none did."""
        return self.origin.partition(".")[0]


@dataclass(slots=True)
class Seat:
    """An open pick: who is at a table."""

    table: int
    pick_id: int
    staff_id: int
    staff_name: str
    paused: bool = False


@dataclass(slots=True)
class Change:
    """What an entry changed on the floor, in the order in which displays are told."""

    closed: list[int] = field(default_factory=list)
    """Tables that are not in use any more."""
    ended: int | None = None
    """The table that is done with its ticket."""
    opened: list[int] = field(default_factory=list)
    """Tables in use from now on."""
    calls: list[tuple[int, TicketView]] = field(default_factory=list)
    """Tickets that tables now show."""
    said: list[tuple[int, TicketView]] = field(default_factory=list)
    """Those of them that are called there, for the first time or again."""
    taken: bool = False
    """Whether the set of picked tables changed."""
    line: bool = False
    """Whether the number of those who wait, or the estimate, changed."""


class Floor:
    """Tables, who is at them, who waits and who is being served: the desk at one place in the journal."""

    def __init__(self) -> None:
        self.seq = 0
        self.tables: dict[int, TableView] = {}
        self.seats: dict[int, Seat] = {}  # by table
        self.waiting: dict[int, TicketView] = {}
        # By staff, in the order of their calls: a table shows the last one.
        self.serving: dict[int, dict[int, TicketView]] = {}
        self.owner: dict[int, int] = {}  # staff by ticket being served
        self.staff_names: dict[int, str] = {}
        # The table at which a ticket being served was called last.
        self.called_to: dict[int, int] = {}
        # Of the last calls: when, and since when that ticket had waited.
        self.calls: deque[tuple[float, int]] = deque(maxlen=RECENT_CALLS)

    # -- reading -------------------------------------------------------------------------------

    def taken(self) -> list[int]:
        """Numbers of the picked tables, ascending."""
        return sorted(self.seats)

    def line(self) -> list[TicketView]:
        """Who waits, the longest first."""
        return [self.waiting[ticket_id] for ticket_id in sorted(self.waiting)]

    def shown(self) -> list[tuple[int, list[TicketView]]]:
        """Tables that displays show as in use, ascending, with their tickets in the order of calls."""
        return [
            (number, list(self.serving.get(seat.staff_id, {}).values()))
            for number, seat in sorted(self.seats.items())
            if not seat.paused
        ]

    def seat_of(self, staff_id: int) -> Seat | None:
        """Where somebody sits."""
        return next((seat for seat in self.seats.values() if seat.staff_id == staff_id), None)

    def table_state(self, number: int) -> TableStateName:
        """``off`` (not to be picked), ``offline`` (nobody there), ``paused``, ``free`` or ``serving``."""
        seat = self.seats.get(number)
        if seat is None:
            table = self.tables.get(number)
            return "offline" if table is not None and table.is_active else "off"
        if seat.paused:
            return "paused"
        return "serving" if self.serving.get(seat.staff_id) else "free"

    def estimate_s(self, ahead: int) -> int | None:
        """Seconds until somebody with `ahead` people in front is called; None if nobody can say.

        0 where a table is free for them; else the mean time between the last calls, times the calls it
        takes. A time counts if the one called had been waiting all through it: else it says how rarely
        somebody comes, not how long it takes.
        """
        open_seats = [seat for seat in self.seats.values() if not seat.paused]
        if not open_seats:
            return None
        free = sum(1 for seat in open_seats if seat.staff_id not in self.serving)
        if ahead < free:
            return 0
        gaps = [
            min(later - earlier, MAX_GAP_S)
            for (earlier, _), (later, waited_since) in pairwise(self.calls)
            if waited_since <= earlier
        ]
        if len(gaps) < MIN_GAPS:
            return None
        return round(max(0.0, sum(gaps) / len(gaps)) * (ahead - free + 1))

    def ahead_of(self, ticket_id: int) -> int:
        """How many wait longer than this ticket."""
        return sum(1 for other in self.waiting if other < ticket_id)

    # -- changing ------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> Change:
        """Go on to the next place in the journal; tells what changed."""
        self.seq = entry.seq
        change = Change()
        line_before = self._line_told()
        if entry.table is not None:
            self.tables[entry.table.number] = entry.table
        if entry.staff_id:
            self.staff_names[entry.staff_id] = entry.staff_name
        if entry.ticket is not None:
            self._apply_ticket(entry, entry.ticket, change)
        elif entry.table is not None:
            self._apply_table(entry, entry.table.number, change)
        change.line = self._line_told() != line_before
        return change

    def _line_told(self) -> tuple[int, int | None]:
        return len(self.waiting), self.estimate_s(len(self.waiting))

    def _apply_ticket(self, entry: Entry, ticket: TicketView, change: Change) -> None:
        self.waiting.pop(ticket.id, None)
        owner = self.owner.pop(ticket.id, 0)
        if owner:
            del self.serving[owner][ticket.id]
            if not self.serving[owner]:
                del self.serving[owner]
        match entry.kind:
            case "created" | "released":
                self.waiting[ticket.id] = ticket
            case "claimed" | "recalled" | "transferred":
                self.owner[ticket.id] = entry.staff_id
                self.serving.setdefault(entry.staff_id, {})[ticket.id] = ticket
        if entry.kind == "claimed":
            self.calls.append((entry.at, ticket.created_at))
        if owner and entry.kind != "recalled":
            self._end_at_table(owner, change)
        if ticket.id not in self.owner:
            self.called_to.pop(ticket.id, None)
        elif (seat := self.seat_of(entry.staff_id)) and not seat.paused:
            change.calls.append((seat.table, ticket))
            change.said.append((seat.table, ticket))
            self.called_to[ticket.id] = seat.table

    def _end_at_table(self, staff_id: int, change: Change) -> None:
        """The table of `staff_id` clears a ticket; what it still has is shown again."""
        seat = self.seat_of(staff_id)
        if seat is None or seat.paused:
            return
        change.ended = seat.table
        others = self.serving.get(staff_id)
        if others:
            change.calls.append((seat.table, next(reversed(others.values()))))

    def _apply_table(self, entry: Entry, number: int, change: Change) -> None:
        match entry.kind:
            case "picked":
                if entry.left_table is not None:
                    self._close(entry.left_table, change)
                self.seats[number] = Seat(number, entry.pick_id, entry.staff_id, entry.staff_name)
                change.taken = True
                self._open(number, change)
            case "unpicked":
                self._close(number, change)
                change.taken = True
            case "paused":
                if (seat := self.seats.get(number)) and not seat.paused:
                    change.closed.append(number)
                    seat.paused = True
            case "resumed":
                if (seat := self.seats.get(number)) and seat.paused:
                    seat.paused = False
                    self._open(number, change)

    def _close(self, number: int, change: Change) -> None:
        seat = self.seats.pop(number, None)
        if seat is not None and not seat.paused:
            change.closed.append(number)

    def _open(self, number: int, change: Change) -> None:
        change.opened.append(number)
        held = self.serving.get(self.seats[number].staff_id, {})
        for ticket in held.values():
            change.calls.append((number, ticket))
            # Who was called to this very table sits there by now.
            if self.called_to.get(ticket.id) != number:
                change.said.append((number, ticket))
                self.called_to[ticket.id] = number

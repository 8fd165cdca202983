"""What happened at the desk, as the messages that say so, and who gets them.

Five audiences: staff with a table (`SEATED`) and without (`UNSEATED`), displays, kiosks. Each has a hub
group for sockets that speak the plain protocol and one for those of our pages, which get more lines
(`?extended=1`). No models, no I/O. Protocol: docs/protocols/ticketing.md.
"""

from collections.abc import Iterator
from typing import NamedTuple

from realtime.errors import FoyerError, InternalError
from ticketing.protocol import messages
from ticketing.protocol.codec import CommandViolation, encode
from ticketing.rules import Change, Entry, Floor, TicketView

SEATED = "ticketing:seated"
UNSEATED = "ticketing:unseated"
DISPLAY = "ticketing:display"
KIOSK = "ticketing:kiosk"

_STATES = {
    "created": "waiting",
    "released": "waiting",
    "claimed": "serving",
    "recalled": "serving",
    "transferred": "serving",
}


class Told(NamedTuple):
    """A message for an audience: for all of it, or only for the sockets of our pages."""

    audience: str
    head: bytes
    extended_only: bool = False


def group_of(audience: str, *, extended: bool) -> str:
    """The hub group of an audience's plain or extended sockets."""
    return f"{audience}+" if extended else audience


# --- what changed -----------------------------------------------------------------------------------


def tell(entry: Entry, change: Change, floor: Floor) -> Iterator[Told]:
    """What an entry, just applied to `floor`, means to whom, in the order in which it is sent."""
    yield from _tell_displays(entry, change, floor)
    if entry.ticket is not None:
        yield from _tell_staff(entry, entry.ticket, floor)
    if change.taken or entry.kind == "staff_changed":
        # What somebody serves moves along to another table, or has none any more; or they have a new name.
        for ticket in floor.serving.get(entry.staff_id, {}).values():
            yield Told(SEATED, staff_ticket(floor, ticket, "serving"), extended_only=True)
    if change.taken:
        yield Told(UNSEATED, encode(messages.Taken(tuple(floor.taken()))))
    for number in _touched(entry, change):
        head = table_state(floor, number)
        for audience in (SEATED, UNSEATED, DISPLAY):
            yield Told(audience, head, extended_only=True)
    if change.line:
        head = line(floor)
        for audience in (SEATED, UNSEATED, DISPLAY, KIOSK):
            yield Told(audience, head, extended_only=True)


def _tell_displays(entry: Entry, change: Change, floor: Floor) -> Iterator[Told]:
    for number in change.closed:
        yield Told(DISPLAY, encode(messages.TableUnpicked(number)))
    if change.ended is not None:
        done = messages.TableCompleted if entry.kind == "completed" else messages.TableCancelled
        yield Told(DISPLAY, encode(done(change.ended)))
    for number in change.opened:
        yield Told(DISPLAY, encode(messages.TablePicked(number)))
    for number, ticket in change.calls:
        yield Told(DISPLAY, display_ticket(number, ticket), extended_only=True)
        yield Told(DISPLAY, encode(messages.TableClaimed(number, ticket.id)))
        if (number, ticket) in change.said:
            yield Told(DISPLAY, encode(messages.Call(number, ticket.id)), extended_only=True)


def _tell_staff(entry: Entry, ticket: TicketView, floor: Floor) -> Iterator[Told]:
    state = _STATES.get(entry.kind, entry.kind)
    yield Told(SEATED, staff_ticket(floor, ticket, state), extended_only=True)
    if state == "waiting":
        yield Told(SEATED, waiting(ticket))
    elif entry.kind in ("claimed", "transferred"):
        claimed = messages.ticket(
            id=ticket.id,
            email=ticket.email,
            name=ticket.name,
            staff=entry.staff_name,
            start=ticket.created_at,
        )
        yield Told(SEATED, encode(messages.TicketClaimed(claimed)))
    elif entry.kind == "cancelled" and not entry.staff_id:
        # It waited: the one line that says that it need not be claimed any more.
        gone = messages.ticket(
            id=ticket.id,
            email=ticket.email,
            name=ticket.name,
            start=ticket.created_at,
            end=int(entry.at),
        )
        yield Told(SEATED, encode(messages.TicketClaimed(gone)))


def _touched(entry: Entry, change: Change) -> list[int]:
    """Tables whose state may have changed, ascending."""
    numbers = {*change.closed, *change.opened, *(number for number, _ in change.calls)}
    numbers |= {number for number in (change.ended, entry.left_table) if number is not None}
    if entry.table is not None and entry.ticket is None:
        numbers.add(entry.table.number)
    return sorted(numbers)


# --- what is ----------------------------------------------------------------------------------------


def taken(floor: Floor) -> bytes:
    """The tables in use."""
    return encode(messages.Taken(tuple(floor.taken())))


def staff_arrival(floor: Floor, *, extended: bool) -> list[bytes]:
    """What a socket of staff is told first."""
    if not extended:
        return [taken(floor)]
    return [taken(floor), *tables(floor), line(floor), ready()]


def seated(floor: Floor, number: int, *, extended: bool) -> list[bytes]:
    """The answer to a pick, with everybody who waits."""
    heads = [encode(messages.Picked(number))]
    in_line = floor.line()
    if extended:
        heads += [staff_ticket(floor, ticket, "waiting") for ticket in in_line]
        for held in floor.serving.values():
            heads += [staff_ticket(floor, ticket, "serving") for ticket in held.values()]
    heads += [waiting(ticket) for ticket in in_line]
    return [*heads, line(floor), ready()] if extended else heads


def display_arrival(floor: Floor, *, extended: bool) -> list[bytes]:
    """What a display is told first: the protocol's own events, as if it had been there all along."""
    heads = [line(floor), *tables(floor)] if extended else []
    shown = floor.shown()
    heads += [encode(messages.TablePicked(number)) for number, _ in shown]
    for number, tickets in shown:
        for ticket in tickets:
            if extended:
                heads.append(display_ticket(number, ticket))
            heads.append(encode(messages.TableClaimed(number, ticket.id)))
    return [*heads, ready()] if extended else heads


def kiosk_arrival(floor: Floor, *, extended: bool) -> list[bytes]:
    """What a kiosk is told first."""
    return [line(floor), ready()] if extended else []


def created(floor: Floor, ticket: TicketView, *, extended: bool) -> list[bytes]:
    """The answer to a kiosk: the ticket; for a page also its number and place in the line."""
    heads = []
    if extended:
        ahead = floor.ahead_of(ticket.id)
        fields = messages.KioskTicket(
            id=ticket.id, label=ticket.label, ahead=ahead, estimate_s=floor.estimate_s(ahead)
        )
        heads.append(encode(messages.TicketState(fields)))
    plain = messages.ticket(id=ticket.id, email=ticket.email, name=ticket.name, start=ticket.created_at)
    return [*heads, encode(messages.TicketCreated(plain))]


def waiting(ticket: TicketView) -> bytes:
    """A ticket that waits."""
    plain = messages.ticket(id=ticket.id, email=ticket.email, name=ticket.name, start=ticket.created_at)
    return encode(messages.TicketNew(plain))


def staff_ticket(floor: Floor, ticket: TicketView, state: str) -> bytes:
    """A ticket's state, for staff."""
    owner = floor.owner.get(ticket.id, 0)
    seat = floor.seat_of(owner) if owner else None
    fields = {
        "id": ticket.id,
        "label": ticket.label,
        "email": ticket.email,
        "name": ticket.name,
        "state": state,
        "staff_id": owner,
        "staff": floor.staff_names.get(owner, ""),
        "table": seat.table if seat else None,
        "start": messages.format_time(ticket.created_at),
    }
    return encode(messages.TicketState(fields))


def display_ticket(number: int, ticket: TicketView) -> bytes:
    """What people read of a ticket that a table shows."""
    fields = messages.DisplayTicket(id=ticket.id, label=ticket.label, table=number)
    return encode(messages.TicketState(fields))


def table_state(floor: Floor, number: int) -> bytes:
    """What goes on at a table."""
    table = floor.tables.get(number)
    state = floor.table_state(number)
    return encode(messages.TableState(number, table.name if table else "", state))


def tables(floor: Floor) -> list[bytes]:
    """What goes on at every table, in order."""
    return [table_state(floor, number) for number in sorted(floor.tables)]


def line(floor: Floor) -> bytes:
    """How many wait, and how long it would take."""
    return encode(messages.Line(len(floor.waiting), floor.estimate_s(len(floor.waiting))))


def ready() -> bytes:
    return encode(messages.Ready())


def signed_out() -> bytes:
    return encode(messages.SignedOut())


# --- answers ----------------------------------------------------------------------------------------


def accepted(ticket_id: int) -> bytes:
    return encode(messages.Accepted(ticket_id))


def cancelled(ticket_id: int) -> bytes:
    return encode(messages.Cancelled(ticket_id))


def completed(ticket_id: int) -> bytes:
    return encode(messages.Completed(ticket_id))


def unpicked() -> bytes:
    return encode(messages.Unpicked())


def name_found(name: str) -> bytes:
    return encode(messages.NameFound(name))


def error(problem: FoyerError, verb: str) -> bytes | None:
    """The protocol's line for a problem with the command `verb`; None for a bug of ours, of which the
    close code tells enough."""
    if isinstance(problem, InternalError):
        return None
    if isinstance(problem, CommandViolation):
        verb = problem.verb
    elif problem.code in _ABOUT_FRAMES:
        verb = "message"
    return encode(messages.failure(verb, problem.code))


_ABOUT_FRAMES = frozenset({"MALFORMED", "TOO_LARGE", "RATE_LIMITED"})

"""What a manager can do to a ticket, in the admin's words."""

from collections.abc import Callable
from dataclasses import dataclass

from ticketing.models import TicketState
from ticketing.services.tickets import cancel_ticket, complete_ticket, release_ticket


@dataclass(frozen=True)
class Command:
    """Something a manager does to a ticket: the service, in which states it makes sense, and its words."""

    change: Callable[..., object]
    states: tuple[TicketState, ...]
    button: str
    done: str
    question: str = ""
    """Asked before what cannot be undone."""


COMMANDS = {
    "release": Command(
        release_ticket, (TicketState.SERVING,), "Back to the line", "went back to its place in the line"
    ),
    "complete": Command(complete_ticket, (TicketState.SERVING,), "Complete", "was completed"),
    "cancel": Command(
        cancel_ticket,
        (TicketState.WAITING, TicketState.SERVING),
        "Cancel",
        "was cancelled",
        question="will not be called any more and leaves the displays. This cannot be undone: "
        "whoever still wants to be served has to take a new ticket.",
    ),
}

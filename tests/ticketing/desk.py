"""A small desk for tests: people, tables, and short ways to say what happens."""

from typing import Any

from django.contrib.auth import get_user_model

from ticketing.models import Staff, Table, Ticket, TicketEvent
from ticketing.rules import Entry
from ticketing.services import arrivals, tables, tickets
from ticketing.services.people import save_staff
from ticketing.services.tables import save_table


class Desk:
    """Ana, Ben and Chidi; tables 0, 1, 2, and 3 that is not active."""

    def __init__(self) -> None:
        self.ana, self.ben, self.chidi = (self.hire(name) for name in ("Ana", "Ben", "Chidi"))
        for number in range(4):
            save_table(table=Table(number=number, name=f"Counter {number}", is_active=number != 3))

    @staticmethod
    def hire(name: str) -> Staff:
        user = get_user_model().objects.create_user(name.lower())
        return save_staff(staff=Staff(user=user, name=name))

    @staticmethod
    def ticket(name: str = "Ada Lovelace", email: str = "", **options: Any) -> int:
        """Take a ticket; gives its id."""
        email = email or f"{name.split(maxsplit=1)[0].lower()}@example.org"
        entry = arrivals.create_ticket(email=email, name=name, **options)
        assert entry.ticket is not None
        return entry.ticket.id

    @staticmethod
    def pick(staff: Staff, table: int) -> Entry:
        return tables.pick_table(table=table, staff_id=staff.pk)

    @staticmethod
    def claim(staff: Staff, ticket_id: int) -> Entry:
        return tickets.claim_ticket(ticket_id=ticket_id, staff_id=staff.pk)

    @staticmethod
    def state(ticket_id: int) -> str:
        state: str = Ticket.objects.values_list("state", flat=True).get(pk=ticket_id)
        return state

    @staticmethod
    def kinds(ticket_id: int | None = None) -> list[str]:
        """What happened, to a ticket or at all, in order."""
        events = TicketEvent.objects.order_by("seq")
        if ticket_id is not None:
            events = events.filter(ticket=ticket_id)
        return list(events.values_list("kind", flat=True))

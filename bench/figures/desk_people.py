"""Fills a migrated database for `bench.figures.desk`: ``desk_people STAFF ENDED WAITING``.

Prints the tokens of the staff as JSON. A database that has people already only gets a longer line.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from ticketing.models import Pick, Staff, Table, Ticket, TicketState, Visitor  # noqa: E402
from ticketing.services.people import issue_token  # noqa: E402

# Tickets of one day in the past.
A_DAY = 500
PICKS_A_DAY = 50


def make_people(staff: int) -> None:
    """Members of staff and tables, numbered from 1."""
    for number in range(1, staff + 1):
        user = get_user_model().objects.create(username=f"clerk{number}")
        Staff.objects.create(user=user, name=f"Clerk {number}")
        Table.objects.create(number=number)


def make_past(count: int, now: datetime) -> None:
    """Completed tickets of former days, and who sat where."""
    staff, table = Staff.objects.all()[0], Table.objects.all()[0]
    days = [now - timedelta(days=day) for day in range(1, 1 + count // A_DAY)]
    Pick.objects.bulk_create(
        Pick(table=table, staff=staff, picked_at=day, held_until=day, released_at=day)
        for day in days
        for _ in range(PICKS_A_DAY)
    )
    visitors = make_visitors("past", count)
    made = []
    for index, visitor in enumerate(visitors):
        ended = now - timedelta(days=1 + index // A_DAY)
        ticket = ticket_of(visitor, ended, index % A_DAY + 1)
        ticket.state, ticket.staff, ticket.table = TicketState.COMPLETED, staff, table
        ticket.claimed_at = ticket.ended_at = ended
        made.append(ticket)
    Ticket.objects.bulk_create(made, batch_size=1000)


def make_line(length: int, now: datetime) -> None:
    """As many more waiting today as are missing."""
    have = Ticket.objects.filter(state=TicketState.WAITING).count()
    visitors = make_visitors(f"line{have}", length - have)
    numbered = enumerate(visitors, have + 1)
    Ticket.objects.bulk_create(
        [ticket_of(visitor, now, number) for number, visitor in numbered], batch_size=1000
    )


def make_visitors(kind: str, count: int) -> list[Visitor]:
    addresses = [f"{kind}.{index}@bench.example" for index in range(count)]
    return Visitor.objects.bulk_create(
        [
            Visitor(email=address, email_key=address, name=f"Visitor Number {index}")
            for index, address in enumerate(addresses)
        ],
        batch_size=1000,
    )


def ticket_of(visitor: Visitor, at: datetime, number: int) -> Ticket:
    return Ticket(
        visitor=visitor,
        email=visitor.email,
        name=visitor.name,
        day=at.date(),
        prefix="A",
        number=number,
        created_at=at,
    )


if __name__ == "__main__":
    people, ended, waiting = map(int, sys.argv[1:])
    now = timezone.now()
    if not Staff.objects.exists():
        make_people(people)
        make_past(ended, now)
    make_line(waiting, now)
    if connection.vendor == "postgresql":
        # As autovacuum does by itself, a little later.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    print(json.dumps([issue_token(staff=staff) for staff in Staff.objects.order_by("pk")]))

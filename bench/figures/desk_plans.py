"""Prints how the database finds what the desk asks it for, for `bench.figures.desk`.

A visitor is called, completed, the next is called, another takes a ticket: by the desk's own services, in a
transaction that is taken back. What they ask of tables that grow is given to the database to explain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from django.db import connection, transaction  # noqa: E402

from ticketing.models import Staff, Ticket, TicketState  # noqa: E402
from ticketing.services.arrivals import create_ticket  # noqa: E402
from ticketing.services.tables import pick_table  # noqa: E402
from ticketing.services.tickets import claim_next, claim_ticket, complete_ticket  # noqa: E402

EXPLAIN = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN (COSTS OFF) "


# The journal has a single row, whatever there is: how it is found says nothing.
ONE_ROW = "ticketing_journal"


class Explainer:
    """An execute wrapper that has each kind of query explained before it first runs."""

    def __init__(self) -> None:
        self.plans: dict[str, list[str]] = {}
        self._inside = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        shape = shortened(sql)
        if not (self._inside or ONE_ROW in sql or shape in self.plans) and sql.startswith(
            ("SELECT", "UPDATE")
        ):
            self._inside = True
            try:
                with connection.cursor() as cursor:
                    cursor.execute(EXPLAIN + sql, params)
                    self.plans[shape] = [str(row[-1]) for row in cursor.fetchall()]
            finally:
                self._inside = False
        return execute(sql, params, many, context)


def shortened(sql: str) -> str:
    """The query without the names of columns it reads and tables it joins."""
    sql = sql.replace('"', "").replace("ticketing_", "")
    sql = re.sub(r"SELECT .*? FROM (\w+).*? WHERE", r"SELECT … FROM \1 WHERE", sql)
    return re.sub(r"UPDATE (\w+) SET .* WHERE", r"UPDATE \1 SET … WHERE", sql)


def main() -> None:
    explainer = Explainer()
    staff = Staff.objects.order_by("pk")[0]
    first = Ticket.objects.filter(state=TicketState.WAITING).order_by("pk").values_list("pk", flat=True)[0]
    with transaction.atomic():
        pick_table(table=1, staff_id=staff.pk)
        with connection.execute_wrapper(explainer):
            claim_ticket(ticket_id=first, staff_id=staff.pk)
            complete_ticket(ticket_id=first, staff_id=staff.pk)
            claim_next(staff_id=staff.pk)
            create_ticket(email="somebody@bench.example", name="Somebody")
        transaction.set_rollback(True)
    for shape, plan in explainer.plans.items():
        print(shape, *(f"    {line}" for line in plan), sep="\n")


if __name__ == "__main__":
    main()

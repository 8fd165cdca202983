"""10,000 visitors waiting: a clerk is told of them all, and calling one of them looks at that one."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests.e2e.desk import Desk
from tests.e2e.desk import Ticket as Told
from tests.e2e.servers import Seed, serve
from ticketing.models import Staff, Table, Ticket
from ticketing.services.arrivals import create_ticket
from ticketing.services.tables import pick_table
from ticketing.services.tickets import cancel_ticket, claim_next, claim_ticket

COUNT = 10_000
START = "2019-10-01T04:12:19Z"
# As the server would have stored them over a long day: nobody waits for 10,000 messages of a kiosk.
INSERT = f"""
    WITH RECURSIVE line(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM line WHERE n < {COUNT})
    INSERT INTO ticketing_ticket (email, name, day, prefix, number, state, created_at)
    SELECT 'v' || n || '@example.org', 'Visitor ' || n, '2019-10-01', 'A', n, 'waiting', '2019-10-01 04:12:19'
    FROM line
"""


async def test_a_pick_tells_of_everybody_in_order(seed: Seed, tmp_path: Path) -> None:
    seed.copy_to(tmp_path)
    with closing(sqlite3.connect(tmp_path / "foyer.sqlite3")) as database, database:
        database.execute(INSERT)
    server = serve({"DATA_DIR": str(tmp_path)}, tmp_path / "server.log")
    try:
        server.wait_ready()
        with closing(Desk(server, seed.keys["site"])) as desk:
            await everybody_is_told(desk)
        assert server.problems() == []
    finally:
        server.stop()


async def everybody_is_told(desk: Desk) -> None:
    async with desk.wires("kiosk", "staff", "staff") as (kiosk, ana, ben):
        await ana.send(f"pick 0 {desk.ana.token}")
        # Those who come and go meanwhile are told of in their place: here, after the line.
        last = await kiosk.take_ticket()
        await ana.expect("success pick 0")
        line = [Told(n, f"v{n}@example.org", f"Visitor {n}", START) for n in range(1, COUNT + 1)]
        await ana.expect(*(f"new {ticket.json()}" for ticket in line))
        await ana.expect(f"new {last.json()}")
        await ana.ask(f"accept {COUNT}", f"success claimed {COUNT}")
        await ana.ask("accept 1", "success claimed 1")
        await ben.expect("taken 0")
        await ben.send(f"pick 1 {desk.ben.token}")
        await ben.expect("success pick 1", *(f"new {ticket.json()}" for ticket in line[1:-1]))
        await ben.expect(f"new {last.json()}")
        await ana.quiet()


@pytest.mark.django_db
def test_no_command_looks_at_the_whole_line() -> None:
    staff = Staff.objects.create(user=get_user_model().objects.create_user("plan"), name="Ana")
    Table.objects.create(number=0)
    pick_table(table=0, staff_id=staff.pk)
    with connection.cursor() as cursor:
        # Those of the day before come first in the table.
        cursor.execute(INSERT.replace("2019-10-01", "2019-09-30"))
        Ticket.objects.update(state="cancelled", ended_at=F("created_at"))
        cursor.execute(INSERT)
        cursor.execute("ANALYZE")
    first = Ticket.objects.filter(state="waiting").order_by("pk")[0].pk
    with CaptureQueriesContext(connection) as captured:
        claim_ticket(ticket_id=first + COUNT // 2, staff_id=staff.pk)
        claim_next(staff_id=staff.pk)
        cancel_ticket(ticket_id=first + COUNT // 2, staff_id=staff.pk)
        create_ticket(email="ada@example.org", name="Ada")
    statements = [query["sql"] for query in captured if '"ticketing_ticket"' in query["sql"]]
    looked_at = 0
    for statement in statements:
        if not statement.startswith(("SELECT", "UPDATE")):
            continue
        with connection.cursor() as cursor:
            plan = [row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
        steps = [step for step in plan if re.search(r"\bticketing_ticket\b", step)]
        assert steps, plan
        for step in steps:
            # The first of the line is the first of its index.
            assert step.startswith("SEARCH") or step.endswith("USING INDEX ticketing_waiting"), statement
        looked_at += 1
    assert looked_at >= 6

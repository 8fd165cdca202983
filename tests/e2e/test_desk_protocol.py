"""The document's lines, to the byte, between kiosks, staff and displays on both servers."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.desk import TIME, Desk, Wire
from tests.e2e.listener import eventually
from tests.e2e.servers import Seed

NO_TABLE = {
    "accept": "error accept you do not have a table chosen",
    "cancel": "error cancel you are not assigned to any table",
    "complete": "error complete you are not assigned to any table",
}
NO_TOKEN = "error pick the provided token does not belong to any staff member"
NOT_AVAILABLE = "error the chosen table is not available"


async def test_a_visit_as_everybody_is_told_of_it(desk: Desk) -> None:
    async with desk.wires("display", "kiosk", "staff", "staff", "staff") as (display, kiosk, ana, ben, cho):
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0")
        await display.expect("pick 0")
        await ben.expect("taken 0")
        await cho.expect("taken 0")
        await ben.ask(f"pick 2 {desk.ben.token}", "success pick 2")
        await display.expect("pick 2")
        await cho.expect("taken 0 2")

        zoe = await kiosk.take_ticket("Zoe@Example.org", 'Zoë "Zed" O\'Neil \\ →')
        await ana.expect(f"new {zoe.json()}")
        await ben.expect(f"new {zoe.json()}")
        await ana.ask(f"accept {zoe.id}", f"success claimed {zoe.id}")
        await ben.expect(f"claimed {zoe.json('Ana')}")
        await display.expect(f"claimed 0 {zoe.id}")
        await ana.ask(f"complete {zoe.id}", f"success complete {zoe.id}")
        await display.expect("complete 0")

        first, second = await kiosk.take_ticket(), await kiosk.take_ticket("bob@example.org", "Bob")
        for staff in (ana, ben):
            await staff.expect(f"new {first.json()}", f"new {second.json()}")
        await ben.ask(f"accept {first.id}", f"success claimed {first.id}")
        await ben.ask(f"accept {second.id}", f"success claimed {second.id}")
        await ana.expect(f"claimed {first.json('Ben')}", f"claimed {second.json('Ben')}")
        await ben.ask(f"cancel {second.id}", f"success cancel {second.id}")
        # What the table still has is shown again.
        await display.expect(
            f"claimed 2 {first.id}", f"claimed 2 {second.id}", "cancel 2", f"claimed 2 {first.id}"
        )
        await ben.ask(f"complete {first.id}", f"success complete {first.id}")
        await display.expect("complete 2")

        await ana.ask("unpick", "success unpick", "taken 2")
        await display.expect("unpick 0")
        await cho.expect("taken 2")
        await ben.ask("unpick", "success unpick", "taken")
        await display.expect("unpick 2")
        await ana.expect("taken")
        await cho.expect("taken")
        for wire in (display, kiosk, ana, ben, cho):
            await wire.quiet()


async def test_visitors_are_private_until_a_table_is_picked(desk: Desk) -> None:
    async with desk.wires("kiosk", "staff") as (kiosk, ana):
        tickets = [await kiosk.take_ticket(f"v{n}@example.org", f"Visitor {n}") for n in range(3)]
        await ana.ask(f"pick 0 {desk.ana.token}x", NO_TOKEN)
        await ana.ask(f"pick 8 {desk.ana.token}", NOT_AVAILABLE)
        await ana.quiet()
        waiting = [f"new {ticket.json()}" for ticket in tickets]
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0", *waiting)
        await ana.ask(f"accept {tickets[1].id}", f"success claimed {tickets[1].id}")
        # Once more says what waits now; who stands up is told nothing more.
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0", waiting[0], waiting[2])
        await ana.ask("unpick", "success unpick", "taken")
        await kiosk.take_ticket()
        await ana.quiet()


@pytest.mark.parametrize("verb", ["accept", "cancel", "complete"])
async def test_why_a_ticket_is_refused(desk: Desk, verb: str) -> None:
    async with desk.wires("kiosk", "staff", "staff") as (kiosk, ana, ben):
        ticket = await kiosk.take_ticket()
        await ana.ask(verb, f"error {verb} missing arguments")
        await ana.ask(f"{verb} ", f"error {verb} missing arguments")
        for ticket_id in (f"{ticket.id}", "0", "nonsense"):
            await ana.ask(f"{verb} {ticket_id}", NO_TABLE[verb])
        await ben.ask(f"pick 2 {desk.ben.token}", "success pick 2", f"new {ticket.json()}")
        await ana.expect("taken 2")
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0", f"new {ticket.json()}")
        unknown = (
            "0",
            "999999999999999999",
            "9" * 19,
            "-1",
            "1.0",
            "a",
            f"{ticket.id} ",
            f" {ticket.id}",
            "١",
        )
        for ticket_id in unknown:
            await ana.ask(f"{verb} {ticket_id}", f"error {verb} ticket id does not exist")
        if verb != "accept":
            await ana.ask(f"{verb} {ticket.id}", f"error {verb} you do not own this ticket")
        await ben.ask(f"accept {ticket.id}", f"success claimed {ticket.id}")
        await ana.expect(f"claimed {ticket.json('Ben')}")
        problem = "this ticket is now claimed" if verb == "accept" else "you do not own this ticket"
        await ana.ask(f"{verb} {ticket.id}", f"error {verb} {problem}")
        for end in ("complete", "cancel"):
            await ben.ask(f"{end} {ticket.id}", f"success {end} {ticket.id}")
            over = f"error {verb} the ticket has already been completed or cancelled"
            await ana.ask(f"{verb} {ticket.id}", over)
            await ben.ask(f"{verb} {ticket.id}", over)
            ticket = await kiosk.take_ticket()
            await ana.expect(f"new {ticket.json()}")
            await ben.ask(f"accept {ticket.id}", f"new {ticket.json()}", f"success claimed {ticket.id}")
            await ana.expect(f"claimed {ticket.json('Ben')}")
            await ben.ask(f"accept {ticket.id}", "error accept this ticket is now claimed")


async def test_why_a_table_is_refused(desk: Desk) -> None:
    async with desk.wires("display", "staff", "staff") as (display, ana, ben):
        await ben.ask(f"pick 2 {desk.ben.token}", "success pick 2")
        await display.expect("pick 2")
        await ana.expect("taken 2")
        for line in ("pick", "pick ", "pick 0", "pick 0 ", f"pick  {desk.ana.token}"):
            await ana.ask(line, "error pick missing arguments")
        tokens = ("x", desk.ana.token[:-1], desk.ana.token.upper(), f"{desk.ana.token} ", "ü" * 64, "t" * 500)
        for token in tokens:
            # The token is looked at first.
            for table in ("0", "2", "8", "x"):
                await ana.ask(f"pick {table} {token}", NO_TOKEN)
        for table in ("2", "8", "9", "x", "-1", "1.0", "00000", "99999", "٠", "Counter"):
            await ana.ask(f"pick {table} {desk.ana.token}", NOT_AVAILABLE)
        await ana.ask("unpick", "error unpick you do not have a table assigned")
        await ana.ask("unpick 2", "error unpick too many arguments")
        await display.quiet()
        await ben.ask("unpick 2", "error unpick too many arguments")
        await ben.ask("unpick", "success unpick", "taken")
        await ben.ask("unpick", "error unpick you do not have a table assigned")
        await ben.ask("accept 1", NO_TABLE["accept"])


@pytest.mark.parametrize("page", ["staff", "kiosk", "display"])
async def test_what_no_socket_understands(desk: Desk, page: str) -> None:
    verbs = {"staff": ["pick", "accept", "unpick"], "kiosk": ["new", "query", "once"], "display": []}
    async with desk.wires(page) as (wire,):
        for line, verb in (
            ("nonsense", "nonsense"),
            ("nonsense and more", "nonsense"),
            ("NEW a@b.example A", "NEW"),
            ("claimed 1", "claimed"),
            ("ünï→ x", "ünï→"),
            ("new\ta@b.example A", "new\ta@b.example"),
            *((f"{verb} 1 2", verb) for page_, own in verbs.items() if page_ != page for verb in own),
        ):
            await wire.ask(line, f"error {verb} unknown command")
        for line in ("", " ", " new a@b.example A", "\n"):
            await wire.ask(line, "error unknown command")


async def test_moving_to_another_table(desk: Desk) -> None:
    async with desk.wires("display", "kiosk", "staff", "staff") as (display, kiosk, ana, cho):
        ticket = await kiosk.take_ticket()
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0", f"new {ticket.json()}")
        await ana.ask(f"accept {ticket.id}", f"success claimed {ticket.id}")
        await ana.ask(f"pick 9 {desk.ana.token}", NOT_AVAILABLE)
        await ana.ask(f"pick 1 {desk.ana.token}x", NO_TOKEN)
        await display.expect("pick 0", f"claimed 0 {ticket.id}")
        await display.quiet()
        await ana.ask(f"pick 1 {desk.ana.token}", "success pick 1")
        await ana.quiet()
        await display.expect("unpick 0", "pick 1", f"claimed 1 {ticket.id}")
        await cho.expect("taken 0", "taken 1")
        await ana.ask(f"complete {ticket.id}", f"success complete {ticket.id}")
        await display.expect("complete 1")
        # A connection that changes hands takes nobody else's table with it: first that one is let go.
        await ana.ask(f"pick 2 {desk.ben.token}", "taken", "success pick 2")
        await display.expect("unpick 1", "pick 2")
        await cho.expect("taken", "taken 2")
        await cho.quiet()


async def test_two_connections_of_one_person_hold_one_table(desk: Desk) -> None:
    pages = ("display", "kiosk", "staff", "staff", "staff")
    async with desk.wires(*pages) as (display, kiosk, cho, first, second):
        await first.ask(f"pick 1 {desk.ana.token}", "success pick 1")
        await second.expect("taken 1")
        await second.ask(f"pick 1 {desk.ana.token}", "success pick 1")
        ticket = await kiosk.take_ticket()
        for wire in (first, second):
            await wire.expect(f"new {ticket.json()}")
        await first.ask(f"accept {ticket.id}", f"success claimed {ticket.id}")
        await second.expect(f"claimed {ticket.json('Ana')}")
        before = desk.connections()
        await first.drop()
        await eventually(lambda: desk.connections() == before - 1, what="the end of one connection")
        await second.ask(f"complete {ticket.id}", f"success complete {ticket.id}")
        async with await desk.wire("staff") as third:
            await third.expect("taken 1")
            await third.ask(f"pick 1 {desk.ana.token}", "success pick 1")
            # Whoever leaves the table leaves it with every connection.
            await second.ask("unpick", "success unpick", "taken")
            await third.expect("taken")
            await third.ask("unpick", "error unpick you do not have a table assigned")
        await display.expect("pick 1", f"claimed 1 {ticket.id}", "complete 1", "unpick 1")
        await cho.expect("taken 1", "taken")
        await display.quiet()
        await cho.quiet()


async def test_who_comes_back_in_time_was_never_gone(desk: Desk) -> None:
    async with desk.wires("display", "kiosk", "staff") as (display, kiosk, cho):
        ticket = await kiosk.take_ticket()
        before = desk.connections()
        ana = await desk.wire("staff")
        await ana.expect("taken")
        await ana.ask(f"pick 1 {desk.ana.token}", "success pick 1", f"new {ticket.json()}")
        await ana.ask(f"accept {ticket.id}", f"success claimed {ticket.id}")
        await display.expect("pick 1", f"claimed 1 {ticket.id}")
        await cho.expect("taken 1")
        await ana.drop()
        await eventually(lambda: desk.connections() == before, what="the end of the connection")
        other = await kiosk.take_ticket()
        await cho.ask(f"pick 1 {desk.cho.token}", NOT_AVAILABLE)
        async with await desk.wire("staff") as again:
            await again.expect("taken 1")
            await again.ask(f"pick 1 {desk.ana.token}", "success pick 1", f"new {other.json()}")
            await display.quiet()
            await cho.quiet()
            await again.ask(f"complete {ticket.id}", f"success complete {ticket.id}")
            await display.expect("complete 1")


async def test_who_comes_back_too_late_has_the_tickets_and_no_table(
    start_embedded: StartServer, seed: Seed
) -> None:
    # As short as it can be: 3 s.
    desk = Desk(start_embedded({"TICKETING_GRACE_S": "0"}), seed.keys["site"])
    async with desk.wires("display", "kiosk", "staff", "staff") as (display, kiosk, ana, cho):
        ticket = await kiosk.take_ticket()
        await ana.ask(f"pick 1 {desk.ana.token}", "success pick 1", f"new {ticket.json()}")
        await ana.ask(f"accept {ticket.id}", f"success claimed {ticket.id}")
        await display.expect("pick 1", f"claimed 1 {ticket.id}")
        await cho.expect("taken 1")
        await ana.drop()
        await display.expect("unpick 1")
        await cho.expect("taken")
        await cho.ask(f"pick 1 {desk.cho.token}", "success pick 1")
        await cho.ask(f"complete {ticket.id}", "error complete you do not own this ticket")
        async with await desk.wire("staff") as again:
            await again.expect("taken 1")
            await again.ask(f"complete {ticket.id}", NO_TABLE["complete"])
            await again.ask(f"pick 1 {desk.ana.token}", NOT_AVAILABLE)
            await again.ask(f"pick 2 {desk.ana.token}", "success pick 2")
            await again.ask(f"complete {ticket.id}", f"success complete {ticket.id}")
        await display.expect("pick 1", "pick 2", f"claimed 2 {ticket.id}", "complete 2")
    desk.close()


async def test_a_display_that_comes_is_told_what_is(desk: Desk) -> None:
    async with desk.wires("kiosk", "staff", "staff", "display") as (kiosk, ana, ben, early):
        tickets = [await kiosk.take_ticket() for _ in range(4)]
        for wire, person, table in ((ben, desk.ben, 2), (ana, desk.ana, 0)):
            await wire.send(f"pick {table} {person.token}")
            while await wire.next() != f"success pick {table}":
                pass
        # Ben calls two, the younger one first; Ana one in between.
        for wire, number in ((ben, 1), (ana, 2), (ben, 0)):
            ticket_id = tickets[number].id
            await wire.send(f"accept {ticket_id}")
            while await wire.next() != f"success claimed {ticket_id}":
                pass
        told = ["pick 0", "pick 2", f"claimed 0 {tickets[2].id}"]
        told += [f"claimed 2 {tickets[1].id}", f"claimed 2 {tickets[0].id}"]
        async with await desk.wire("display") as late:
            await late.expect(*told)
            await late.quiet()
        calls = [f"claimed 2 {tickets[1].id}", f"claimed 0 {tickets[2].id}", f"claimed 2 {tickets[0].id}"]
        await early.expect("pick 2", "pick 0", *calls)
        await early.quiet()


async def test_of_those_who_want_the_same_one_gets_it(desk: Desk) -> None:
    async with desk.wires("kiosk", "staff", "staff") as (kiosk, ana, ben):
        clerks = ((ana, desk.ana), (ben, desk.ben))
        for table in (0, 1, 2):
            await asyncio.gather(*(wire.send(f"pick {table} {person.token}") for wire, person in clerks))
            answers = [await answer_of(wire, "success pick", "error") for wire, _ in clerks]
            assert sorted(answers) == [NOT_AVAILABLE, f"success pick {table}"]
            winner = clerks[answers.index(f"success pick {table}")][0]
            await winner.ask("unpick", "success unpick")
        for number, (wire, person) in enumerate(clerks):
            await wire.send(f"pick {number} {person.token}")
            await answer_of(wire, "success pick")
        for _ in range(5):
            ticket = await kiosk.take_ticket()
            await asyncio.gather(*(wire.send(f"accept {ticket.id}") for wire, _ in clerks))
            answers = [await answer_of(wire, "success claimed", "error") for wire, _ in clerks]
            assert sorted(answers) == [
                "error accept this ticket is now claimed",
                f"success claimed {ticket.id}",
            ]


async def answer_of(wire: Wire, *starts: str) -> str:
    """The next line that starts so, passing over others."""
    while not (line := await wire.next()).startswith(starts):
        pass
    return line


async def test_what_managers_do_is_seen_on_sockets(desk: Desk) -> None:
    async with desk.wires("display", "kiosk", "staff", "staff") as (display, kiosk, ana, cho):
        await ana.ask(f"pick 1 {desk.ana.token}", "success pick 1")
        served, waits = await kiosk.take_ticket(), await kiosk.take_ticket()
        await ana.expect(f"new {served.json()}", f"new {waits.json()}")
        await ana.ask(f"accept {served.id}", f"success claimed {served.id}")
        desk.manage("POST", f"tickets/{served.id}/release")
        await ana.expect(f"new {served.json()}")
        desk.manage("POST", f"tickets/{waits.id}/cancel")
        line = await ana.next()
        found = re.fullmatch(rf'claimed .*"end":"({TIME})"}}', line)
        assert found, line
        assert line == f"claimed {waits.json(end=found[1])}"
        desk.manage("POST", "tables/1/free")
        await ana.expect("taken")
        await ana.ask(f"accept {served.id}", NO_TABLE["accept"])
        await display.expect("pick 1", f"claimed 1 {served.id}", "cancel 1", "unpick 1")
        await cho.expect("taken 1", "taken")

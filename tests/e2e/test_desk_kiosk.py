"""Kiosks on both servers: taking tickets, asking for names, and why it may not work."""

from __future__ import annotations

from tests.e2e.desk import Desk

INVALID = "error new the email address is not valid"
MISSING = "error new the name is missing"


async def test_a_visitor_is_known_by_address(desk: Desk) -> None:
    async with desk.wires("kiosk", "kiosk") as (kiosk, other):
        await kiosk.ask("query grace@example.org", "error query visitor email does not exist")
        first = await kiosk.take_ticket("grace@example.org", "Grace")
        await other.ask("query grace@example.org", "success query Grace")
        # A ticket keeps the name it was taken with; the visitor's is brought up to date.
        second = await other.take_ticket("GRACE@Example.ORG", "Grace Hopper")
        assert second.id > first.id
        await kiosk.ask("query Grace@example.org", "success query Grace Hopper")
        await kiosk.ask("query grace@example.org ", "error query visitor email does not exist")


async def test_names_are_tidied_up(desk: Desk) -> None:
    async with desk.wires("kiosk") as (kiosk,):
        for sent in ("  Ada\t Love\x01lace ", "Ada Love\u2028lace", "\x00Ada\x7f Love\x85lace\r\n"):
            await kiosk.send(f"new ada@example.org {sent}")
            assert '"email":"ada@example.org","name":"Ada Love lace","staff"' in await kiosk.next()
        await kiosk.take_ticket("ada@example.org", "ü" * 200)
        await kiosk.ask("query ada@example.org", f"success query {'ü' * 200}")


REFUSED = [
    ("new", "error new missing arguments"),
    ("new ", "error new missing arguments"),
    ("new  ada@example.org Ada", "error new missing arguments"),
    ("new ada@example.org", MISSING),
    ("new ada@example.org ", MISSING),
    ("new ada@example.org \t \x00\u2029", MISSING),
    (f"new ada@example.org {'ü' * 201}", "error new the name is too long"),
    ("new ada Ada", INVALID),
    # The address is looked at first.
    ("new ada", INVALID),
    ("new ada@ Ada", INVALID),
    ("new @example.org Ada", INVALID),
    (f"new {'a' * 60}@{'b.' * 110}example.org Ada", INVALID),
    (f"new ada {'ü' * 201}", INVALID),
    ("query", "error query missing arguments"),
    ("query ", "error query missing arguments"),
    ("query nobody@example.org", "error query visitor email does not exist"),
    ("query ada example", "error query visitor email does not exist"),
    ("once", "error once missing arguments"),
    ("once 12345678", "error once missing arguments"),
    ("once 1234567 new ada@example.org Ada", "error once the key is not valid"),
    (f"once {'k' * 65} new ada@example.org Ada", "error once the key is not valid"),
    ("once 1234567! new ada@example.org Ada", "error once the key is not valid"),
    ("once 12345678 query ada@example.org", "error once unknown command"),
    ("once 12345678 new", "error new missing arguments"),
    ("once 12345678 new ada@example.org", MISSING),
]


async def test_why_a_kiosk_is_refused(desk: Desk) -> None:
    async with desk.wires("kiosk") as (kiosk,):
        for line, answer in REFUSED:
            await kiosk.ask(line, answer)
        await kiosk.quiet()


async def test_a_ticket_asked_for_twice_is_one(desk: Desk) -> None:
    async with desk.wires("kiosk", "kiosk", "staff") as (kiosk, other, ana):
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0")
        # The servers have one database each, and no test makes another key.
        line = "once Zq1_mB4f-Xo8s new ada@example.org Ada"
        await kiosk.send(line)
        answer = await kiosk.next()
        assert answer.startswith("success new {")
        await kiosk.ask(line, answer)
        await other.ask(line, answer)
        await ana.expect(answer.removeprefix("success "))
        await ana.quiet()


async def test_names_are_told_30_times_a_minute(desk: Desk) -> None:
    async with desk.wires("kiosk", "kiosk") as (kiosk, other):
        await kiosk.take_ticket("ada@example.org", "Ada")
        for _ in range(15):
            await kiosk.ask("query ada@example.org", "success query Ada")
            # Asking for nobody counts as well: it tells who does not come here.
            await kiosk.ask("query nobody@example.org", "error query visitor email does not exist")
        for _ in range(3):
            await kiosk.ask("query ada@example.org", "error query too many requests")
        await kiosk.take_ticket("ada@example.org", "Ada")
        await other.ask("query ada@example.org", "success query Ada")

"""Whatever happens: every process's copy is the database, and what anybody was told adds up to the truth.

Random sequences of what kiosks, staff, managers, databases and networks do, on two processes whose clock,
commits and bus Hypothesis turns (`tests.ticketing.replica_world`).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ticketing.desk import Desk
from tests.ticketing.replica_world import KIOSK, STAFF, Client, Process, World, as_shown
from ticketing.models import Staff, Table, Ticket, TicketEvent, Visitor
from ticketing.protocol.messages import (
    Accepted,
    Cancelled,
    Completed,
    Failure,
    Picked,
    TicketCreated,
    Unpicked,
)
from ticketing.rules import DISPLAY
from ticketing.selectors.floor import load_floor
from ticketing.services import arrivals, people, tables, tickets, visitors

# How often each happens, among all that does.
STEPS = {
    "commit": 12,
    "hear": 12,
    "take_ticket": 6,
    "accept": 6,
    "pick": 5,
    "check": 5,
    "complete": 3,
    "cancel": 2,
    "unpick": 2,
    "claim_next": 3,
    "transfer": 3,
    "release": 2,
    "recall": 2,
    "no_show": 1,
    "end_by_manager": 2,
    "pause": 2,
    "resume": 1,
    "free": 1,
    "change_table": 1,
    "change_staff": 1,
    "revoke": 1,
    "erase": 1,
    "connect": 4,
    "drop": 3,
    "kill": 1,
    "lose": 2,
    "tick": 3,
    "wait": 3,
    "fall_silent": 1,
    "come_back": 2,
    "outage": 1,
    "trouble": 1,
    "flush": 2,
}
steps = st.lists(
    st.tuples(
        st.sampled_from([name for name, weight in STEPS.items() for _ in range(weight)]),
        st.integers(0, 59),
        st.integers(0, 59),
    ),
    min_size=30,
    max_size=80,
)


# Each answer with what asks for it, and what is then in the journal.
ANSWERS = {
    Picked: ("pick", "picked", "returned"),
    Unpicked: ("unpick", "unpicked"),
    Accepted: ("accept", "claimed"),
    Completed: ("complete", "completed"),
    Cancelled: ("cancel", "cancelled"),
    TicketCreated: ("new", "created"),
}


class Play:
    """What the steps do in a `World`; `a` and `b` choose among what there is."""

    def __init__(self, world: World, desk: Desk) -> None:
        self.world = world
        self.staff = [desk.ana, desk.ben, desk.chidi]
        self.tokens = [people.issue_token(staff=staff) for staff in self.staff]
        self._visits = 0

    async def open(self) -> None:
        """A morning: at each process all kinds of clients; two of the staff at tables, three in line."""
        for number in range(2):
            process = await self.world.start()
            for kind in (STAFF, DISPLAY, KIOSK):
                await self.world.connect(process, kind, extended=True)
                await self.world.connect(process, kind, extended=False)
            sitting = self.world.clients[-6 + number]
            sitting.ask("pick", "pick", str(number), self.tokens[number])
        for number in range(3):
            self.manage(arrivals.create_ticket, email=f"visitor{number}@example.org", name="Early")
        await self.world.quiesce()

    # -- who and what ----------------------------------------------------------------------------

    def client(self, kind: str, a: int) -> Client | None:
        clients = [client for client in self.world.clients if client.kind == kind]
        return clients[a % len(clients)] if clients else None

    def process(self, a: int) -> Process:
        return self.world.processes[a % 2]

    def ticket(self, b: int, *, served: bool = False) -> int:
        """A ticket's id: mostly of one that is open, sometimes of another, or of none."""
        floor = self.world.observer
        ids = list(floor.owner) if served else [*floor.waiting, *floor.owner]
        ids += [] if ids and b % 7 else list(Ticket.objects.values_list("pk", flat=True))
        return ids[b % len(ids)] if ids else 404

    def owner(self, ticket_id: int, b: int) -> int:
        """Mostly the owner of a ticket, sometimes somebody else."""
        owner = self.world.observer.owner.get(ticket_id, 0)
        return owner if owner and b % 5 else self.staff[b % 3].pk

    def command(self, verb: str, method: str, a: int, b: int, *, served: bool) -> None:
        if client := self.client(STAFF, a):
            client.ask(verb, method, self.ticket(b, served=served))

    def manage(self, service: Callable[..., Any], **arguments: Any) -> None:
        self.world.manage(partial(service, **arguments))

    # -- clients ---------------------------------------------------------------------------------

    async def connect(self, a: int, b: int) -> None:
        kind = (STAFF, STAFF, DISPLAY, KIOSK)[b % 4]
        await self.world.connect(self.process(a), kind, extended=b % 8 < 4)

    async def drop(self, a: int, b: int) -> None:
        if self.world.clients:
            client = self.world.clients[a % len(self.world.clients)]
            await self.world.drop(client, abruptly=bool(b % 2))

    async def pick(self, a: int, b: int) -> None:
        if client := self.client(STAFF, a):
            client.ask("pick", "pick", str(b % 4), self.tokens[b % 3])

    async def unpick(self, a: int, b: int) -> None:
        if client := self.client(STAFF, a):
            client.ask("unpick", "unpick")

    async def accept(self, a: int, b: int) -> None:
        self.command("accept", "accept", a, b, served=False)

    async def complete(self, a: int, b: int) -> None:
        self.command("complete", "complete", a, b, served=True)

    async def cancel(self, a: int, b: int) -> None:
        self.command("cancel", "cancel", a, b, served=True)

    async def take_ticket(self, a: int, b: int) -> None:
        email, key = f"visitor{b % 5}@example.org", f"key-of-{b}" if b % 3 == 0 else None
        if client := self.client(KIOSK, a):
            self._visits += 1
            client.ask("new", "take_ticket", email=email, name=f"Visitor {self._visits}", key=key)
        else:
            self.manage(arrivals.create_ticket, email=email, name="By hand")

    # -- managers, and staff over HTTP -----------------------------------------------------------

    async def claim_next(self, a: int, b: int) -> None:
        self.manage(tickets.claim_next, staff_id=self.staff[a % 3].pk)

    async def release(self, a: int, b: int) -> None:
        ticket_id = self.ticket(b, served=True)
        self.manage(
            tickets.release_ticket,
            ticket_id=ticket_id,
            staff_id=self.owner(ticket_id, b) if a % 2 else None,
        )

    async def recall(self, a: int, b: int) -> None:
        ticket_id = self.ticket(b, served=True)
        self.manage(tickets.recall_ticket, ticket_id=ticket_id, staff_id=self.owner(ticket_id, b))

    async def transfer(self, a: int, b: int) -> None:
        ticket_id = self.ticket(b, served=True)
        staff_id = self.owner(ticket_id, b) if a % 2 else None
        self.manage(tickets.transfer_ticket, ticket_id=ticket_id, staff_id=staff_id, table=a % 3)

    async def no_show(self, a: int, b: int) -> None:
        self.manage(tickets.mark_no_show, ticket_id=self.ticket(b, served=True), staff_id=None)

    async def end_by_manager(self, a: int, b: int) -> None:
        end = tickets.cancel_ticket if a % 2 else tickets.complete_ticket
        self.manage(end, ticket_id=self.ticket(b), staff_id=None)

    async def pause(self, a: int, b: int) -> None:
        self.manage(tables.pause_table, number=a % 3, staff_id=None)

    async def resume(self, a: int, b: int) -> None:
        self.manage(tables.resume_table, number=a % 3, staff_id=None)

    async def free(self, a: int, b: int) -> None:
        self.manage(tables.free_table, number=a % 3)

    async def change_table(self, a: int, b: int) -> None:
        table = Table.objects.get(number=a % 4)
        table.name, table.is_active = f"Counter {b}", b % 3 > 0
        self.manage(tables.save_table, table=table)

    async def change_staff(self, a: int, b: int) -> None:
        staff = Staff.objects.get(pk=self.staff[a % 3].pk)
        staff.is_active = not staff.is_active
        self.manage(people.save_staff, staff=staff)
        if staff.is_active:
            self.tokens[a % 3] = people.issue_token(staff=staff)

    async def revoke(self, a: int, b: int) -> None:
        self.manage(people.revoke_token, token=self.tokens[a % 3])
        self.tokens[a % 3] = people.issue_token(staff=self.staff[a % 3])

    async def erase(self, a: int, b: int) -> None:
        if visitor := Visitor.objects.order_by("pk").first():
            self.manage(visitors.erase_visitor, visitor=visitor)

    # -- commits, the bus, time, trouble ---------------------------------------------------------

    async def commit(self, a: int, b: int) -> None:
        self.process(a).commit()

    async def hear(self, a: int, b: int) -> None:
        self.process(a).hear(b if b % 3 == 0 else 0)

    async def lose(self, a: int, b: int) -> None:
        self.process(a).lose(b)

    async def tick(self, a: int, b: int) -> None:
        await self.process(a).tick()

    async def flush(self, a: int, b: int) -> None:
        self.process(a).flush()

    async def wait(self, a: int, b: int) -> None:
        await self.world.pass_time(1 if b % 3 else 8)

    async def trouble(self, a: int, b: int) -> None:
        self.process(a).trouble = "in" if b % 3 else "before"

    async def fall_silent(self, a: int, b: int) -> None:
        self.world.database_away = True

    async def come_back(self, a: int, b: int) -> None:
        self.world.database_away = False

    async def outage(self, a: int, b: int) -> None:
        """One that lasts longer than anybody's table is kept."""
        self.world.database_away = True
        await self.world.pass_time(5)
        self.world.database_away = False
        await self.world.pass_time(5)

    async def kill(self, a: int, b: int) -> None:
        await self.world.kill(self.process(a))
        await self.world.start()

    async def check(self, a: int, b: int) -> None:
        self.world.check_clients()


async def play(world: World, desk: Desk, sequence: list[tuple[str, int, int]]) -> None:
    script = Play(world, desk)
    await script.open()
    try:
        for name, a, b in sequence:
            await getattr(script, name)(a, b)
            await world.settle()
            world.check_observer()
        await world.quiesce()
        world.check_observer()
        world.check_clients()
        check_ends(world)
    finally:
        for process in list(world.processes):
            await world.kill(process)


def check_ends(world: World) -> None:
    """When all is quiet: both processes have what the database has, and nothing is left behind."""
    truth = as_shown(load_floor())
    for process in world.processes:
        assert as_shown(process.live.floor) == truth
        assert process.live._answers == {}
        here = {client.outlet.id for client in world.clients if client.process is process}
        members = {member for group in process.rt.hub.groups.values() for member in group.members}
        assert members == here
        holders = {holder.outlet.id for sockets in process.sockets._by_pick.values() for holder in sockets}
        assert holders <= here
    assert world.failures == []
    for client in world.clients:
        check_answers(client)


def check_answers(client: Client) -> None:
    """Everything asked for was answered once, and done once where the answer says so."""
    failed = sum(isinstance(message, Failure) for message in client.told)
    succeeded = Counter(type(message) for message in client.told if isinstance(message, tuple(ANSWERS)))
    assert failed + succeeded.total() == client.asked.total()
    done = Counter(
        TicketEvent.objects.filter(origin__startswith=client.outlet.id).values_list("kind", flat=True)
    )
    for answer, (verb, *kinds) in ANSWERS.items():
        times = sum(done[kind] for kind in kinds)
        assert times <= client.asked[verb]
        # A request for a ticket that was sent twice is answered again, and a commit of which nobody knew
        # may have been one.
        assert answer is TicketCreated or succeeded[answer] <= times


@given(sequence=steps)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_anybody_was_told_is_what_a_newcomer_is_told(
    sequence: list[tuple[str, int, int]], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(django_settings, "TICKETING_GRACE_S", 6.0)
        world = World(patch)
        with asyncio.Runner() as runner:
            runner.run(play(world, desk, sequence))
        transaction.set_rollback(True)

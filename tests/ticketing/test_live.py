"""The desk, live in one process: pictures, changes, and answers at their places."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from realtime.clock import FakeClock
from realtime.db import in_db_thread
from realtime.errors import Refused
from realtime.runtime import EVERY_PROCESS, Runtime
from realtime.user_tokens import ACCESS_CHANGED
from tests.realtime.fakes import FakeOutlet
from tests.ticketing.desk import Desk
from ticketing.models import Pick
from ticketing.rules import DISPLAY, KIOSK
from ticketing.services import arrivals, device_sockets, live, people, sockets, tables, tickets, tokens
from ticketing.services.device_sockets import DeviceSocket
from ticketing.services.live import LiveFloor
from ticketing.services.sockets import Sockets, StaffSocket

pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


class Line:
    """What one socket was told; `take` gives what is new."""

    def __init__(self, outlet_id: str) -> None:
        self.out = FakeOutlet(outlet_id)
        self._seen = 0

    def take(self, rt: Runtime) -> list[str]:
        rt.hub.flush()
        told = [head.decode() for head in self.out.got[self._seen :]]
        self._seen += len(told)
        return [_short(text) for text in told]


def _short(text: str) -> str:
    """A line with its ticket's JSON as ``#id staff``."""
    head, brace, tail = text.partition("{")
    if not brace or text.startswith(("ticket", "table", "line")):
        return text
    ticket = json.loads(brace + tail)
    return f"{head}#{ticket['id']}" + ("" if ticket["staff"] == "{}" else f" {ticket['staff']}")


class Hall:
    """The desk with its sockets, in the test's process."""

    def __init__(self, rt: Runtime, desk: Desk) -> None:
        self.rt, self.desk = rt, desk
        self.tokens = {}
        self._count = 0

    async def staff(self, *, extended: bool = False) -> tuple[StaffSocket, Line]:
        line = self._line("staff")
        socket = StaffSocket(line.out, extended=extended)
        socket.arrive()
        return socket, line

    async def seated(self, name: str, table: int) -> tuple[StaffSocket, Line]:
        socket, line = await self.staff()
        await socket.pick(str(table), await self.token(name))
        line.take(self.rt)
        return socket, line

    async def device(self, kind: str, *, extended: bool = False) -> tuple[DeviceSocket, Line]:
        line = self._line(kind)
        socket = DeviceSocket(line.out, extended=extended, device=None)
        socket.arrive(kind)
        return socket, line

    async def token(self, name: str) -> str:
        if name not in self.tokens:
            self.tokens[name] = await in_db_thread(people.issue_token, staff=getattr(self.desk, name))
        return self.tokens[name]

    async def do(self, change: Callable, /, **arguments) -> object:
        """A change by somebody else, told here when this returns."""
        result = await in_db_thread(change, **arguments)
        await self.settle()
        return result

    async def settle(self) -> None:
        await self.rt.part(LiveFloor)._follower.catch_up()

    def _line(self, kind: str) -> Line:
        self._count += 1
        return Line(f"{kind}_{self._count}")


@pytest.fixture
async def hall(rt: Runtime, django_db_reset_sequences) -> Hall:
    desk = await in_db_thread(Desk)
    await sockets.ready()
    return Hall(rt, desk)


async def test_arrivals(hall: Hall, rt: Runtime) -> None:
    await hall.seated("ana", 0)
    _, staff = await hall.staff()
    assert staff.take(rt) == ["taken 0"]
    _, page = await hall.staff(extended=True)
    told = page.take(rt)
    assert told[0] == "taken 0"
    assert told[1] == 'table {"number":0,"name":"Counter 0","state":"free"}'
    assert told[4] == 'table {"number":3,"name":"Counter 3","state":"off"}'
    assert told[-2:] == ['line {"waiting":0,"estimate_s":0}', "ready"]
    _, kiosk = await hall.device(KIOSK)
    assert kiosk.take(rt) == []


async def test_a_display_is_told_as_if_it_had_been_there(hall: Hall, rt: Runtime) -> None:
    ana, _ = await hall.seated("ana", 1)
    await hall.seated("ben", 0)
    kiosk, _ = await hall.device(KIOSK)
    _, watching = await hall.device(DISPLAY)
    watching.take(rt)
    for name in ("A", "B"):
        await kiosk.take_ticket(email="a@example.org", name=name, key=None)
    await ana.accept(1)
    await ana.accept(2)
    assert watching.take(rt) == ["claimed 1 1", "claimed 1 2"]
    _, arriving = await hall.device(DISPLAY)
    assert arriving.take(rt) == ["pick 0", "pick 1", "claimed 1 1", "claimed 1 2"]
    await ana.complete(2)
    assert watching.take(rt) == arriving.take(rt) == ["complete 1", "claimed 1 1"]


async def test_a_pick_brings_everybody_who_waits_and_then_who_comes(hall: Hall, rt: Runtime) -> None:
    kiosk, at_kiosk = await hall.device(KIOSK)
    await kiosk.take_ticket(email="a@example.org", name="A", key=None)
    ana, line = await hall.staff()
    await ana.pick("0", await hall.token("ana"))
    assert line.take(rt) == ["taken", "success pick 0", "new #1"]
    await kiosk.take_ticket(email="b@example.org", name="B", key=None)
    assert line.take(rt) == ["new #2"]
    assert at_kiosk.take(rt) == ["success new #1", "success new #2"]


async def test_who_claims_is_answered_and_the_others_are_told(hall: Hall, rt: Runtime) -> None:
    ana, to_ana = await hall.seated("ana", 0)
    _again, to_again = await hall.seated("ana", 0)
    ben, to_ben = await hall.seated("ben", 1)
    await hall.do(hall.desk.ticket)
    for line in (to_ana, to_again, to_ben):
        assert line.take(rt) == ["new #1"]
    await ana.accept(1)
    assert to_ana.take(rt) == ["success claimed 1"]
    assert to_again.take(rt) == to_ben.take(rt) == ["claimed #1 Ana"]
    with pytest.raises(Refused, match="TICKET_CLAIMED"):
        await ben.accept(1)


async def test_an_answer_comes_at_the_place_of_its_entry(hall: Hall, rt: Runtime, monkeypatch) -> None:
    """Somebody releases a ticket the moment it is claimed. Told the other way round, the claimer would
    think for ever that the ticket is theirs."""
    ana, line = await hall.seated("ana", 0)
    await hall.do(hall.desk.ticket)
    line.take(rt)
    # The hints of both are held back, so that the process reads them together, late.
    held: list[dict[str, object]] = []
    floor = rt.part(LiveFloor)
    monkeypatch.setitem(rt._handlers, live.ENTRIES, [lambda group, message: held.append(message)])
    claiming = asyncio.create_task(ana.accept(1))
    async with asyncio.timeout(10):
        while not held:
            await asyncio.sleep(0)
    await in_db_thread(tickets.release_ticket, ticket_id=1, staff_id=None)
    assert not claiming.done()
    assert line.take(rt) == []
    await floor._follower.catch_up()
    await claiming
    assert line.take(rt) == ["success claimed 1", "new #1"]


async def test_moving_and_leaving(hall: Hall, rt: Runtime) -> None:
    ana, to_ana = await hall.seated("ana", 0)
    _, to_second = await hall.seated("ana", 0)
    _, waiting = await hall.staff()
    waiting.take(rt)
    await ana.pick("1", await hall.token("ana"))
    assert to_ana.take(rt) == ["success pick 1"]
    assert to_second.take(rt) == ["taken 1"], "her other socket has no table any more"
    assert waiting.take(rt) == ["taken 1"]
    await ana.unpick()
    assert to_ana.take(rt) == ["success unpick", "taken"]
    with pytest.raises(Refused, match="NO_TABLE"):
        await ana.unpick()
    await hall.do(hall.desk.ticket)
    assert to_ana.take(rt) == [], "visitors' data is for those with a table"


async def test_an_operator_frees_a_table(hall: Hall, rt: Runtime) -> None:
    _, to_ana = await hall.seated("ana", 0)
    _, display = await hall.device(DISPLAY)
    display.take(rt)
    await hall.do(tables.free_table, number=0)
    assert to_ana.take(rt) == ["taken"]
    assert display.take(rt) == ["unpick 0"]


async def test_a_waiting_ticket_that_is_cancelled_leaves_the_list(hall: Hall, rt: Runtime) -> None:
    _, to_ana = await hall.seated("ana", 0)
    await hall.do(hall.desk.ticket)
    to_ana.take(rt)
    await hall.do(tickets.cancel_ticket, ticket_id=1, staff_id=None)
    assert to_ana.take(rt) == ["claimed #1"]
    ended = json.loads(to_ana.out.got[-1].decode().partition(" ")[2])
    assert ended["staff"] == "{}"
    assert ended["end"] > ended["start"][:10]


async def test_a_request_sent_again_is_answered_again(hall: Hall, rt: Runtime) -> None:
    first, line = await hall.device(KIOSK)
    second, other = await hall.device(KIOSK, extended=True)
    _, to_ana = await hall.seated("ana", 0)
    other.take(rt)
    for socket in (first, first, second):
        await socket.take_ticket(email="a@example.org", name="A", key="key-12345")
    assert line.take(rt) == ["success new #1"] * 2
    assert other.take(rt) == [
        'line {"waiting":1,"estimate_s":null}',
        'ticket {"id":1,"label":"A-001","ahead":0,"estimate_s":0}',
        "success new #1",
    ]
    assert to_ana.take(rt) == ["new #1"]


async def test_pages_hear_more(hall: Hall, rt: Runtime) -> None:
    page, line = await hall.staff(extended=True)
    await page.pick("0", await hall.token("ana"))
    _, display = await hall.device(DISPLAY, extended=True)
    await hall.do(hall.desk.ticket)
    line.take(rt), display.take(rt)
    await page.accept(1)
    assert display.take(rt) == [
        'ticket {"id":1,"label":"A-001","table":0}',
        "claimed 0 1",
        "call 0 1",
        'table {"number":0,"name":"Counter 0","state":"serving"}',
        'line {"waiting":0,"estimate_s":null}',
    ]
    told = line.take(rt)
    assert told[0] == "success claimed 1"
    ticket = json.loads(told[1].removeprefix("ticket "))
    assert (ticket["state"], ticket["staff"], ticket["table"], ticket["label"]) == (
        "serving",
        "Ana",
        0,
        "A-001",
    )
    await page.complete(1)
    assert "call 0 1" not in display.take(rt)


async def test_going_back_to_an_earlier_ticket_is_no_call(hall: Hall, rt: Runtime) -> None:
    ana, _ = await hall.seated("ana", 0)
    for name in ("A", "B"):
        await hall.do(partial(hall.desk.ticket, name))
    await ana.accept(1)
    await ana.accept(2)
    _, display = await hall.device(DISPLAY, extended=True)
    display.take(rt)
    await ana.complete(2)
    told = display.take(rt)
    assert "claimed 0 1" in told
    assert not [text for text in told if text.startswith("call")]
    await hall.do(tickets.recall_ticket, ticket_id=1, staff_id=hall.desk.ana.pk)
    assert "call 0 1" in display.take(rt)


# --- Access, holding on ---------------------------------------------------------------------------


async def test_a_revoked_token_ends_the_view_of_visitors(hall: Hall, rt: Runtime) -> None:
    ana, line = await hall.seated("ana", 0)
    await hall.do(people.revoke_tokens, staff=hall.desk.ana)
    await rt.part(Sockets).recheck()
    assert line.take(rt) == ["taken 0"]
    await hall.do(hall.desk.ticket)
    assert line.take(rt) == []
    with pytest.raises(Refused, match="TOKEN_INVALID"):
        await ana.accept(1)
    with pytest.raises(Refused, match="NO_TABLE"):
        await ana.complete(1)
    await rt.part(Sockets).recheck()
    assert line.take(rt) == [], "said once"


async def test_tokens_are_looked_at_together_however_many_have_changed(
    hall: Hall, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, _ = await hall.seated("ana", 0)
    looks: list[set[str]] = []
    look = tokens.valid_digests
    monkeypatch.setattr(tokens, "valid_digests", lambda digests: looks.append(digests) or look(digests))
    for _ in range(20):
        rt.handle(EVERY_PROCESS, ACCESS_CHANGED, {})
    await hall.do(people.revoke_tokens, staff=hall.desk.ana)
    async with asyncio.timeout(5):
        while not ana.signed_out:
            await asyncio.sleep(0.001)
    assert 1 <= len(looks) <= 3


async def test_a_table_is_let_go_when_its_last_socket_leaves(hall: Hall, rt: Runtime, monkeypatch) -> None:
    let_go = []
    monkeypatch.setattr(tables, "let_go", let_go.append)
    first, _ = await hall.seated("ana", 0)
    second, _ = await hall.seated("ana", 0)
    await first.leave()
    assert let_go == []
    pick_id = second.pick_id
    await second.leave()
    assert let_go == [pick_id]


async def test_who_comes_back_within_the_grace_period_was_never_gone(hall: Hall, rt: Runtime) -> None:
    ana, _ = await hall.seated("ana", 0)
    _, display = await hall.device(DISPLAY)
    display.take(rt)
    await ana.leave()
    back, line = await hall.staff()
    await back.pick("0", await hall.token("ana"))
    assert line.take(rt) == ["taken 0", "success pick 0"]
    assert display.take(rt) == []


# --- Trouble --------------------------------------------------------------------------------------


async def test_without_the_database_a_command_says_so(hall: Hall, rt: Runtime, monkeypatch) -> None:
    kiosk, line = await hall.device(KIOSK)
    ana, _ = await hall.seated("ana", 0)

    def away(*_args, **_kwargs):
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(live, "change", away)
        patch.setattr(device_sockets.visitors, "find_name", away)
        for command in (
            kiosk.take_ticket(email="a@example.org", name="A", key=None),
            kiosk.find_name("a@example.org"),
            ana.unpick(),
        ):
            with pytest.raises(Refused, match="UNAVAILABLE"):
                await command
    await kiosk.take_ticket(email="a@example.org", name="A", key=None)
    assert line.take(rt) == ["success new #1"]


@pytest.mark.parametrize("what", ["start", "outage", "sleep"])
async def test_tables_are_not_let_go_before_their_holders_could_say_so(
    hall: Hall, rt: Runtime, monkeypatch, what: str
) -> None:
    await hall.seated("ana", 0)
    floor = rt.part(LiveFloor)
    rt.clock = clock = FakeClock()
    floor._round_at_ms = clock.time_ms()
    if what != "start":
        for _ in range(live.ROUNDS_TO_WAIT + 1):
            await floor._release_unheld()
    if what == "outage":
        with monkeypatch.context() as patch:
            patch.setattr(live, "release_unheld", mock.Mock(side_effect=OperationalError("away")))
            await floor._release_unheld()
    elif what == "sleep":
        clock.advance(60)
    await in_db_thread(Pick.objects.update, held_until=timezone.now() - timedelta(seconds=60))
    for _ in range(live.ROUNDS_TO_WAIT):
        await floor._release_unheld()
        assert await in_db_thread(Pick.objects.filter(released_at=None).count) == 1
    await floor._release_unheld()
    assert await in_db_thread(Pick.objects.filter(released_at=None).count) == 0


async def test_a_bug_in_one_command_fails_that_one(hall: Hall, rt: Runtime, monkeypatch) -> None:
    floor = rt.part(LiveFloor)

    def broken():
        raise KeyError("ours")

    answers = []
    outcomes = await asyncio.gather(
        floor.do(broken, origin="x", answer=answers.append),
        floor.do(
            partial(arrivals.create_ticket, email="a@example.org", name="A", origin="y"),
            origin="y",
            answer=answers.append,
        ),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], KeyError)
    assert outcomes[1] is None
    assert [entry.origin for entry in answers] == ["y"]


async def test_what_is_said_every_so_often_to_pages(hall: Hall, rt: Runtime) -> None:
    _, page = await hall.device(DISPLAY, extended=True)
    _, plain = await hall.device(DISPLAY)
    page.take(rt)
    await rt.part(LiveFloor)._say_hello()
    assert page.take(rt) == ['line {"waiting":0,"estimate_s":null}']
    assert plain.take(rt) == []

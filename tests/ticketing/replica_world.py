"""An installation of two processes in one thread, in which nothing happens unless a test says so.

The services, the followers of the journal, the sockets and the hub are the real ones. Replaced is what
decides *when*: database threads work at once, group commits wait for `Process.commit`, messages of the bus
lie in an inbox to be delivered in any order or lost, the hub's window and the time of day are turned by
hand. So a sequence of steps always gives the same result, and Hypothesis can search for a bad one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import TestCase
from django.utils import timezone

from realtime import db, runtime
from realtime.errors import FoyerError, Refused
from realtime.hub import Hub
from realtime.ids import random_id
from realtime.runtime import Runtime
from tests.realtime.fakes import FakeLoop, FakeOutlet
from ticketing import events
from ticketing.models import TicketEvent
from ticketing.protocol.client import DisplayView, StaffView
from ticketing.protocol.messages import ServerMessage
from ticketing.rules import DISPLAY, KIOSK, Entry, Floor
from ticketing.selectors.floor import list_entries, load_floor
from ticketing.services.device_sockets import DeviceSocket
from ticketing.services.journal import ENTRIES
from ticketing.services.live import Command, LiveFloor, commit_commands
from ticketing.services.sockets import Sockets, StaffSocket
from ticketing.services.tables import HOLD_INTERVAL_S

STAFF = "staff"


class AtOnce(Executor):
    """A pool of threads that has none: the work is done where it is handed in."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            if self._world.database_away:
                raise OperationalError("the database is away")
            future.set_result(self._world.committed(partial(fn, *args, **kwargs)))
        except Exception as error:  # noqa: BLE001 - as a pool does
            future.set_exception(error)
        return future


class WhenTold(Executor):
    """A pool whose work waits for `work`."""

    def __init__(self) -> None:
        self._jobs: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.append((future, partial(fn, *args, **kwargs)))
        return future

    def work(self) -> None:
        jobs, self._jobs = self._jobs, []
        for future, job in jobs:
            future.set_result(job())


class Unhurried(Runtime):
    """A runtime whose periodic work waits to be called, and which keeps what would be logged as an error."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.works: list[Callable[[], Any]] = []
        super().__init__()
        self.window: Any = FakeLoop()
        self.hub = Hub(self.window, self.bus)

    def every(self, interval_s: float, work: Callable[[], Any]) -> None:
        self.works.append(work)

    def _spawned_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.world.failures.append(error)
        super()._spawned_done(task)


class Process:
    """One server process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rt = Unhurried(world)
        self.inbox: list[tuple[str, dict[str, Any]]] = []
        # What the next commit does: "" succeeds, "before" and "in" fail, the latter once it is done.
        self.trouble = ""
        self.live = self.rt.part(LiveFloor)
        self.sockets = self.rt.part(Sockets)
        self._writer = WhenTold()
        self.live._commands._thread = self._writer  # type: ignore[assignment]
        self.live._commands._commit = self._commit

    def _commit(self, commands: Sequence[Command]) -> list[Entry | Exception]:
        if self.world.database_away or self.trouble == "before":
            self.trouble = ""
            raise OperationalError("the connection was lost")
        outcomes = self.world.committed(lambda: commit_commands(commands))
        if self.trouble == "in":
            self.trouble = ""
            raise OperationalError("the connection was lost, and nobody knows what became of the commit")
        return outcomes

    def commit(self) -> None:
        """Have the writer thread do what waits for it."""
        self._writer.work()

    def hear(self, index: int) -> None:
        """Take a message from the inbox, not necessarily the oldest."""
        if self.inbox:
            kind, message = self.inbox.pop(index % len(self.inbox))
            self.rt._deliver(runtime.EVERY_PROCESS, kind, message)

    def lose(self, index: int) -> None:
        """A message of the bus is lost. What changed access is looked up again on other occasions only."""
        if self.inbox and self.inbox[index % len(self.inbox)][0] == ENTRIES:
            self.inbox.pop(index % len(self.inbox))

    async def tick(self, *names: str) -> None:
        """Periodic work, all or that of these names, once."""
        for work in list(self.rt.works):
            if names and work.__name__ not in names:
                continue
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the runtime logs it as an error
                self.world.failures.append(error)

    def flush(self) -> None:
        """The end of the hub's window."""
        self.rt.window.advance(1)


class Client:
    """One socket: what it does goes through the real socket object, what it is told into its view."""

    def __init__(self, process: Process, kind: str, *, extended: bool) -> None:
        self.process, self.kind, self.extended = process, kind, extended
        self.outlet = FakeOutlet(random_id(kind, 16))
        self.view = StaffView() if kind == STAFF else DisplayView()
        self.told: list[ServerMessage] = []
        # By verb; what was still to be done when the connection closed is not asked any more.
        self.asked: Counter[str] = Counter()
        self._read = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()
        runtime._runtimes[process.rt.loop] = process.rt
        self.socket: Any = (
            StaffSocket(self.outlet, extended=extended)
            if kind == STAFF
            else DeviceSocket(self.outlet, extended=extended, device=None)
        )
        self.socket.arrive(*([] if kind == STAFF else [kind]))

    def ask(self, verb: str, method: str, *args: Any, **kwargs: Any) -> None:
        """Send a command; it is done after those sent before it."""
        self._tasks.append(asyncio.ensure_future(self._answered(verb, method, args, kwargs)))

    async def _answered(self, verb: str, method: str, args: Any, kwargs: Any) -> None:
        async with self._turn:
            if self.outlet.closed:
                return
            self.asked[verb] += 1
            try:
                await getattr(self.socket, method)(*args, **kwargs)
            except FoyerError as error:
                head = events.error(error, verb)
                assert head is not None
                self.outlet.send(head)
            except Exception as error:  # noqa: BLE001 - the consumer logs it as an error
                self.process.world.failures.append(error)

    def read(self) -> None:
        """Bring the view up to date with what has arrived."""
        self.process.flush()
        for head in self.outlet.got[self._read :]:
            self.told.append(self.view.apply(head))
        self._read = len(self.outlet.got)

    @property
    def busy(self) -> bool:
        return any(not task.done() for task in self._tasks)

    async def leave(self, *, abruptly: bool) -> None:
        """The connection ends: `abruptly` means that a command may go on beside its end."""
        if not abruptly:
            self.abandon()
            await asyncio.sleep(0)
        self.process.rt.hub.leave(self.outlet)
        self.outlet.detach()
        try:
            await self.socket.leave()
        except Exception as error:  # noqa: BLE001 - the consumer logs it as an error
            self.process.world.failures.append(error)

    def abandon(self) -> None:
        """Nobody waits for the answers any more."""
        for task in self._tasks:
            task.cancel()


class World:
    """Two processes, their clients, and everybody who manages the desk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.database_away = False
        self.failures: list[BaseException] = []
        self.clients: list[Client] = []
        self.processes: list[Process] = []
        self._left: list[Client] = []
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        monkeypatch.setattr(db, "_pool", AtOnce(self))
        monkeypatch.setattr(runtime, "send_from_thread", self._tell)
        # The event loop's thread is the only one there is, and the test's transaction is seen in it too.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        monkeypatch.setattr(connections, "_connections", SimpleNamespace(default=connections["default"]))
        self.observer = load_floor()
        self._looked = True

    def _tell(self, group: str, kind: str, message: dict[str, Any]) -> None:
        for process in self.processes:
            process.inbox.append((kind, message))

    def committed(self, work: Callable[[], Any]) -> Any:
        """Do `work` as a transaction of its own, with all that follows a commit."""
        self._looked = False
        with TestCase.captureOnCommitCallbacks(execute=True):
            return work()

    def manage(self, work: Callable[[], Any]) -> Any:
        """Somebody changes the desk by HTTP or in the admin, and may be refused."""
        if self.database_away:
            return None
        with suppress(Refused):
            return self.committed(work)

    async def start(self) -> Process:
        """One more process."""
        process = Process(self)
        self.processes.append(process)
        with suppress(Refused):
            await process.live.ready()
        return process

    async def kill(self, process: Process) -> None:
        """A process and its clients are gone, without a word."""
        self.processes.remove(process)
        for client in [*self.clients, *self._left]:
            if client.process is process:
                client.abandon()
        self.clients = [client for client in self.clients if client.process is not process]
        await process.rt.stop()

    async def connect(self, process: Process, kind: str, *, extended: bool) -> Client | None:
        """A socket; None while the desk is not available."""
        try:
            await process.live.ready()
        except Refused:
            return None
        client = Client(process, kind, extended=extended)
        self.clients.append(client)
        return client

    async def drop(self, client: Client, *, abruptly: bool) -> None:
        """A connection is lost."""
        self.clients.remove(client)
        self._left.append(client)
        await client.leave(abruptly=abruptly)

    async def settle(self) -> None:
        """Let everything go on that can go on by itself."""
        for _ in range(15):
            await asyncio.sleep(0)

    async def pass_time(self, rounds: int) -> None:
        """Time passes: so many rounds of those who hold tables, and of those who let them go."""
        for _ in range(rounds):
            self.now += timedelta(seconds=HOLD_INTERVAL_S)
            for process in self.processes:
                await process.tick("_hold", "_release_unheld")

    async def quiesce(self) -> None:
        """Everything that is under way comes to its end."""
        self.database_away = False
        for _ in range(20):
            for process in self.processes:
                await process.live.ready()
                process.trouble = ""
                process.commit()
                while process.inbox:
                    process.hear(0)
                await process.tick()
            await self.settle()
            if not any(client.busy for client in [*self.clients, *self._left]):
                return
        raise AssertionError("something never ends")

    # -- what must be true -----------------------------------------------------------------------

    def check_observer(self) -> None:
        """Whoever applies every entry in order has what the database has."""
        if self._looked:
            return
        self._looked = True
        lost = TicketEvent.objects.filter(seq__gt=self.observer.seq, actor="connection lost")
        held = {pick_id for process in self.processes for pick_id in process.sockets._by_pick}
        assert held.isdisjoint(lost.values_list("pick_id", flat=True)), "somebody is at that table"
        for entry in list_entries(self.observer.seq, 10_000):
            self.observer.apply(entry)
        assert as_shown(self.observer) == as_shown(load_floor())

    def check_clients(self) -> None:
        """What each was told, applied in order, is what a fresh connect at its process would be told."""
        for client in self.clients:
            client.read()
            known, fresh = view_of(client), fresh_view_of(client)
            for part, value in fresh.items():
                assert known[part] == value, f"{part} of {client.kind} after {client.told[-8:]}"


def as_shown(floor: Floor) -> dict[str, Any]:
    """A floor, comparable."""
    known = {seat.staff_id for seat in floor.seats.values()} | floor.serving.keys()
    return {
        "seq": floor.seq,
        "tables": floor.tables,
        "seats": floor.seats,
        "waiting": floor.line(),
        "serving": {staff_id: list(held.values()) for staff_id, held in floor.serving.items()},
        "owner": floor.owner,
        "names": {staff_id: floor.staff_names[staff_id] for staff_id in known},
        "calls": list(floor.calls),
        "called_to": floor.called_to,
    }


def view_of(client: Client) -> dict[str, Any]:
    """What a client knows."""
    view = client.view
    if isinstance(view, StaffView):
        known: dict[str, Any] = {"table": view.table, "waiting": view.waiting, "tickets": view.tickets}
        if view.table is None:
            known["taken"] = view.taken
        return known | {"tables": view.tables, "line": view.line}
    return {"tables": view.shown(), "states": view.states, "line": view.line}


def fresh_view_of(client: Client) -> dict[str, Any]:
    """What it would know if it came now, and sat down where it sits."""
    floor, extended = client.process.live.floor, client.extended
    fresh = Client.__new__(Client)
    fresh.view = StaffView() if client.kind == STAFF else DisplayView()
    match client.kind:
        case str() if client.kind == STAFF:
            heads = events.staff_arrival(floor, extended=extended)
            seats = {seat.pick_id: seat for seat in floor.seats.values()}
            if client.socket.pick_id is not None:
                heads += events.seated(floor, seats[client.socket.pick_id].table, extended=extended)
        case str() if client.kind == DISPLAY:
            heads = events.display_arrival(floor, extended=extended)
        case _:
            assert client.kind == KIOSK
            heads = events.kiosk_arrival(floor, extended=extended)
    for head in heads:
        fresh.view.apply(head)
    return view_of(fresh)

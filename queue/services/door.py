"""The door of one process: its connections, and what becomes of their tickets.

What others are told is a hint; what is in the database counts. So every hint has a slow double: the line is
read once a second, who was admitted as well, and what this process holds every half minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from queue.main_server import MainServer, make_main_server
from queue.services import policy, upkeep
from queue.services.board import Board
from queue.services.book import TOLD
from queue.services.commands import Command, Leave, Outcome, commit
from realtime import runtime
from realtime.db import DATABASE_TROUBLE, in_thread_of, unavailable
from realtime.errors import Refused
from realtime.group_commit import GroupCommit
from realtime.logs import get_logger

if TYPE_CHECKING:
    from queue.services.sockets import QueueSocket

log = get_logger(__name__)

ROUND_S: Final = 1.0
IDLE_ROUND_S: Final = 5.0
"""While nobody is connected."""

RECONCILE_S: Final = 30.0
ROUNDS_AFTER_OUTAGE: Final = 4
"""Rounds in which the database answers before anybody is taken for dead: time for all to show life."""

ARRIVED = "queue.arrived"
"""The bus message that says that an id has a newer connection: ``{"client_id", "connection", "at_ms"}``."""

P = ParamSpec("P")
T = TypeVar("T")


class Door:
    """One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self.runtime = rt
        self.board = rt.part(Board)
        self._commands: GroupCommit[Command, Outcome] = GroupCommit(commit)
        self._by_client: dict[str, QueueSocket] = {}
        self._by_ticket: dict[str, QueueSocket] = {}
        # Admitted before this process knew which connection has the ticket.
        self._early: set[str] = set()
        self._rounds_to_wait = 0
        self._serving_since_s = rt.loop.time()
        # What could not be committed when a connection was lost, and tickets that seem to have none.
        self._unsaid: list[Leave] = []
        self._orphans: set[str] = set()
        # Nothing that strangers have the database do may delay a sign of life.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="foyer-queue")
        rt.on(TOLD, self._on_told)
        rt.on(policy.CHANGED, self._on_changed)
        rt.on(ARRIVED, self._on_arrived)
        rt.bus.on_resync(self._reconcile_soon)
        rt.every(RECONCILE_S, self.reconcile)
        rt.spawn(self._look_after_line())

    @cached_property
    def main_server(self) -> MainServer:
        """Made when the first is to be logged in: many a process never needs one."""
        return make_main_server()

    # -- connections ---------------------------------------------------------------------------

    def add(self, socket: QueueSocket) -> None:
        """A connection was accepted. An older one of the same id, wherever it is, is closed."""
        if not self._by_client:
            self.board.look_soon()  # in a process without connections rounds are far apart
        older = self._by_client.get(socket.client_id)
        self._by_client[socket.client_id] = socket
        if older is not None:
            older.replaced()
        self.board.show_to(socket.outlet, extended=socket.extended)
        socket.arrived_ms = self.runtime.clock.time_ms()
        message = {
            "client_id": socket.client_id,
            "connection": socket.outlet.id,
            "at_ms": socket.arrived_ms,
        }
        self.runtime.bus.send(runtime.EVERY_PROCESS, ARRIVED, message)

    def discard(self, socket: QueueSocket) -> None:
        """A connection has closed."""
        if self._by_client.get(socket.client_id) is socket:
            del self._by_client[socket.client_id]
        self.forget_ticket(socket)

    def hold_ticket(self, socket: QueueSocket, ticket_id: str) -> bool:
        """This connection waits with that ticket; gives whether it was admitted meanwhile."""
        self.forget_ticket(socket)
        self._by_ticket[ticket_id] = socket
        early = ticket_id in self._early
        self._early.discard(ticket_id)
        return early

    def forget_ticket(self, socket: QueueSocket) -> None:
        if socket.ticket_id and self._by_ticket.get(socket.ticket_id) is socket:
            del self._by_ticket[socket.ticket_id]

    async def submit(self, command: Command) -> Any:
        """Commit a command, with others that come at the same time; gives what the command says it gives.

        Raises:
            Refused: as the command does; UNAVAILABLE if the database does not answer.
        """
        try:
            return await self._commands.submit(command)
        except DATABASE_TROUBLE:
            raise unavailable() from None

    # -- what happens to tickets -------------------------------------------------------------------

    def _on_told(self, _group: str, message: dict[str, Any]) -> None:
        for kind, ticket_id, holder, connection, position in message["tickets"]:
            if holder != self.runtime.process_id:
                continue
            socket = self._by_ticket.get(ticket_id)
            if socket is None or socket.outlet.id != connection:
                if kind == "admitted":
                    self._early.add(ticket_id)
            elif kind == "admitted":
                socket.admitted()
            elif kind == "removed":
                socket.removed()
            else:
                socket.moved(position)

    def _on_changed(self, _group: str, _message: dict[str, Any]) -> None:
        self.board.look_soon()

    def _on_arrived(self, _group: str, message: dict[str, Any]) -> None:
        socket = self._by_client.get(message["client_id"])
        mine = (socket.arrived_ms, socket.outlet.id) if socket is not None else None
        if socket is not None and mine is not None and mine < (message["at_ms"], message["connection"]):
            socket.replaced()

    # -- again and again ---------------------------------------------------------------------------

    async def _look_after_line(self) -> None:
        """A round each second, and at once when there is reason to look, until the process ends."""
        try:
            while True:
                await self.board.wait(ROUND_S if self._by_client else IDLE_ROUND_S)
                await self._try_round()
        finally:
            if "main_server" in self.__dict__:
                await self.main_server.close()
            self._thread.shutdown(wait=False)

    async def _try_round(self) -> None:
        try:
            await self._round()
        except DATABASE_TROUBLE as error:
            log.warning("queue.database_away", error=type(error).__name__)
            self._begin_anew()
            await asyncio.sleep(ROUND_S)
        except Exception:
            log.exception("queue.round_failed")
            await asyncio.sleep(ROUND_S)

    async def _round(self) -> None:
        process_id = self.runtime.process_id
        if self._by_client and self.board.age_s > upkeep.LEASE_S:
            # This machine slept: others may have let go what we hold, and they seem dead to us.
            self._begin_anew()
        await self._ask(upkeep.show_life, process_id)
        unsaid, self._unsaid = self._unsaid, []
        await asyncio.gather(*map(self.let_go, unsaid))
        view = await self._ask(
            upkeep.look_after_line,
            process_id,
            sweep=not self._rounds_to_wait,
            served_s=self.runtime.loop.time() - self._serving_since_s,
        )
        self.board.put_up(view)
        early, self._early = self._early, set()
        for ticket_id, connection in await self._ask(upkeep.list_admitted, process_id):
            socket = self._by_ticket.get(ticket_id)
            if socket is not None and socket.outlet.id == connection:
                socket.admitted()
            elif ticket_id in early:
                self._early.add(ticket_id)  # its connection is about to hear that it has this ticket
        if self._rounds_to_wait:
            self._rounds_to_wait -= 1
            if not self._rounds_to_wait:
                await self.reconcile()

    def _begin_anew(self) -> None:
        """Nobody could be heard for a while: whoever seems gone gets all their time again."""
        self._rounds_to_wait = ROUNDS_AFTER_OUTAGE
        self._serving_since_s = self.runtime.loop.time()

    async def _ask(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await in_thread_of(self._thread, function, *args, **kwargs)

    def _reconcile_soon(self) -> None:
        self.runtime.spawn(self.reconcile())

    async def reconcile(self) -> None:
        """Make sure that our connections hold what the database says they hold, and nobody else does."""
        try:
            held = await self._ask(upkeep.list_held, self.runtime.process_id)
            sockets = dict(self._by_ticket)
            await asyncio.gather(*(sockets[ticket_id].hold() for ticket_id in sockets.keys() - held.keys()))
            for ticket_id, (connection, position) in held.items():
                socket = self._by_ticket.get(ticket_id)
                if socket is not None and socket.outlet.id == connection and socket.position != position:
                    socket.moved(position)
            # Twice in a row, since one that has just joined is about to be known here.
            without = {ticket_id for ticket_id in held if ticket_id not in self._by_ticket}
            lost = without & self._orphans
            self._orphans = without - lost
            await asyncio.gather(*(self.let_go(Leave("", one, held[one][0])) for one in lost))
            await self._ask(upkeep.forget)
        except (*DATABASE_TROUBLE, Refused):
            self._begin_anew()

    async def let_go(self, leave: Leave) -> None:
        """A ticket has lost its connection. While the database is away that is remembered."""
        try:
            await self.submit(leave)
        except Refused:
            self._unsaid.append(leave)


def the_door() -> Door:
    """The running event loop's door."""
    return runtime.current().part(Door)


@runtime.on_start
def _open(rt: runtime.Runtime) -> None:
    rt.part(Door)

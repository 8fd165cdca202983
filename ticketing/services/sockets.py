"""The sockets of this process, and what one of staff does: who it is, what it may, which table it holds.

A consumer reads and writes frames; what a frame does is here, and for devices in `device_sockets`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from realtime import runtime
from realtime.close_codes import CloseCode
from realtime.db import DATABASE_TROUBLE, ask_database, in_db_thread
from realtime.errors import Refused
from realtime.outlet import Outlet
from realtime.tasks import OnDemand
from realtime.user_tokens import ACCESS_CHANGED
from ticketing import events
from ticketing.rules import Entry
from ticketing.services import devices, tables, tickets, tokens
from ticketing.services.live import LiveFloor
from ticketing.services.tokens import StaffLogin

if TYPE_CHECKING:
    from ticketing.services.device_sockets import DeviceSocket

# Tokens also expire by themselves, without anyone saying so.
RECHECK_INTERVAL_S = 30.0


class Sockets:
    """The sockets of one process. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self.live = rt.part(LiveFloor)
        self._staff: set[StaffSocket] = set()
        self._devices: set[DeviceSocket] = set()
        self._by_pick: dict[int, set[StaffSocket]] = defaultdict(set)
        self.live.watch(self._on_entry)
        # Counts what may have made tokens invalid: a pick that was under way meanwhile looks again.
        self.access_changes = 0
        self._rechecks = OnDemand(rt.spawn, self.recheck)
        rt.on(ACCESS_CHANGED, self._on_access_changed)
        rt.bus.on_resync(self.recheck_soon)
        rt.every(RECHECK_INTERVAL_S, self.recheck)
        rt.every(tables.HOLD_INTERVAL_S, self._hold)

    def add(self, socket: StaffSocket) -> None:
        self._staff.add(socket)

    async def discard(self, socket: StaffSocket) -> None:
        """Forget a socket that has closed; its table, if no other socket holds it, is let go."""
        self._staff.discard(socket)
        await self.leave_seat(socket)

    def add_device(self, socket: DeviceSocket) -> None:
        self._devices.add(socket)

    def discard_device(self, socket: DeviceSocket) -> None:
        self._devices.discard(socket)

    def take_seat(self, socket: StaffSocket, pick_id: int) -> None:
        """The socket holds this pick from now on, and no other."""
        self._stop_holding(socket)
        socket.pick_id = pick_id
        self._by_pick[pick_id].add(socket)

    async def leave_seat(self, socket: StaffSocket) -> None:
        """The socket does not hold its pick any more; without another that does, the grace period begins."""
        pick_id = socket.pick_id
        self._stop_holding(socket)
        if pick_id is not None:
            await self._let_go(pick_id)

    def let_go_soon(self, pick_id: int) -> None:
        """Begin the grace period of a pick that has no socket in this process, beside what goes on."""
        self._runtime.spawn(self._let_go(pick_id))

    def recheck_soon(self) -> None:
        """Have `recheck` run beside what goes on, once at a time; again if it is under way already."""
        self._rechecks.soon()

    async def recheck(self) -> None:
        """Put out those whose token is not valid any more. Two queries."""
        digests = {socket.login.digest for socket in self._staff if socket.login and not socket.signed_out}
        shown = {socket.device.pk: socket.device.token_digest for socket in self._devices if socket.device}
        try:
            valid = await in_db_thread(tokens.valid_digests, digests) if digests else set()
            let_in = await in_db_thread(devices.list_valid, shown) if shown else set()
        except DATABASE_TROUBLE:
            return  # the next round asks again
        for socket in list(self._staff):
            # Only those that were asked for: another may have signed in meanwhile.
            if socket.login and not socket.signed_out and socket.login.digest in digests - valid:
                await socket.sign_out()
        for device_socket in list(self._devices):
            device = device_socket.device
            if device and device.pk in shown.keys() - let_in:
                device_socket.outlet.close(CloseCode.FORBIDDEN, "this device is not let in any more")

    def _on_access_changed(self, group: str, message: dict[str, object]) -> None:
        self.access_changes += 1
        self.recheck_soon()

    async def _let_go(self, pick_id: int) -> None:
        if pick_id not in self._by_pick:
            # Unsaid, it happens all the same: nobody holds the pick any more.
            with suppress(*DATABASE_TROUBLE):
                await in_db_thread(tables.let_go, pick_id)

    async def _hold(self) -> None:
        if self._by_pick:
            with suppress(*DATABASE_TROUBLE):  # picks outlast two rounds that fail
                await in_db_thread(tables.hold_picks, list(self._by_pick))

    def _on_entry(self, entry: Entry) -> None:
        """Sockets whose pick has ended have no table any more."""
        if entry.kind not in ("picked", "unpicked") or not self._by_pick:
            return
        open_picks = {seat.pick_id for seat in self.live.floor.seats.values()}
        for pick_id in [pick_id for pick_id in self._by_pick if pick_id not in open_picks]:
            for socket in list(self._by_pick[pick_id]):
                self._stop_holding(socket)
                # Who is on the way to another table gets that one's answer next.
                moves = entry.kind == "picked" and socket.outlet.id == entry.connection
                if not (moves and self.live.awaits(entry)):
                    socket.stand_up()

    def _stop_holding(self, socket: StaffSocket) -> None:
        if socket.pick_id is None:
            return
        holders = self._by_pick[socket.pick_id]
        holders.discard(socket)
        if not holders:
            del self._by_pick[socket.pick_id]
        socket.pick_id = None


class StaffSocket:
    """One connection of somebody of the staff. Call `arrive` first and `leave` once at the end."""

    def __init__(self, outlet: Outlet, *, extended: bool) -> None:
        self.outlet = outlet
        self.extended = extended
        self.login: StaffLogin | None = None
        # The token has become invalid since.
        self.signed_out = False
        self.pick_id: int | None = None
        self._sockets = runtime.current().part(Sockets)
        self._live = self._sockets.live

    def arrive(self) -> None:
        """Tell the tables in use, now and from now on."""
        self._sockets.add(self)
        self.outlet.send(*events.staff_arrival(self._live.floor, extended=self.extended))
        self._live.join(events.UNSEATED, self.outlet, extended=self.extended)

    async def leave(self) -> None:
        """The connection has closed."""
        await self._sockets.discard(self)

    async def pick(self, table: str, token: str) -> None:
        """Raises Refused: TOKEN_INVALID, TABLE_UNAVAILABLE."""
        changes = self._sockets.access_changes
        login = await ask_database(tokens.staff_of_token, token)
        if login is None:
            raise Refused("TOKEN_INVALID", "The token is not valid.")

        def sit_down(entry: Entry) -> None:
            assert entry.table is not None  # noqa: S101 - of every pick
            if self.outlet.closed:  # meanwhile
                self._sockets.let_go_soon(entry.pick_id)
                return
            self.login, self.signed_out = login, False
            self._sockets.take_seat(self, entry.pick_id)
            self.outlet.send(*events.seated(self._live.floor, entry.table.number, extended=self.extended))
            self._live.join(events.SEATED, self.outlet, extended=self.extended)

        await self._do(
            partial(tables.pick_table, table=table, staff_id=login.staff_id, pick_id=self.pick_id), sit_down
        )
        if changes != self._sockets.access_changes:
            self._sockets.recheck_soon()

    async def unpick(self) -> None:
        """Raises Refused: NO_TABLE."""
        await self._do(
            partial(tables.unpick_table, staff_id=self._seated_staff_id()),
            lambda _entry: self.outlet.send(events.unpicked()),
        )

    async def accept(self, ticket_id: int | None) -> None:
        """Raises Refused: TOKEN_INVALID, NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, TICKET_CLAIMED."""
        login = self.login
        if login is None:
            raise Refused("NO_TABLE", "You have no table.")
        if self.pick_id is None:
            await ask_database(tokens.require_token, login.digest)
            raise Refused("NO_TABLE", "You have no table.")
        command = partial(
            tickets.claim_ticket, ticket_id=ticket_id, staff_id=login.staff_id, token_digest=login.digest
        )
        await self._do(command, self._answer(events.accepted))

    async def cancel(self, ticket_id: int | None) -> None:
        """Raises Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER."""
        command = partial(tickets.cancel_ticket, ticket_id=ticket_id, staff_id=self._seated_staff_id())
        await self._do(command, self._answer(events.cancelled))

    async def complete(self, ticket_id: int | None) -> None:
        """Raises Refused: NO_TABLE, UNKNOWN_TICKET, TICKET_ENDED, NOT_OWNER."""
        command = partial(tickets.complete_ticket, ticket_id=ticket_id, staff_id=self._seated_staff_id())
        await self._do(command, self._answer(events.completed))

    async def sign_out(self) -> None:
        """The token is not valid any more: no table, and no visitor's data from here on.

        Who signed in stays known, so that `accept` can say that the token is the trouble.
        """
        self.signed_out = True
        if self.pick_id is not None:
            self.stand_up()
            self.outlet.send(events.taken(self._live.floor))
        if self.extended:
            self.outlet.send(events.signed_out())
        await self._sockets.leave_seat(self)

    def stand_up(self) -> None:
        """Tell what those without a table are told, from now on."""
        self._live.join(events.UNSEATED, self.outlet, extended=self.extended)

    def _seated_staff_id(self) -> int:
        if self.login is None or self.pick_id is None:
            raise Refused("NO_TABLE", "You have no table.")
        return self.login.staff_id

    def _answer(self, encode: Callable[[int], bytes]) -> Callable[[Entry], None]:
        def answer(entry: Entry) -> None:
            assert entry.ticket is not None  # noqa: S101 - of every ticket's command
            self.outlet.send(encode(entry.ticket.id))

        return answer

    async def _do(self, command: Callable[..., Entry], answer: Callable[[Entry], None]) -> None:
        origin = self._live.new_request(self.outlet)
        await self._live.do(partial(command, origin=origin), origin=origin, answer=answer)


async def ready() -> None:
    """Return when sockets can be told the state of the desk.

    Raises:
        Refused: UNAVAILABLE while the database does not answer.
    """
    await runtime.current().part(Sockets).live.ready()

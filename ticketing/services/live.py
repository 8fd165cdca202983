"""The desk, live: this process's copy of the floor, kept up by the journal, and telling its sockets.

The copy moves from one journal entry to the next and is never anywhere in between, so what a socket is
told when it comes (a picture of the floor) and what it is told from then on (the entries) fit together
exactly, in every process, whatever the bus does. The answer to a command is sent at the very place of its
entry, so that also what a socket has been told of its own doings is in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec

from realtime import runtime
from realtime.db import DATABASE_TROUBLE, in_db_thread, unavailable
from realtime.group_commit import GroupCommit
from realtime.journal import Follower
from realtime.outlet import Outlet
from ticketing import events
from ticketing.rules import Entry, Floor
from ticketing.selectors.floor import list_entries, load_floor
from ticketing.services.journal import ENTRIES, change
from ticketing.services.tables import HOLD_INTERVAL_S, has_unheld, release_unheld

Command = Callable[[], Entry]

SIGN_OF_LIFE_S = 20.0
"""A page cannot see pings. What it hears this often tells it that the connection is alive."""

ROUNDS_TO_WAIT = 3
"""Rounds in which the database answers, before tables are let go: after a start and after an outage.

A process that starts when an outage is just over does not know that the others could not say what they hold.
"""

_LATE_ROUND_MS = 3 * HOLD_INTERVAL_S * 1_000

_decode = msgspec.msgpack.Decoder(list[Entry]).decode


class LiveFloor:
    """The floor as this process knows and tells it. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self.floor = Floor()
        self._follower = Follower(rt, read=list_entries, deliver=self._on_entry)
        self._loading: asyncio.Task[None] | None = None
        self._rounds_to_wait = ROUNDS_TO_WAIT
        self._round_at_ms = rt.clock.time_ms()
        self._commands: GroupCommit[Command, Entry] = GroupCommit(commit_commands)
        # By request: what to do at the place of the entry it waits for.
        self._answers: dict[str, Callable[[Entry], None]] = {}
        self._requests = count(1)
        self._watchers: list[Callable[[Entry], None]] = []
        rt.on(ENTRIES, self._on_hint)
        rt.every(HOLD_INTERVAL_S, self._release_unheld)

    async def ready(self) -> None:
        """Return when the floor is known.

        Raises:
            Refused: UNAVAILABLE while the database does not answer.
        """
        if self._follower.started:
            return
        if self._loading is None:
            self._loading = self._runtime.loop.create_task(self._load())
        try:
            await asyncio.shield(self._loading)
        except DATABASE_TROUBLE:
            raise unavailable() from None

    def watch(self, watcher: Callable[[Entry], None]) -> None:
        """Call `watcher` with each entry when the floor has moved on to it, before anybody is told."""
        self._watchers.append(watcher)

    def awaits(self, entry: Entry) -> bool:
        """Whether somebody here asked for this entry and is still waiting for its answer."""
        return entry.origin in self._answers

    def join(self, audience: str, outlet: Outlet, *, extended: bool) -> None:
        """Tell `outlet` what this audience is told from here on, and no other; nothing if it has left."""
        # Tables and the line are told to all: what waits for the end of a window is true here as well.
        outlet.catch_up()
        self._runtime.hub.leave(outlet)
        if not outlet.closed:
            self._runtime.hub.join_here(events.group_of(audience, extended=extended), outlet)

    def new_request(self, outlet: Outlet) -> str:
        """An `origin` for the next command of a connection.

        One for each: of a command that failed in its commit the entry may come yet, and is then not the
        answer to the next.
        """
        return f"{outlet.id}.{next(self._requests)}"

    async def do(self, command: Command, *, origin: str, answer: Callable[[Entry], None]) -> None:
        """Commit `command`, which records an entry with this `origin`; return when it was answered.

        ``answer(entry)`` is called at the entry's place among everything this process tells; for an entry
        of long ago (a request that was sent twice) at once. `origin` comes from `new_request`.

        Raises:
            Refused: as the command does; UNAVAILABLE if the database does not answer. Nothing was
                changed then, unless the database fell silent in the very commit.
        """
        answered: asyncio.Future[None] = self._runtime.loop.create_future()

        def at_its_place(entry: Entry) -> None:
            try:
                answer(entry)
            finally:
                if not answered.done():
                    answered.set_result(None)

        self._answers[origin] = at_its_place
        try:
            entry = await self._commands.submit(command)
            if answered.done():
                return
            if entry.origin == origin and entry.seq > self._follower.seq:
                await answered
            else:
                answer(entry)
        except DATABASE_TROUBLE:
            # What was committed all the same may have been read and answered by now.
            if not answered.done():
                raise unavailable() from None
        finally:
            self._answers.pop(origin, None)

    async def _load(self) -> None:
        try:
            self.floor = await in_db_thread(load_floor)
            self._follower.start_at(self.floor.seq)
            self._runtime.every(SIGN_OF_LIFE_S, self._say_hello)
        finally:
            self._loading = None

    def _on_hint(self, group: str, message: dict[str, Any]) -> None:
        for entry in _decode(message["entries"]):
            self._follower.offer(entry)

    def _on_entry(self, entry: Entry) -> None:
        moved = self.floor.apply(entry)
        for watcher in self._watchers:
            watcher(entry)
        answer = self._answers.pop(entry.origin, None)
        if answer is not None:
            answer(entry)
        hub = self._runtime.hub
        # Who claimed has that as an answer; others hear of it.
        claimer = (entry.connection,) if answer is not None and entry.kind == "claimed" else ()
        for told in events.tell(entry, moved, self.floor):
            excluded = () if told.extended_only else claimer
            hub.deliver(events.group_of(told.audience, extended=True), told.head, excluded=excluded)
            if not told.extended_only:
                hub.deliver(events.group_of(told.audience, extended=False), told.head, excluded=excluded)

    async def _release_unheld(self) -> None:
        since_ms, self._round_at_ms = self._round_at_ms, self._runtime.clock.time_ms()
        if self._round_at_ms - since_ms > _LATE_ROUND_MS:
            # The machine slept, or its clock was set: tables only seem to have been held long ago.
            self._rounds_to_wait = ROUNDS_TO_WAIT
        try:
            if self._rounds_to_wait:
                await in_db_thread(has_unheld)
                self._rounds_to_wait -= 1
            else:
                await in_db_thread(release_unheld)
        except DATABASE_TROUBLE:
            # Nobody could say meanwhile that they hold their tables: let them, once the database is back.
            self._rounds_to_wait = ROUNDS_TO_WAIT

    async def _say_hello(self) -> None:
        head = events.line(self.floor)
        for audience in (events.SEATED, events.UNSEATED, events.DISPLAY, events.KIOSK):
            self._runtime.hub.deliver(events.group_of(audience, extended=True), head)


def commit_commands(commands: Sequence[Command]) -> list[Entry | Exception]:
    """Run commands in one transaction, under one lock of the journal; one that fails takes back only its own.

    Raises:
        OperationalError, InterfaceError: the database's trouble, so everybody's.
    """
    outcomes: list[Entry | Exception] = []
    with change():
        for command in commands:
            try:
                outcomes.append(command())
            except DATABASE_TROUBLE:
                raise
            except Exception as error:  # noqa: BLE001 - it becomes this command's outcome
                outcomes.append(error)
    return outcomes


@runtime.on_start
def _follow(rt: runtime.Runtime) -> None:
    rt.part(LiveFloor)

"""Who acknowledged: collecting ACKs for the process that emitted, from the processes that delivered.

The emitting process waits with `collect` for the clients it expects. Every process that holds some of
them knows from the event's message which ones (`Delivery`), and reports each client's ACK or its
leaving to the emitter. A client that is expected but no longer there is reported at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.conf import settings

from realtime import runtime

ACKS = "broadcast.acks"


class _Wait:
    """What one emit still waits for."""

    def __init__(self, expected: Collection[str], done: asyncio.Future[None]) -> None:
        self.open = set(expected)
        self.acked: list[str] = []
        self.done = done

    def settle(self, client_id: str, *, acked: bool) -> None:
        if client_id in self.open:
            self.open.discard(client_id)
            if acked:
                self.acked.append(client_id)
            if not self.open and not self.done.done():
                self.done.set_result(None)


class Acks:
    """The acknowledgements of one process: those it waits for and those it owes others."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._waits: dict[str, _Wait] = {}
        # Event ID to the emitting process and the local clients that have not answered yet.
        self._owed: dict[str, tuple[str, set[str]]] = {}
        rt.on(ACKS, self._on_acks)

    def is_waiting(self, event_id: str) -> bool:
        """Whether an emit with that event ID waits right now."""
        return event_id in self._waits

    async def collect(
        self, event_id: str, expected: Collection[str], send: Callable[[], None]
    ) -> tuple[list[str], list[str]]:
        """Call ``send()`` and wait until every expected client acknowledged, or for the timeout.

        Returns the clients that did, in order of their ACKs, and those that did not. A client that
        leaves meanwhile counts among the latter at once; nobody waits for it.
        """
        wait = _Wait(expected, self._runtime.loop.create_future())
        self._waits[event_id] = wait
        try:
            send()
            if wait.open:
                await asyncio.wait_for(wait.done, settings.BROADCAST_ACK_TIMEOUT_S)
        except TimeoutError:
            pass
        finally:
            del self._waits[event_id]
        acked = set(wait.acked)
        return wait.acked, [client_id for client_id in expected if client_id not in acked]

    def deliver(
        self, event_id: str, origin: str, expected_here: Iterable[str], present: Collection[str]
    ) -> None:
        """An event that asks for ACKs goes out here; of those expected, the absent are reported."""
        expected = set(expected_here)
        gone = [client_id for client_id in expected if client_id not in present]
        expected.difference_update(gone)
        if expected:
            self._owed[event_id] = (origin, expected)
            self._runtime.wheel.schedule(
                settings.BROADCAST_ACK_TIMEOUT_S + 1, lambda: self._owed.pop(event_id, None)
            )
        for client_id in gone:
            self._report(origin, event_id, client_id, acked=False)

    def acknowledge(self, client_id: str, event_id: str) -> None:
        """A local client sent an ACK. One nobody waits for is ignored."""
        self._settle(event_id, client_id, acked=True)

    def leave(self, client_id: str) -> None:
        """A local client is gone: whoever waits for it need not."""
        for event_id, (_, clients) in list(self._owed.items()):
            if client_id in clients:
                self._settle(event_id, client_id, acked=False)

    def _settle(self, event_id: str, client_id: str, *, acked: bool) -> None:
        origin, clients = self._owed.get(event_id, ("", set()))
        if client_id in clients:
            clients.discard(client_id)
            if not clients:
                del self._owed[event_id]
            self._report(origin, event_id, client_id, acked=acked)

    def _report(self, origin: str, event_id: str, client_id: str, *, acked: bool) -> None:
        message = {"event_id": event_id, "client_id": client_id, "acked": acked}
        if origin == self._runtime.process_id:
            self._on_acks("", message)
        else:
            self._runtime.bus.send(f"process.{origin}", ACKS, message)

    def _on_acks(self, group: str, message: dict[str, Any]) -> None:
        wait = self._waits.get(message["event_id"])
        if wait is not None:
            wait.settle(message["client_id"], acked=message["acked"])

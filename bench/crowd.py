"""The people of a ticket desk (``load/desk.c``): kiosks, staff and displays on WebSockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.swarm import Generator, Load

# What the desk's own pages connect with: they are told more than the protocol has.
PAGE = "?extended=1"


class Crowd(Generator):
    """Times in a run's result: `create_times`, `accept_times`, `complete_times` from the command to its
    answer, `told_times` from when a ticket was due to when one of the staff was told of it."""

    program = "desk"

    def open(self, role: str, count: int, *, pages: bool = True) -> None:
        """Connect `count` more of ``staff``, ``kiosk`` or ``display``; all must succeed."""
        answer = self.command(f"open {role} /ticketing/{role}/{PAGE if pages else ''} {count}")
        if answer["failed"]:
            raise RuntimeError(f"{answer['failed']} of {count} sockets of {role} could not connect")

    def seat(self, table: int, token: str, *, waiting: int = 0) -> dict[str, Any]:
        """Have the next of the staff pick a table; returns when it knows of `waiting` tickets.

        The answer has `first_us`, until the pick was answered, `all_us`, until all was there, and `bytes`.
        """
        return self.command(f"seat {table} {token} {waiting}")

    def take(self, seconds: float, *, rate: float = 0.0, warmup_s: float = 0.5, pids: Sequence[int]) -> Load:
        """Kiosks take tickets: `rate` a second, or each its next when it has the last."""
        return self._done(self.measure(f"take {warmup_s} {seconds} {rate}", pids=pids))

    def serve(self, seconds: float, *, warmup_s: float = 0.5, pids: Sequence[int]) -> Load:
        """Staff accept and complete whoever waits longest, until nobody does."""
        return self._done(self.measure(f"serve {warmup_s} {seconds}", pids=pids))

    def turn(self, seconds: float, *, warmup_s: float = 0.5, pids: Sequence[int]) -> Load:
        """Staff serve, and for everybody served another visitor comes: the line keeps its length."""
        return self._done(self.measure(f"turn {warmup_s} {seconds}", pids=pids))

    def _done(self, load: Load) -> Load:
        if load.result["refused"] or load.result["unanswered"]:
            raise RuntimeError(f"commands were refused or not answered: {load.result}")
        return load

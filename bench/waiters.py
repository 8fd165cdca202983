"""The clients of a login queue (``load/waiters.c``): thousands that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.swarm import Generator, Load


class Waiters(Generator):
    """Times in a result: `handshake_times`, `join_times` from Login to the ticket, `admitted_times` from the
    beginning of the measured window to the credential."""

    program = "waiters"

    def name(self, prefix: str) -> None:
        """What the ids of these clients begin with; two generators need two."""
        self.command(f"name {prefix}")

    def arrive(self, count: int, *, join: bool, window: int = 128) -> dict[str, Any]:
        """Bring it to `count` connections, `window` handshakes at a time; all must succeed.

        Args:
            join: each sends Login as soon as it may, and it is over when all have a ticket.
        """
        answer = self.command(f"arrive {count} {window} {'join' if join else 'silent'}")
        if answer["open"] != count or (join and answer["answered"] != count):
            raise RuntimeError(f"not everybody is in line: {answer}")
        return answer

    def join(self, *, window: int = 500) -> dict[str, Any]:
        """Those without a ticket get one, `window` unanswered at a time."""
        answer = self.command(f"join {window}")
        if answer["lost"] or answer["refused"]:
            raise RuntimeError(f"not everybody has a ticket: {answer}")
        return answer

    def watch(self, seconds: float, *, pids: Sequence[int]) -> Load:
        """Listen for so long; `deliveries` are frames of the line's numbers."""
        return self.measure(f"watch {seconds}", pids=pids)

    def admitted(self, count: int, *, within_s: float, pids: Sequence[int], during: Any) -> Load:
        """Have `during` make room, and wait until `count` have a credential."""
        load = self.measure(f"admitted {count} {within_s}", pids=pids, during=during)
        if load.result["admitted"] < count:
            raise RuntimeError(f"not everybody was let in: {load.result}")
        return load

    def drop(self) -> None:
        """Vanish with every connection."""
        self.command("drop")

"""Reads the admission log from its beginning and finds what must never be in it.

It knows nothing of how the line is kept: it follows the entries, and asks of each whether it may follow on
those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FIELDS = ("seq", "kind", "ticket_id", "position", "reason", "occupied", "capacity", "line_left", "note")
"""Of a log entry, as `Audit.follow` takes them."""

PAST_THE_LINE = ("never_waits", "by_hand", "resumed")


@dataclass
class Held:
    """A ticket, as the log has told of it."""

    position: int
    active: bool = True
    state: str = "waiting"
    resumed: bool = False
    admitted: int = 0


@dataclass
class Audit:
    """What is known after the entries so far."""

    capacity: int = 1_000
    seq: int = 0
    tickets: dict[str, Held] = field(default_factory=dict)
    sessions: int = 0
    most_occupied: int = 0
    order: list[int] = field(default_factory=list)

    @property
    def occupied(self) -> int:
        """Places that are taken: sessions, and those on their way to one."""
        on_their_way = sum(held.state == "admitted" and not held.resumed for held in self.tickets.values())
        return self.sessions + on_their_way

    def waiting(self) -> list[int]:
        """Positions of those who could be admitted, in order."""
        return sorted(
            held.position for held in self.tickets.values() if held.state == "waiting" and held.active
        )

    def follow(self, entries: Iterable[Mapping[str, Any]]) -> Audit:
        """Take further entries. AssertionError names the first that breaks a rule."""
        for entry in entries:
            self.seq += 1
            assert entry["seq"] == self.seq, f"entry {entry['seq']} follows on {self.seq - 1}"
            try:
                getattr(self, "_" + entry["kind"])(entry)
            except AssertionError as broken:
                raise AssertionError(f"{entry}: {broken}") from broken
        return self

    # -- by kind -----------------------------------------------------------------------------

    def _joined(self, entry: Mapping[str, Any]) -> None:
        assert entry["ticket_id"] not in self.tickets, "joined twice"
        assert all(entry["position"] > held.position for held in self.tickets.values()), "not at the tail"
        self.tickets[entry["ticket_id"]] = Held(entry["position"])

    def _left(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "waiting")
        assert held.active, "left without being there"
        held.active = False

    def _returned(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "waiting")
        assert not held.active, "returned without having left"
        held.active = True

    def _admitted(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "waiting")
        assert held.active, "admitted while away"
        if entry["reason"] == "turn":
            assert held.position == self.waiting()[0], "admitted before somebody in front"
            assert entry["capacity"] == self.capacity, "another capacity than the policy's"
        held.state, held.resumed = "admitted", entry["reason"] == "resumed"
        held.admitted += 1
        if entry["reason"] == "turn":
            assert self.occupied <= self.capacity, f"{self.occupied} of {self.capacity} places taken"
            assert entry["occupied"] == self.occupied, f"{self.occupied} places are taken"
            self.most_occupied = max(self.most_occupied, self.occupied)
            self.order.append(held.position)

    def _put_back(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "admitted")
        held.state, held.resumed = "waiting", False

    def _entered(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "admitted")
        held.state = "entered"
        if not held.resumed:
            self.sessions += 1

    def _refused(self, entry: Mapping[str, Any]) -> None:
        self._held(entry, "admitted").state = "refused"

    def _failed(self, entry: Mapping[str, Any]) -> None:
        self._held(entry, "admitted")

    def _stale(self, entry: Mapping[str, Any]) -> None:
        held = self._held(entry, "waiting")
        assert not held.active, "taken for gone while there"
        held.state = "stale"

    def _removed(self, entry: Mapping[str, Any]) -> None:
        held = self.tickets[entry["ticket_id"]]
        assert held.state in ("waiting", "admitted"), f"the ticket is {held.state}"
        held.state = "removed"

    def _moved(self, entry: Mapping[str, Any]) -> None:
        held = self.tickets[entry["ticket_id"]]
        others = [other.position for other in self.tickets.values() if other.state == "waiting"]
        assert entry["position"] < min(others), "not at the front"
        held.position = entry["position"]

    def _session_ended(self, entry: Mapping[str, Any]) -> None:
        self.sessions -= 1
        assert self.sessions >= 0, "a session more ended than there were"

    _session_expired = _session_ended

    def _policy(self, entry: Mapping[str, Any]) -> None:
        self.capacity = entry["capacity"]

    def _reported(self, entry: Mapping[str, Any]) -> None:
        raise AssertionError("this audit counts sessions itself")

    def _held(self, entry: Mapping[str, Any], state: str) -> Held:
        held = self.tickets[entry["ticket_id"]]
        assert held.state == state, f"the ticket is {held.state}"
        assert held.position == entry["position"], f"the ticket is at {held.position}"
        return held

"""What this process has told its listeners about who is there, and putting it right after a gap.

Joining, leaving and changing presence travel between processes as messages on the bus, which may lose
them, and a process that was out of touch may be taken for dead and come back. A `Roster` is the sum of
what the local listeners of a channel were told. Whenever the members are read, by a newcomer or by a
check after an outage, the difference is told in the protocol's own messages; what was told already is
not told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings

from broadcast import events
from realtime import runtime
from realtime.heartbeat import Timer
from realtime.ids import new_event_id
from realtime.presence import Member

PRESENCE = "broadcast.presence"
CHECK = "broadcast.check-presence"

# After an outage every process enters its members again, at its own pace. Looking before they all have
# would make those of the slower ones leave and come back.
CHECK_DELAY_S = 4.0

Kind = Literal["joined", "left", "updated"]
State = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One client came, went, or shows something new."""

    kind: Kind
    client_id: str
    presence: dict[str, Any] = field(default_factory=dict)

    def apply(self, state: State) -> bool:
        """Bring `state` up to date. False where it says the same already, which nobody need be told."""
        if self.kind == "left":
            return state.pop(self.client_id, None) is not None
        known = state.get(self.client_id)
        state[self.client_id] = self.presence
        return self.kind == "updated" or known != self.presence


@dataclass(slots=True)
class Roster:
    """What the local listeners of one channel were told."""

    told: State = field(default_factory=dict)
    # For each read of the members under way: what changed meanwhile, to be applied to what it brings.
    reads: list[list[Change]] = field(default_factory=list)


class Rosters:
    """The rosters of one process, one for each channel with listeners here."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._rosters: dict[str, Roster] = {}
        self._timer: Timer | None = None
        rt.on(PRESENCE, self._on_presence)
        rt.on(CHECK, self._on_check)
        rt.bus.on_resync(self._check_soon)
        rt.presence.on_returned(lambda: rt.handle(runtime.EVERY_PROCESS, CHECK, {}))

    def announce(self, channel: str, change: Change) -> None:
        """Tell the listeners of every process, but not the client it is about unless it `updated`."""
        message = {
            "kind": change.kind,
            "client_id": change.client_id,
            "presence": change.presence,
            "event_id": new_event_id(),
        }
        self._runtime.handle(events.group_of(channel), PRESENCE, message)

    @contextmanager
    def reading(self, channel: str, reader: str = "") -> Iterator[Callable[[list[Member]], None]]:
        """While members are read in this block. Call what it gives with them: the listeners hear the
        difference to what they were told, but for the `reader`, a newcomer who gets the whole list."""
        roster = self._rosters.setdefault(channel, Roster())
        meanwhile: list[Change] = []
        roster.reads.append(meanwhile)

        def found(members: list[Member]) -> None:
            state = {member.id: events.presence_of(member) for member in members}
            for change in meanwhile:
                change.apply(state)
            for change in _differences(roster.told, state):
                self._take(channel, roster, change, new_event_id(), reader)

        try:
            yield found
        finally:
            roster.reads = [read for read in roster.reads if read is not meanwhile]

    def forget(self, channel: str) -> None:
        """No listener of the channel is left here."""
        self._rosters.pop(channel, None)

    async def check(self) -> None:
        """Compare what was told with who is there, in every channel."""
        for channel in list(self._rosters):
            presence, group = self._runtime.presence, events.group_of(channel)
            if await presence.count(group) > settings.BROADCAST_PRESENCE_LIMIT:
                continue
            if channel not in self._rosters:
                continue
            with self.reading(channel) as found:
                members = await presence.members(group)
                # With the bus down the answer may be about this process alone.
                if channel in self._rosters and self._runtime.bus.state == "ok":
                    found(members)

    def _check_soon(self) -> None:
        if self._timer is None or not self._timer.pending:
            self._timer = self._runtime.wheel.schedule(
                CHECK_DELAY_S,
                lambda: self._runtime.spawn(self.check()),
                now_s=self._runtime.loop.time(),
            )

    def _on_check(self, group: str, message: dict[str, Any]) -> None:
        self._check_soon()

    def _on_presence(self, group: str, message: dict[str, Any]) -> None:
        channel = events.channel_of(group)
        change = Change(message["kind"], message["client_id"], message["presence"])
        roster = self._rosters.get(channel)
        if roster is not None:
            self._take(channel, roster, change, message["event_id"])

    def _take(self, channel: str, roster: Roster, change: Change, event_id: str, reader: str = "") -> None:
        for meanwhile in roster.reads:
            meanwhile.append(change)
        if change.apply(roster.told):
            head = events.presence_change(change.kind, change.client_id, change.presence, event_id)
            excluded = (reader,) if change.kind == "updated" else (reader, change.client_id)
            self._runtime.hub.deliver(events.group_of(channel), head, excluded=excluded)


def _differences(told: State, state: State) -> list[Change]:
    gone = [Change("left", client_id) for client_id in told.keys() - state.keys()]
    come = [
        Change("updated" if client_id in told else "joined", client_id, presence)
        for client_id, presence in state.items()
        if told.get(client_id) != presence
    ]
    return gone + come

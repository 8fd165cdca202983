"""Who is connected where, over all processes of an installation.

A *room* holds *members*; a member is one connection, held by one process. `MemoryPresence` serves a
single process, `realtime.redis_presence` any number. Both answer a join with the members as they were
at that very moment, so a caller that joined the hub's group beforehand can tell a newcomer the members
and then every change after it, without a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Member:
    """One connection in a room. `info` is the service's own: JSON types only."""

    id: str
    process_id: str
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join found: the `others`, none of them above the caller's limit, and the `count` of all."""

    others: list[Member]
    count: int


class IdTakenError(Exception):
    """The room has a member of that ID already: choose another."""


class Presence(Protocol):
    """What services need. When Redis is away, every method goes on with what this process knows."""

    def on_lost(self, callback: Callable[[str, Member], None]) -> None:
        """Call ``callback(room, member)`` for members of killed processes, once in the installation."""

    def on_returned(self, callback: Callable[[], None]) -> None:
        """Call back when this process has entered its members again: others may think they left."""

    async def join(self, room: str, member_id: str, info: dict[str, Any], *, limit: int) -> Joined:
        """Enter a member; `others` stays empty when the room then holds more than `limit`.

        Raises:
            IdTakenError: another member of the room has that ID.
        """

    async def update(self, room: str, member_id: str, info: dict[str, Any]) -> None:
        """Replace a member's info."""

    async def leave(self, room: str, member_id: str) -> int:
        """Remove a member of this process; return how many are left."""

    async def members(self, room: str) -> list[Member]: ...

    async def count(self, room: str) -> int: ...

    async def rooms(self, prefix: str) -> dict[str, int]:
        """Rooms whose name begins with `prefix` and how many members each has."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class MemoryPresence:
    """Presence of a single process."""

    def __init__(self, process_id: str) -> None:
        self._process_id = process_id
        self._rooms: dict[str, dict[str, Member]] = {}

    def on_lost(self, callback: Callable[[str, Member], None]) -> None:
        pass

    def on_returned(self, callback: Callable[[], None]) -> None:
        pass

    async def join(self, room: str, member_id: str, info: dict[str, Any], *, limit: int) -> Joined:
        members = self._rooms.setdefault(room, {})
        if member_id in members:
            raise IdTakenError(member_id)
        count = len(members) + 1
        others = list(members.values()) if count <= limit else []
        members[member_id] = Member(member_id, self._process_id, info)
        return Joined(others, count)

    async def update(self, room: str, member_id: str, info: dict[str, Any]) -> None:
        members = self._rooms.get(room, {})
        if member_id in members:
            members[member_id] = Member(member_id, self._process_id, info)

    async def leave(self, room: str, member_id: str) -> int:
        members = self._rooms.get(room)
        if members is None:
            return 0
        members.pop(member_id, None)
        if not members:
            del self._rooms[room]
        return len(members)

    async def members(self, room: str) -> list[Member]:
        return list(self._rooms.get(room, {}).values())

    async def count(self, room: str) -> int:
        return len(self._rooms.get(room, ()))

    async def rooms(self, prefix: str) -> dict[str, int]:
        return {room: len(members) for room, members in self._rooms.items() if room.startswith(prefix)}

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

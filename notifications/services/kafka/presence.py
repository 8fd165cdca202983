"""Who reads Kafka in this installation, and how they fare: every process knows, and says so in `/readyz`."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from realtime import health, runtime
from realtime.health import State
from realtime.runtime import Runtime

COMPONENT: Final = "kafka"
ROOM: Final = "notifications:kafka"


class Badge:
    """One reader's entry. It is gone with the reader, a few seconds later if that was killed."""

    def __init__(self, rt: Runtime) -> None:
        self._presence = rt.presence
        self._id = rt.process_id
        self.state: State = "down"

    async def enter(self) -> None:
        await self._presence.join(ROOM, self._id, {"state": self.state}, limit=0)

    async def show(self, state: State) -> None:
        """Say how it fares from now on."""
        if state != self.state:
            self.state = state
            await self._presence.update(ROOM, self._id, {"state": state})

    async def leave(self) -> None:
        await self._presence.leave(ROOM, self._id)


async def kafka_state() -> State | None:
    """Is Kafka being read? None where nobody is meant to. One question to Redis."""
    readers = await runtime.current().presence.members(ROOM)
    if not readers and not settings.KAFKA_BROKERS:
        return None
    return "ok" if any(reader.info["state"] == "ok" for reader in readers) else "down"


health.add_component(COMPONENT, kafka_state)

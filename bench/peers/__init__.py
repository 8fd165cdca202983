"""The servers that are measured: Foyer, and those it is held against.

Each takes listeners on a WebSocket path and events by HTTP POST on another, so one generator drives
them all in the same way. A peer whose software is not installed says so and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

# What a listener gets for one event, in bytes of JSON. Foyer wraps the payload it is given (type,
# event, client, latency); peers pass on what they are given. So that both put the same number of
# bytes on the wire, Foyer's payload is made shorter by its envelope.
FRAME_BYTES = 200


@dataclass(frozen=True)
class Server:
    """A running peer: where to listen and emit, and which processes its CPU and memory are."""

    port: int
    listen_path: str
    emit_path: str
    pids: tuple[int, ...]
    # What the server adds around an event's payload, in bytes.
    envelope_bytes: int = 0
    # What the server wants around an event's payload in a request's body.
    wrap: tuple[str, str] | None = None

    def body_bytes(self, frame_bytes: int = FRAME_BYTES) -> int:
        return frame_bytes - self.envelope_bytes


class Peer(Protocol):
    """Software that can be measured."""

    @property
    def name(self) -> str: ...

    def missing(self) -> str | None:
        """Why it cannot run here, or None."""

    @contextmanager
    def run(self) -> Iterator[Server]:
        """Start it, give it out while it runs, stop it."""
        yield NotImplemented

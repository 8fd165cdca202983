"""Emitting an event: to whom, kept or not, acknowledged or not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

from broadcast import events
from broadcast.rules import Everyone, Target, pick_clients
from broadcast.services.acks import Acks
from broadcast.services.feeds import Feeds
from broadcast.services.history import NewEvent, commit_events, forget_old_events
from broadcast.services.listening import Listeners
from broadcast.services.policies import PolicyBook
from realtime import runtime
from realtime.db import in_db_thread
from realtime.errors import Refused
from realtime.group_commit import GroupCommit
from realtime.ids import new_event_id
from realtime.presence import Member

EVENT = "broadcast.event"

# Replays pass over what is too old by themselves; this only gives the space back.
FORGET_INTERVAL_S = 60.0

# An event without content is a mistake of the caller's, as in the document.
EMPTY_PAYLOADS = frozenset({b"", b"{}", b"null"})


@dataclass(frozen=True, slots=True)
class Emitted:
    """What became of an emit.

    Attributes:
        event_id: its ID.
        clients: how many it was sent to.
        acked: those that acknowledged, where that was required.
        missing: named clients that are not connected, and expected ACKs that did not come.
        timed_out: an ACK is missing: the whole counts as failed (HTTP 408).
    """

    event_id: str
    clients: int
    acked: list[str] | None = None
    missing: list[str] | None = None
    timed_out: bool = False


class Deliveries:
    """Takes emitted events, of this process and others, to the local listeners. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._acks = rt.part(Acks)
        self._feeds = rt.part(Feeds)
        self._listeners = rt.part(Listeners)
        self.writer = GroupCommit(commit_events)
        rt.on(EVENT, self._on_event)
        rt.every(FORGET_INTERVAL_S, self._forget)

    def send(
        self,
        channel: str,
        head: bytes,
        event_id: str,
        *,
        seq: int = 0,
        only: list[str] | None = None,
        expected: list[Member] | None = None,
    ) -> None:
        """Hand an event to every process. `seq` is 0 for one that is not kept."""
        expect: dict[str, list[str]] | None = None
        if expected is not None:
            expect = defaultdict(list)
            for member in expected:
                expect[member.process_id].append(member.id)
        message = {
            "head": head,
            "event_id": event_id,
            "seq": seq,
            "only": only,
            "expect": expect,
            "origin": self._runtime.process_id,
        }
        self._runtime.handle(events.group_of(channel), EVENT, message)

    def _on_event(self, group: str, message: dict[str, Any]) -> None:
        deliver = partial(self._deliver, group, message)
        if message["seq"]:
            self._feeds.offer(events.channel_of(group), message["seq"], deliver)
        else:
            deliver()

    def _deliver(self, group: str, message: dict[str, Any]) -> None:
        if message["expect"] is not None:
            here = message["expect"].get(self._runtime.process_id, [])
            present = self._listeners.on_channel(events.channel_of(group))
            self._acks.deliver(message["event_id"], message["origin"], here, present)
            for client_id in here:
                if (listener := present.get(client_id)) is not None:
                    listener.outlet.owner.expect_frames(1)
        self._runtime.hub.deliver(group, message["head"], only=message["only"])

    async def _forget(self) -> None:
        book = self._runtime.part(PolicyBook)
        await book.load()
        await in_db_thread(forget_old_events, book.all)


@runtime.on_start
def _start(rt: runtime.Runtime) -> None:
    rt.part(Deliveries)


async def emit(*, channel: str, payload: bytes, target: Target, require_ack: bool = False) -> Emitted:
    """Send `payload`, checked and compact JSON text, to the channel's listeners.

    On a channel with history an event is committed before anyone gets it, and before this returns. Of
    one for particular clients only its place is kept: a replay would show it to the others.

    Raises:
        Refused: ``NO_PAYLOAD``, or ``NOT_ENOUGH_CLIENTS`` where the target cannot be met.
    """
    if payload in EMPTY_PAYLOADS:
        raise Refused("NO_PAYLOAD", "No payload provided.")
    rt = runtime.current()
    deliveries = rt.part(Deliveries)
    everyone = isinstance(target, Everyone)

    members: list[Member] = []
    missing: list[str] = []
    if require_ack or not everyone:
        members, missing = _choose(target, await rt.presence.members(events.group_of(channel)))
    # A stream of server-sent events cannot answer, so nobody waits for it.
    expected = [member for member in members if events.can_acknowledge(member)] if require_ack else None

    seq, event_id = 0, new_event_id()
    policy = await rt.part(PolicyBook).policy(channel)
    if policy.history_size:
        numbered = await deliveries.writer.submit(NewEvent(channel, payload if everyone else b""))
        seq, event_id = numbered.seq, numbered.event_id
    elif require_ack:
        while rt.part(Acks).is_waiting(event_id):
            event_id = new_event_id(16)

    send = partial(
        deliveries.send,
        channel,
        events.data(payload, event_id, requires_ack=require_ack),
        event_id,
        seq=seq,
        only=None if everyone else [member.id for member in members],
        expected=expected,
    )
    if expected is None:
        send()
        count = await rt.presence.count(events.group_of(channel)) if everyone else len(members)
        return Emitted(event_id, count, missing=missing or None)
    acked, unanswered = await rt.part(Acks).collect(event_id, [member.id for member in expected], send)
    return Emitted(
        event_id,
        len(members),
        acked=acked,
        missing=[*missing, *unanswered] or None,
        timed_out=bool(unanswered),
    )


def _choose(target: Target, connected: list[Member]) -> tuple[list[Member], list[str]]:
    by_id = {member.id: member for member in connected}
    try:
        chosen, missing = pick_clients(target, by_id)
    except ValueError as error:
        raise Refused("NOT_ENOUGH_CLIENTS", str(error)) from None
    return [by_id[client_id] for client_id in chosen], missing

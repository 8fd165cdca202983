"""Listening: coming to a channel, being seen there, and leaving, whatever carries the messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from broadcast import events, selectors
from broadcast.protocol.codec import encode_tail
from broadcast.rules import Policy
from broadcast.selectors import Replay
from broadcast.services.acks import Acks
from broadcast.services.feeds import Feed, Feeds
from broadcast.services.policies import POLICIES_CHANGED, PolicyBook, authorize
from broadcast.services.rosters import Change, Kind, Rosters
from realtime import runtime
from realtime.apikeys import KEYS_CHANGED
from realtime.close_codes import CloseCode
from realtime.db import in_db_thread
from realtime.errors import InternalError, Refused
from realtime.ids import new_client_id, new_event_id
from realtime.outlet import Outlet
from realtime.presence import IdTakenError, Joined, Member

KICK = "broadcast.kick"

# Keys also expire by themselves, without anyone saying so.
RECHECK_INTERVAL_S = 30.0

# What the presence holds about most: they need not each have their own.
_SAYS_NOTHING: Final[dict[str, dict[str, Any]]] = {
    transport: {"presence": {}, "transport": transport} for transport in ("ws", "sse")
}

# Lengths of client IDs to try. Eight characters hardly ever meet a taken one; 24 never do.
_ID_LENGTHS = (8, 12, 24)


class Listeners:
    """The listeners of one process, by channel and client ID. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._by_channel: dict[str, dict[str, Listener]] = {}
        rt.on(KICK, self._on_kick)
        rt.on(POLICIES_CHANGED, self._on_access_changed)
        rt.on(KEYS_CHANGED, self._on_access_changed)
        rt.presence.on_lost(self._on_lost)
        rt.every(RECHECK_INTERVAL_S, self._recheck)

    def on_channel(self, channel: str) -> Mapping[str, Listener]:
        """This process's listeners on a channel, by client ID."""
        return self._by_channel.get(channel, {})

    def add(self, listener: Listener) -> None:
        self._by_channel.setdefault(listener.channel, {})[listener.client_id] = listener

    def discard(self, listener: Listener) -> None:
        on_channel = self._by_channel.get(listener.channel, {})
        if on_channel.get(listener.client_id) is listener:
            del on_channel[listener.client_id]
            if not on_channel:
                del self._by_channel[listener.channel]
                self._runtime.part(Rosters).forget(listener.channel)

    def _on_kick(self, group: str, message: dict[str, Any]) -> None:
        listener = self.on_channel(events.channel_of(group)).get(message["client_id"])
        if listener is not None:
            listener.outlet.close(CloseCode.FORBIDDEN, "removed by an operator")

    def _on_access_changed(self, group: str, message: dict[str, Any]) -> None:
        self._runtime.spawn(self._recheck())

    async def _recheck(self) -> None:
        """Close those who would not be let in any more."""
        for on_channel in list(self._by_channel.values()):
            for listener in list(on_channel.values()):
                try:
                    await authorize("listen", listener.channel, listener.key)
                except Refused as error:
                    code = CloseCode.UNAUTHORIZED if error.code == "UNAUTHORIZED" else CloseCode.FORBIDDEN
                    listener.outlet.close(code, error.message)

    def _on_lost(self, room: str, member: Member) -> None:
        if room.startswith(events.ROOM_PREFIX):
            self._runtime.part(Rosters).announce(events.channel_of(room), Change("left", member.id))


class Listener:
    """One who listens on a channel: a WebSocket, or a stream of server-sent events.

    Make the `outlet` first, under a new client ID, then `join`; call `leave` once at the end. The ID is
    final when `join` returns.

    Args:
        transport: ``ws`` or ``sse``; only the first can acknowledge.
        key: the API key that let it in, to ask again when keys or policies change.
    """

    __slots__ = (
        "_feed",
        "_joined",
        "_runtime",
        "channel",
        "key",
        "outlet",
        "presence",
        "transport",
    )

    def __init__(
        self,
        *,
        channel: str,
        outlet: Outlet,
        presence: dict[str, Any],
        transport: str,
        key: str | None,
    ) -> None:
        self.channel = channel
        self.outlet = outlet
        self.presence = presence
        self.transport = transport
        self.key = key
        self._runtime = runtime.current()
        self._feed: Feed | None = None
        self._joined = False

    @property
    def client_id(self) -> str:
        return self.outlet.id

    async def join(self, since: str | None) -> None:
        """Come to the channel: CONNECTED first, then what was missed after event `since`, then live.

        The outlet is in the hub's group, corked, before the members are read, and from a known place
        in the history on: what happens meanwhile is held back, and neither lost nor repeated.
        """
        rt = self._runtime
        policy = await rt.part(PolicyBook).policy(self.channel)
        if policy.history_size:
            self._feed = await rt.part(Feeds).open(self.channel)
            if since:
                # The client may have heard elsewhere what has not reached this process yet. It must
                # count as past, or it would be sent again.
                await rt.part(Feeds).catch_up(self._feed)
        self.outlet.cork()
        joined, place = await self._enter()
        if self._feed is not None and self._feed.users == 1:
            # The first here: what was emitted elsewhere before the bus was listened to has no other hint.
            rt.part(Feeds).catch_up_soon(self._feed)
        self._joined = True
        self.outlet.tail = encode_tail(self.client_id, 0)
        if joined.count <= settings.BROADCAST_PRESENCE_LIMIT:
            self._announce("joined")
            first = [events.connected(joined.others, None)]
        else:
            first = [events.connected([], joined.count)]
        if since:
            first += await self._missed(policy, since, place)
        self.outlet.uncork(*first)

    async def show(self, presence: dict[str, Any]) -> None:
        """Change what the others see; everyone is told, this listener too."""
        self.presence = presence
        group = events.group_of(self.channel)
        await self._runtime.presence.update(group, self.client_id, self._info())
        count = await self._runtime.presence.count(group)
        if not self._joined:
            return  # it left meanwhile: the others must not hear of it after that
        if count <= settings.BROADCAST_PRESENCE_LIMIT:
            self._announce("updated")
        else:
            self.outlet.send(events.presence_change("updated", self.client_id, presence, new_event_id()))

    async def leave(self) -> None:
        """Undo `join`, as far as it came."""
        rt = self._runtime
        rt.hub.leave(self.outlet)
        rt.part(Listeners).discard(self)
        if self._feed is not None:
            rt.part(Feeds).close(self._feed)
            self._feed = None
        if not self._joined:
            return
        self._joined = False
        rt.part(Acks).leave(self.client_id)
        left = await rt.presence.leave(events.group_of(self.channel), self.client_id)
        if left < settings.BROADCAST_PRESENCE_LIMIT:
            self._announce("left")

    def acknowledge(self, event_id: str) -> None:
        """This client says that it has the event."""
        self._runtime.part(Acks).acknowledge(self.client_id, event_id)

    async def _enter(self) -> tuple[Joined, int]:
        """Enter the group and the presence under an ID nobody has; return also the place in history."""
        rt = self._runtime
        group = events.group_of(self.channel)
        for length in _ID_LENGTHS:
            if self.client_id not in rt.part(Listeners).on_channel(self.channel):
                # Known here before the other processes know it: an event that asks for ACKs may come
                # as soon as they do.
                rt.part(Listeners).add(self)
                # Nothing may come between these two: what is delivered later goes to this outlet too.
                place = self._feed.last_seq if self._feed else 0
                await rt.hub.join(group, self.outlet)
                try:
                    joined = await self._join_presence()
                except IdTakenError:
                    rt.hub.leave(self.outlet)
                    rt.part(Listeners).discard(self)
                    self.outlet.cork()
                else:
                    return joined, place
            self.outlet.id = new_client_id(length)
        raise InternalError("no free client ID was found")

    async def _join_presence(self) -> Joined:
        """Enter the presence; what its answer says about others is news for older listeners too."""
        limit = settings.BROADCAST_PRESENCE_LIMIT
        with self._runtime.part(Rosters).reading(self.channel, self.client_id) as found:
            joined = await self._runtime.presence.join(
                events.group_of(self.channel), self.client_id, self._info(), limit=limit
            )
            # With the bus down the answer may be about this process alone.
            if joined.count <= limit and self._runtime.bus.state == "ok":
                found(joined.others)
        return joined

    async def _missed(self, policy: Policy, since: str, place: int) -> list[bytes]:
        """Messages that bring a listener from event `since` to `place`, after a HISTORY_GAP if need be."""
        replay = Replay([], gap=True)
        if self._feed is not None:
            replay = await in_db_thread(
                selectors.get_replay, self.channel, policy, since=since, until_seq=place
            )
        heads = [events.history_gap()] if replay.gap else []
        return heads + [events.data(event.payload, event.event_id) for event in replay.events]

    def _info(self) -> dict[str, Any]:
        if not self.presence:
            return _SAYS_NOTHING[self.transport]
        return {"presence": self.presence, "transport": self.transport}

    def _announce(self, kind: Kind) -> None:
        self._runtime.part(Rosters).announce(self.channel, Change(kind, self.client_id, self.presence))


async def list_members(*, channel: str) -> list[Member]:
    """Who listens on a channel now, in every process."""
    return await runtime.current().presence.members(events.group_of(channel))


async def list_channels() -> dict[str, int]:
    """Channels with listeners now, and how many each has."""
    rooms = await runtime.current().presence.rooms(events.ROOM_PREFIX)
    return {events.channel_of(room): count for room, count in rooms.items()}


def kick(*, channel: str, client_id: str) -> None:
    """Close one listener's connection, in whichever process it is. From code without an event loop."""
    runtime.send_from_thread(events.group_of(channel), KICK, {"client_id": client_id})

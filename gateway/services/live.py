"""The gateway, live: this process's place in the journal, and telling its connections what is in it.

A connection that identifies gets, in this order: Ready, what it missed, and everything from then on. Where
one ends the next begins: all three are cut at one place in the journal, the one this process is at when the
connection joins its channels' groups. What is committed before is read from the database; what comes after is
an entry that is still to be delivered. Entries become visible in order, so nothing of before can come late.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from gateway import events
from gateway.rules import Entry
from gateway.selectors.messages import last_seq, list_entries
from gateway.services.ledger import ENTRIES
from gateway.services.posts import NewPost, commit_posts
from gateway.services.tokens import valid_digests
from realtime import runtime
from realtime.db import DATABASE_TROUBLE, in_db_thread, unavailable
from realtime.group_commit import GroupCommit
from realtime.hub import Window
from realtime.journal import Follower
from realtime.tasks import OnDemand
from realtime.user_tokens import ACCESS_CHANGED

if TYPE_CHECKING:
    from gateway.models import Message
    from gateway.services.sockets import GatewaySocket


# Tokens also expire by themselves, without anyone saying so.
RECHECK_INTERVAL_S = 30.0

_decode = msgspec.msgpack.Decoder(list[Entry]).decode


class LiveGateway:
    """One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        # One for all channels: the last id a client has got stands for everything before it, in any of them.
        self.window = Window(rt.loop)
        self._follower = Follower(rt, read=list_entries, deliver=self._on_entry)
        self._starting: asyncio.Task[None] | None = None
        self._sockets: dict[int, set[GatewaySocket]] = defaultdict(set)
        self._posts: GroupCommit[NewPost, Message] = GroupCommit(commit_posts)
        # Each looks at every connection: whoever signs in and out without end must not cause as many.
        self._rechecks = OnDemand(rt.spawn, self._recheck)
        rt.on(ENTRIES, self._on_hint)
        rt.on(ACCESS_CHANGED, self._on_access_changed)
        rt.bus.on_resync(self._rechecks.soon)
        rt.every(RECHECK_INTERVAL_S, self._recheck)

    @property
    def seq(self) -> int:
        """The place in the journal up to which everything was told."""
        return self._follower.seq

    def connections_of(self, account_id: int) -> Iterable[GatewaySocket]:
        """This process's connections of an account."""
        return self._sockets.get(account_id, ())

    def connections(self) -> Iterable[GatewaySocket]:
        """All of this process that have identified."""
        return chain.from_iterable(self._sockets.values())

    def add(self, socket: GatewaySocket, account_id: int) -> None:
        """Have `socket` hear of the channels that this account joins and leaves."""
        self._sockets[account_id].add(socket)

    def discard(self, socket: GatewaySocket, account_id: int) -> None:
        sockets = self._sockets.get(account_id, set())
        sockets.discard(socket)
        if not sockets:
            self._sockets.pop(account_id, None)

    async def reach(self, seq: int) -> None:
        """Return when everything up to that place in the journal was told.

        Raises:
            Refused: UNAVAILABLE while the database does not answer.
        """
        try:
            if not self._follower.started:
                await self._start()
            while self._follower.seq < seq:
                await self._follower.catch_up()
        except DATABASE_TROUBLE:
            raise unavailable() from None

    async def post(self, post: NewPost) -> Message:
        """Post a message, in one transaction with what others post at the same moment.

        Raises:
            Refused: UNKNOWN_CHANNEL.
            OperationalError: nobody knows whether it was posted.
        """
        return await self._posts.submit(post)

    async def _start(self) -> None:
        if self._starting is None:
            self._starting = self._runtime.loop.create_task(self._find_place())
        await asyncio.shield(self._starting)

    async def _find_place(self) -> None:
        try:
            self._follower.start_at(await in_db_thread(last_seq))
        finally:
            self._starting = None

    def _on_hint(self, _group: str, message: dict[str, Any]) -> None:
        for entry in _decode(message["entries"]):
            self._follower.offer(entry)

    def _on_access_changed(self, _group: str, _message: dict[str, Any]) -> None:
        self._rechecks.soon()

    async def _recheck(self) -> None:
        """Close whose token is not valid any more: revoked, or expired by itself."""
        sockets = list(self.connections())
        digests = {socket.login.digest for socket in sockets if socket.login is not None}
        if not digests:
            return
        try:
            valid = await in_db_thread(valid_digests, digests)
        except DATABASE_TROUBLE:
            return  # the next round tries again
        for socket in sockets:
            login = socket.login
            if login is not None and login.digest in digests - valid:
                socket.lost_access()

    def _on_entry(self, entry: Entry) -> None:
        if entry.posted is not None:
            self._runtime.hub.deliver(events.group_of(entry.channel_id), events.message(entry.posted))
            return
        for socket in list(self._sockets.get(entry.account_id, ())):
            socket.membership_changed(entry)


async def post_with_others(post: NewPost) -> Message:
    """Post a message; see `LiveGateway.post`."""
    return await runtime.current().part(LiveGateway).post(post)


@runtime.on_start
def _follow(rt: runtime.Runtime) -> None:
    rt.part(LiveGateway)

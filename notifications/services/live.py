"""The notifications, live: this process's place in the journal, and telling its connections what is in it.

A subscription is a query of a user; those who made it are its listeners. A listener gets its list, as it was
at a place in the journal, and then everything after that place. It may ask for the list again, or for another
part of it, and shows the one before meanwhile: so it goes on hearing news while that is being read, and
after it, once more, those it has not got yet.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from notifications import events
from notifications.protocol.codec import encode_push
from notifications.rules import Entry, Marked, Notified, Updated, session_of
from notifications.selectors.journal import last_seq, list_entries
from notifications.services.commands import Command, Result, commit_all
from notifications.services.ledger import ENTRIES
from notifications.services.listeners import Fetch, Listener, Listeners
from realtime import runtime
from realtime.db import DATABASE_TROUBLE, in_db_thread, unavailable
from realtime.errors import Refused
from realtime.group_commit import GroupCommit
from realtime.journal import Follower
from realtime.logs import get_logger
from realtime.people import directory
from realtime.tasks import OnDemand
from realtime.user_tokens import ACCESS_CHANGED

if TYPE_CHECKING:
    from notifications.services.sockets import NotificationsSocket

log = get_logger(__name__)

# Tokens also expire by themselves, without anyone saying so.
RECHECK_INTERVAL_S: Final = 30.0

# Lists that are fetched again at the same time, in a process, because others changed something.
MAX_RELOADS: Final = 16

_decode = msgspec.msgpack.Decoder(list[Entry]).decode


class LiveNotifications:
    """One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self.listeners = Listeners(rt.hub)
        self._sockets: dict[str, set[NotificationsSocket]] = defaultdict(set)
        self._follower = Follower(rt, read=self._read, deliver=self._on_entry)
        self._starting: asyncio.Task[None] | None = None
        self._commands: GroupCommit[Command[Any], Any] = GroupCommit(commit_all)
        self._reloading = asyncio.Semaphore(MAX_RELOADS)
        # Each looks at every connection: whoever signs in and out without end must not cause as many.
        self._rechecks = OnDemand(rt.spawn, self._recheck)
        # By the origin of the entry they wait for.
        self._answers: dict[str, Callable[[], None]] = {}
        rt.on(ENTRIES, self._on_hint)
        rt.on(ACCESS_CHANGED, self._on_access_changed)
        rt.bus.on_resync(self._rechecks.soon)
        rt.every(RECHECK_INTERVAL_S, self._recheck)

    @property
    def seq(self) -> int:
        """The place in the journal up to which everything was told."""
        return self._follower.seq

    async def do(self, command: Command[Result]) -> Result:
        """Commit a command, together with those of others at the same moment.

        Raises:
            Refused: as the command does; UNAVAILABLE if the database does not answer. Nobody knows then
                whether it was done.
        """
        try:
            result: Result = await self._commands.submit(command)
        except DATABASE_TROUBLE:
            raise unavailable() from None
        return result

    def answer_at(self, origin: str, answer: Callable[[], None]) -> None:
        """Call `answer` at the place of the entry with this `origin`, after all news of before it.

        So a client knows which is newer, what it did itself or what it is told. `forget_answer` in the end.
        """
        self._answers[origin] = answer

    def forget_answer(self, origin: str) -> None:
        self._answers.pop(origin, None)

    async def follow(self) -> None:
        """Return when this process follows the journal.

        Raises:
            Refused: UNAVAILABLE while the database does not answer.
        """
        if self._follower.started:
            return
        if self._starting is None:
            self._starting = self._runtime.loop.create_task(self._find_place())
        try:
            await asyncio.shield(self._starting)
        except DATABASE_TROUBLE:
            raise unavailable() from None

    async def reach(self, seq: int) -> None:
        """Return when everything up to that place in the journal was told.

        Raises:
            Refused: UNAVAILABLE while the database does not answer.
        """
        await self.follow()
        try:
            while self._follower.seq < seq:
                await self._follower.catch_up()
        except DATABASE_TROUBLE:
            raise unavailable() from None

    # -- listeners -----------------------------------------------------------------------------

    async def refresh(self, listener: Listener, fetch: Fetch, answer: Callable[[bytes], bytes]) -> None:
        """Send a listener its list, put by ``answer(payload)`` into a message, and after it what is newer.

        Raises:
            Refused: as the query does. The listener hears what it would have heard without this.
        """
        await self.follow()
        async with listener.lock:
            payload, newer = await self._fetch(listener, fetch)
            listener.fetch = fetch
            if listener.listens:
                listener.send(answer(payload), *newer)
                self.listeners.go_live(listener)
            else:
                # Who has unsubscribed meanwhile gets the answer, and nothing more.
                listener.send(answer(payload))

    async def _fetch(self, listener: Listener, fetch: Fetch) -> tuple[bytes, list[bytes]]:
        """The list of a listener whose lock is held, and the news of meanwhile that it has not got."""
        meanwhile: list[tuple[int, bytes]] = []
        listener.meanwhile = meanwhile
        try:
            seq, payload = await fetch(self._follower.seq)
            # What the list has already must not come as news after it.
            await self.reach(seq)
        finally:
            listener.meanwhile = None
        return payload, [head for at, head in meanwhile if at > seq]

    # -- sockets and their tokens --------------------------------------------------------------

    def add(self, socket: NotificationsSocket, digest: str) -> None:
        """Look at this token again when somebody's access has changed."""
        self._sockets[digest].add(socket)

    def discard(self, socket: NotificationsSocket, digest: str) -> None:
        sockets = self._sockets.get(digest, set())
        sockets.discard(socket)
        if not sockets:
            self._sockets.pop(digest, None)

    def _on_access_changed(self, _group: str, _message: dict[str, Any]) -> None:
        self._rechecks.soon()

    async def _recheck(self) -> None:
        """Close whose token is not valid any more: revoked, or expired by itself."""
        digests = set(self._sockets)
        if not digests:
            return
        try:
            valid = await in_db_thread(directory().valid_digests, digests)
        except DATABASE_TROUBLE:
            return  # the next round tries again
        for digest in digests - valid:
            for socket in list(self._sockets.get(digest, ())):
                socket.lost_access()

    # -- the journal ---------------------------------------------------------------------------

    def _read(self, after_seq: int, limit: int) -> Any:
        return list_entries(self.listeners.users, after_seq, limit)

    async def _find_place(self) -> None:
        try:
            self._follower.start_at(await in_db_thread(last_seq))
        finally:
            self._starting = None

    def _on_hint(self, _group: str, message: dict[str, Any]) -> None:
        for entry in _decode(message["entries"]):
            self._follower.offer(entry)

    def _on_entry(self, entry: Entry) -> None:
        match entry:
            case Notified():
                self._tell_news(entry)
            case Marked():
                self._tell_marks(entry)
            case Updated():
                self._tell_update(entry)

    def _tell_news(self, entry: Notified) -> None:
        news = events.Newcomer(entry.content)
        for user_id, notification_id in entry.recipients:
            for subscription in self.listeners.of_user(user_id):
                if subscription.takes(entry.content.type):
                    self.listeners.push(subscription, entry.seq, news.to(subscription.id, notification_id))

    def _tell_marks(self, entry: Marked) -> None:
        if (answer := self._answers.pop(entry.origin, None)) is not None:
            answer()
        by = session_of(entry.origin)
        for subscription in self.listeners.of_user(entry.user_id):
            if entry.items is None:
                # A list that is being read may be older than what its own connection marked.
                self._reload(
                    one for one in subscription.listeners if one.outlet.id != by or one.meanwhile is not None
                )
                continue
            for item in entry.items:
                if subscription.takes(item.content.type):
                    head = events.changed(subscription.id, item)
                    self.listeners.push(subscription, entry.seq, head, excluded=(by,))

    def _tell_update(self, entry: Updated) -> None:
        for subscription_id in entry.subscription_ids:
            subscription = self.listeners.find(subscription_id)
            if subscription is None:
                continue
            if entry.reload:
                self._reload(subscription.listeners)
            else:
                self.listeners.push(
                    subscription, entry.seq, encode_push(subscription.id, "update", entry.data)
                )

    def _reload(self, listeners: Iterable[Listener]) -> None:
        for listener in list(listeners):
            # One that is about to be fetched is as new as the next.
            if not listener.reload_waits:
                listener.reload_waits = True
                self._runtime.spawn(self._reload_one(listener))

    async def _reload_one(self, listener: Listener) -> None:
        """Send it its list as it was asked for last; nothing where it has none by then, or has left."""
        async with self._reloading, listener.lock:
            listener.reload_waits = False
            if not (listener.listed and listener.listens):
                return
            try:
                payload, newer = await self._fetch(listener, listener.fetch)
                if listener.listens:
                    listener.send(encode_push(listener.subscription.id, "reload", payload), *newer)
            except Refused as refusal:
                # The client still has its old list, and gets the next news.
                log.warning("notifications.not_reloaded", connection=listener.outlet.id, code=refusal.code)


async def do_with_others(command: Command[Result]) -> Result:
    """Commit a command; see `LiveNotifications.do`."""
    return await runtime.current().part(LiveNotifications).do(command)


@runtime.on_start
def _follow(rt: runtime.Runtime) -> None:
    rt.part(LiveNotifications)

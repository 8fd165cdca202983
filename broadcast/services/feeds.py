"""Live delivery of kept events, in the order of their numbers, without hole or repeat.

Events of a channel with history may be emitted at any process, and their messages may overtake one
another or be lost on the bus. A `Feed` is one process's reading position in one channel. The next
number is delivered as it comes; a later one waits while the missing are read from the database, where
they are certain to be: numbers become visible in order (`broadcast.models.Stream`). So a message on
the bus is only a hint, and every listener of a process sees the same order as the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from broadcast import events, selectors
from realtime import runtime
from realtime.db import in_db_thread
from realtime.logs import get_logger

log = get_logger(__name__)

# How long a hint that was lost on the bus may delay the last event of a burst.
CHECK_INTERVAL_S = 5.0
READ_LIMIT = 500


@dataclass(slots=True)
class Feed:
    """One process's position in one channel's history. `last_seq` was delivered, and all before it."""

    channel: str
    last_seq: int
    users: int = 0
    # Numbers that came too early, with what delivers them.
    early: dict[int, Callable[[], None]] = field(default_factory=dict)
    filling: bool = False


class Feeds:
    """The feeds of one process: one for each channel with history that has listeners here."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._feeds: dict[str, Feed] = {}
        rt.bus.on_resync(self._check_soon)
        rt.every(CHECK_INTERVAL_S, self.check)

    async def open(self, channel: str) -> Feed:
        """The channel's feed, for a listener who will call `close`. One query if it is the first."""
        feed = self._feeds.get(channel)
        if feed is None:
            seqs = await in_db_thread(selectors.get_last_seqs, [channel])
            feed = self._feeds.setdefault(channel, Feed(channel, seqs.get(channel, 0)))
        feed.users += 1
        return feed

    def close(self, feed: Feed) -> None:
        """A listener is done with the feed."""
        feed.users -= 1
        if not feed.users and self._feeds.get(feed.channel) is feed:
            del self._feeds[feed.channel]

    def offer(self, channel: str, seq: int, deliver: Callable[[], None]) -> None:
        """Event number `seq` exists; ``deliver()`` hands it to the local listeners when its turn comes."""
        feed = self._feeds.get(channel)
        if feed is None:
            # Listeners from before the channel had a history: they were promised no order.
            deliver()
        elif seq == feed.last_seq + 1:
            self._advance(feed, seq, deliver)
            self._drain(feed)
        elif seq > feed.last_seq:
            feed.early[seq] = deliver
            self.catch_up_soon(feed)

    async def check(self) -> None:
        """Look for events whose hint never came. One query for all channels."""
        if self._feeds:
            for channel, last_seq in (await in_db_thread(selectors.get_last_seqs, list(self._feeds))).items():
                feed = self._feeds.get(channel)
                if feed is not None and last_seq > feed.last_seq:
                    self.catch_up_soon(feed)

    def _check_soon(self) -> None:
        self._runtime.spawn(self.check())

    def catch_up_soon(self, feed: Feed) -> None:
        """Have `catch_up` run beside what goes on, once at a time for each feed."""
        if not feed.filling:
            feed.filling = True
            self._runtime.spawn(self._fill_and_rest(feed))

    async def _fill_and_rest(self, feed: Feed) -> None:
        try:
            await self.catch_up(feed)
        finally:
            feed.filling = False

    async def catch_up(self, feed: Feed) -> None:
        """Deliver whatever is committed by now. One query, and more if that brings anything.

        It may run twice at once for one feed: of what a read brings only the next is delivered.
        """
        while True:
            hinted = list(feed.early)
            missing = await in_db_thread(selectors.list_after, feed.channel, feed.last_seq, READ_LIMIT)
            if self._feeds.get(feed.channel) is not feed:
                return  # its last listener left meanwhile, and the next has a feed of its own
            for event in missing:
                if event.seq > feed.last_seq:
                    # A hint that came early knows more than the row: whether an ACK is asked for.
                    deliver = feed.early.pop(event.seq, None)
                    self._jump(feed, event.seq, deliver or partial(self._deliver, event, feed.channel))
            self._drain(feed)
            if missing:
                continue
            # Hinted before the read, yet neither read nor next: what was between has been forgotten.
            if forgotten := [seq for seq in hinted if seq in feed.early]:
                self._jump(feed, min(forgotten), feed.early.pop(min(forgotten)))
                self._drain(feed)
            elif not feed.early:
                return

    def _jump(self, feed: Feed, seq: int, deliver: Callable[[], None]) -> None:
        if seq != feed.last_seq + 1:
            self._tell_gap(feed)
        self._advance(feed, seq, deliver)

    def _deliver(self, event: selectors.KeptEvent, channel: str) -> None:
        if event.payload:  # else it was for particular clients, who are known no more
            self._runtime.hub.deliver(events.group_of(channel), events.data(event.payload, event.event_id))

    def _drain(self, feed: Feed) -> None:
        while (deliver := feed.early.pop(feed.last_seq + 1, None)) is not None:
            self._advance(feed, feed.last_seq + 1, deliver)
        for seq in [seq for seq in feed.early if seq <= feed.last_seq]:
            del feed.early[seq]

    @staticmethod
    def _advance(feed: Feed, seq: int, deliver: Callable[[], None]) -> None:
        feed.last_seq = seq
        deliver()

    def _tell_gap(self, feed: Feed) -> None:
        """Events were forgotten before this process could read them: say so rather than pass over it."""
        log.warning("broadcast.history_gap", channel=feed.channel)
        self._runtime.hub.deliver(events.group_of(feed.channel), events.history_gap())

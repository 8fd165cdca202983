"""One connection to the gateway: whose it is, and which channels it hears."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway import events
from gateway.metrics import REPLAYS
from gateway.protocol.messages import MAX_REPLAY, MAX_REPLAY_BYTES, Identify
from gateway.protocol.session import Session
from gateway.rules import Entry, Posted
from gateway.selectors.messages import list_missed, load_memberships
from gateway.services.live import LiveGateway
from gateway.services.tokens import GatewayLogin, login_of_token
from realtime import runtime
from realtime.db import ask_database
from realtime.errors import Refused
from realtime.outlet import Outlet


class GatewaySocket:
    """A connection. Hears nothing until it has identified.

    Args:
        session: knows how long its client takes to answer.
        lost_access: called once its token is not valid any more.
    """

    def __init__(self, outlet: Outlet, session: Session, lost_access: Callable[[], None]) -> None:
        self.outlet = outlet
        self.session = session
        self.lost_access = lost_access
        self.login: GatewayLogin | None = None
        self.since_ms = 0
        self._runtime = runtime.current()
        self._live = self._runtime.part(LiveGateway)
        # Until the channels are known: what became of them meanwhile. Then None.
        self._changes: list[Entry] | None = []

    async def identify(self, identify: Identify) -> bool:
        """Send Ready, what was missed, and go on live; False if the token is not good.

        Raises:
            Refused: UNAVAILABLE while the database does not answer. Nothing was sent then.
        """
        login = await ask_database(login_of_token, identify.token)
        if login is None:
            return False
        self.login = login
        self.since_ms = self._runtime.clock.time_ms()
        # First of all: a channel that is joined from now on is heard of.
        self._live.add(self, login.account_id)
        try:
            await self._go_live(login, identify.after)
        except Refused:
            self.leave()
            raise
        return True

    def membership_changed(self, entry: Entry) -> None:
        """The account has joined or left a channel."""
        if self._changes is not None:
            self._changes.append(entry)
        elif entry.kind == "joined":
            self._hear(entry.channel_id)
        else:
            self._runtime.hub.leave_group(events.group_of(entry.channel_id), self.outlet)

    def leave(self) -> None:
        """The connection has closed, or is not let in."""
        if self.login is not None:
            self._live.discard(self, self.login.account_id)
            self.login = None

    async def _go_live(self, login: GatewayLogin, after: int | None) -> None:
        # This process must be following the journal before the channels are read from the database, or what
        # happens in between would be in neither.
        await self._live.reach(0)
        since, channels, until = await ask_database(load_memberships, login.account_id)
        await self._live.reach(until)
        # From here to the cork nothing is waited for: this is the place where before and after meet.
        cut = self._live.seq
        for change in self._changes or ():
            if change.seq > since:
                (channels.add if change.kind == "joined" else channels.discard)(change.channel_id)
        self._changes = None
        self.outlet.cork()
        if self.outlet.closed:
            return
        for channel_id in channels:
            self._hear(channel_id)
        frames = [events.ready(login.account_id)]
        if after is not None:
            missed = await ask_database(list_missed, channels, after, cut, MAX_REPLAY + 1)
            frames += _replay(missed)
        self.outlet.uncork(*frames)

    def _hear(self, channel_id: int) -> None:
        self._runtime.hub.join_here(events.group_of(channel_id), self.outlet, self._live.window)


def _replay(missed: Sequence[Posted]) -> list[bytes]:
    """Frames of what was missed, as much as is replayed, and Gap where that is not all."""
    frames: list[bytes] = []
    size_bytes = 0
    for posted in missed[:MAX_REPLAY]:
        frame = events.message(posted)
        size_bytes += len(frame)
        if size_bytes > MAX_REPLAY_BYTES:
            break
        frames.append(frame)
    is_whole = len(frames) == len(missed)
    REPLAYS.labels(outcome="whole" if is_whole else "gap").inc()
    return frames if is_whole else [*frames, events.gap()]

"""One connection to the line: its ticket, and its login once it is admitted."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import suppress
from typing import Any

from django.conf import settings

from queue import events, metrics
from queue.main_server import Login, LoginRefused
from queue.models import Session, Ticket, TicketState
from queue.protocol import messages
from queue.protocol.codec import Hello, Meaning
from queue.selectors.line import OPEN, may_go
from queue.services.commands import Command, Enter, Fail, Hold, Join, Joined, Leave, Refuse
from queue.services.door import Door, the_door
from queue.services.sessions import confirm_delivery
from realtime.close_codes import CloseCode
from realtime.db import DATABASE_TROUBLE, ask_database, in_db_thread, unavailable
from realtime.errors import Refused
from realtime.logs import get_logger
from realtime.outbound import NoAnswer
from realtime.outlet import Outlet

log = get_logger(__name__)

_DATABASE_RETRY_S = 1.0


class QueueSocket:
    """A connection that was let into the room, not yet in.

    Args:
        outlet: its write end.
        hello: what it said in the handshake.
    """

    def __init__(self, outlet: Outlet, hello: Hello) -> None:
        self.outlet = outlet
        self.client_id = hello.client_id
        self.extended = hello.extended
        self.arrived_ms = 0
        self.ticket_id = ""
        self.position = 0
        self._platform = hello.platform
        self._login: Login
        self._session_id = ""
        self._logging_in: asyncio.Task[None] | None = None
        self._left = False
        self._door: Door = the_door()

    # -- what the consumer calls -----------------------------------------------------------------

    def arrive(self) -> None:
        """Be told the line's numbers from here on."""
        self._door.add(self)
        if self.extended:
            self.outlet.send(self._door.board.stats(extended=True))

    async def join(self, login: messages.Login) -> None:
        """Get the ticket of this client and answer with it.

        Raises:
            Refused: UNAVAILABLE if the database does not answer.
        """
        self._login = Login(
            client_id=self.client_id,
            platform=self._platform,
            type=login.type,
            token=login.token,
            device_id=login.device_id,
            session_id=login.session_id,
        )
        joined: Joined = await self._door.submit(
            Join(
                client_id=self.client_id,
                platform=self._platform,
                login_type=login.type,
                holder=self._door.runtime.process_id,
                connection=self.outlet.id,
            )
        )
        ticket = joined.ticket
        if self._left or self._session_id:
            # It came too late: the connection is gone, or let in with the Login before.
            await self._door.let_go(Leave(self.client_id, ticket.ticket_id, self.outlet.id))
            return
        early = self._door.hold_ticket(self, ticket.ticket_id)
        self.ticket_id = ticket.ticket_id
        self._door.board.heard_of(joined)
        self._send_place(ticket.position)
        if early or ticket.state == TicketState.ADMITTED:
            self.admitted()

    async def leave(self) -> None:
        """The connection has closed."""
        self._left = True
        self._door.discard(self)
        if self._logging_in is not None:
            self._logging_in.cancel()
        if self.ticket_id:
            ticket_id, self.ticket_id = self.ticket_id, ""
            await self._door.let_go(Leave(self.client_id, ticket_id, self.outlet.id))

    # -- what the door calls ---------------------------------------------------------------------

    def admitted(self) -> None:
        """It is this client's turn: log it in, unless that is under way."""
        if self._logging_in is None and not self._left and not self._session_id:
            self._logging_in = self._door.runtime.spawn(self._log_in())

    def moved(self, position: int) -> None:
        """The ticket has another place."""
        self._door.board.moved_to(position)
        self._door.board.look_soon()
        self._send_place(position)

    def removed(self) -> None:
        """The ticket was taken out of the line."""
        if self._logging_in is not None:
            self._logging_in.cancel()
        self._forget_ticket()
        self.outlet.send(events.removed())

    def replaced(self) -> None:
        """A newer connection has the same id."""
        self.outlet.close(CloseCode.REPLACED, "replaced by a newer connection")

    async def hold(self) -> None:
        """Make sure the ticket is ours in the database: it may have been taken for left behind.

        Raises:
            Refused: UNAVAILABLE if the database does not answer.
        """
        ticket_id = self.ticket_id
        if not ticket_id:
            return
        ticket: Ticket | None = await self._door.submit(
            Hold(self.client_id, ticket_id, self._door.runtime.process_id, self.outlet.id)
        )
        if self.ticket_id != ticket_id or self._session_id or self._left:
            return  # it has moved on meanwhile
        if ticket is None or ticket.state not in OPEN:
            self.removed()
        elif ticket.connection != self.outlet.id:
            self.replaced()
        elif ticket.state == TicketState.ADMITTED:
            self.admitted()

    # -- logging in --------------------------------------------------------------------------------

    async def _log_in(self) -> None:
        try:
            await self._ask_main_server()
        except Refused as refused:
            # The place was given back while the main server was asked: wait again.
            log.info("queue.login_void", connection=self.outlet.id, code=refused.code)
        except Exception:
            log.exception("queue.login_failed", connection=self.outlet.id)
            self.outlet.close(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            self._logging_in = None

    async def _ask_main_server(self) -> None:
        ticket_id = self.ticket_id
        try:
            jwt = await self._log_in_with_patience()
        except LoginRefused as refused:
            metrics.LOGINS.labels(outcome="refused").inc()
            await self._commit(Refuse(self.client_id, ticket_id, self.outlet.id, refused.status_code))
            self._forget_ticket()
            self.outlet.send(events.turned_away(refused.status_code, refused.message))
        except NoAnswer as error:
            metrics.LOGINS.labels(outcome="failed").inc()
            log.warning("queue.main_server_unavailable", error=str(error))
            for_all = self._door.main_server.fails_for_all
            await self._commit(Fail(self.client_id, ticket_id, self.outlet.id, for_all))
            # It keeps the ticket, too: this connection holds its place.
            self.outlet.send(
                events.turned_away(
                    events.UNAVAILABLE_STATUS,
                    "The server does not answer now. Your place is kept: please try again.",
                )
            )
        else:
            session: Session = await self._commit(
                Enter(self.client_id, ticket_id, self.outlet.id, digest_of(jwt))
            )
            metrics.LOGINS.labels(outcome="let_in").inc()
            self._session_id = session.session_id
            self._forget_ticket()
            self.outlet.on_close_answered = self._delivered
            self.outlet.send(events.let_in(jwt))
            self.outlet.close(CloseCode.NORMAL, "logged in")

    async def _log_in_with_patience(self) -> str:
        """Ask the main server, again after a pause where it is its own fault."""
        pause_s = settings.MAIN_SERVER_RETRY_PAUSE_S
        for _ in range(settings.MAIN_SERVER_RETRIES):
            with suppress(NoAnswer):
                return await self._door.main_server.log_in(self._login)
            # Not all at the same moment: what fails for one has failed for many.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            pause_s *= 2
        return await self._door.main_server.log_in(self._login)

    async def _commit(self, command: Command) -> Any:
        """Commit what the main server said; it is true, so a database that is away is waited for."""
        while True:
            try:
                return await self._door.submit(command)
            except Refused as refused:
                if refused.code != unavailable().code:
                    raise
            await asyncio.sleep(_DATABASE_RETRY_S)

    def _delivered(self) -> None:
        """The client has answered our close, so it has read what came before."""
        self._door.runtime.spawn(self._confirm())

    async def _confirm(self) -> None:
        with suppress(*DATABASE_TROUBLE):  # then it may log in again on its place, for nothing
            await in_db_thread(confirm_delivery, session_id=self._session_id)

    # -- parts -------------------------------------------------------------------------------------

    def _send_place(self, position: int) -> None:
        self.position = position
        self.outlet.send(
            events.ticket(self.ticket_id, position), self._door.board.stats(extended=self.extended)
        )

    def _forget_ticket(self) -> None:
        self._door.forget_ticket(self)
        self.ticket_id = ""


async def may_go_in(hello: Hello) -> bool:
    """Whether this client need not wait. Reads the database only where the answer may be yes.

    Raises:
        Refused: UNAVAILABLE while the database does not answer.
    """
    view = await the_door().board.ready()
    if not (view.may_go or view.some_never_wait or hello.jwt):
        return False
    return await ask_database(may_go, hello.client_id, digest_of(hello.jwt) if hello.jwt else "")


def digest_of(jwt: str) -> str:
    """By which a credential is recognised without being kept."""
    return hashlib.sha256(jwt.encode()).hexdigest()


def should_queue(go: bool) -> bytes:
    """The first message of a connection, in this installation's reading."""
    meaning: Meaning = settings.QUEUE_SHOULD_QUEUE_MEANS
    return events.should_queue(may_go=go, meaning=meaning)

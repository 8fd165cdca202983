"""One connection: who it is, and what it listens to. Every request is answered here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Raw

from notifications.backends import Backends, http
from notifications.backends.base import User
from notifications.protocol import messages
from notifications.protocol.codec import encode, read
from notifications.protocol.messages import Request, Response, Total
from notifications.protocol.session import AUTHENTICATION
from notifications.rules import RESOURCE, origin_of, subscription_id, wanted_types
from notifications.selectors.backend_commands import find_command
from notifications.services.listeners import Fetch, Listener
from notifications.services.live import LiveNotifications
from realtime import runtime
from realtime.db import ask_database
from realtime.errors import Refused
from realtime.outlet import Outlet
from realtime.wire import encode_json

MAX_SUBSCRIPTIONS: Final = 100
"""Of one connection."""


class NotificationsSocket:
    """A connection. A guest until it has authenticated.

    Args:
        outlet: its id is the session's.
        send: sends messages over it, and counts them.
        lost_access: called once its token is not valid any more.
    """

    def __init__(self, outlet: Outlet, send: Callable[..., None], lost_access: Callable[[], None]) -> None:
        self.outlet = outlet
        self._send = send
        self.lost_access = lost_access
        self.user: User | None = None
        rt = runtime.current()
        self._live = rt.part(LiveNotifications)
        self._backends = rt.part(Backends)
        self._listeners: dict[str, Listener] = {}

    async def answer(self, request: Request) -> bytes | None:
        """Do what a request asks for; gives the answer, or None if it was sent already.

        Raises:
            BadRequest: the options are not those of the command.
            Refused: UNAUTHORIZED, FORBIDDEN, or what else is in the way.
        """
        own = _COMMANDS.get(request.command)
        return await (own(self, request) if own is not None else self._run_backend_command(request))

    def leave(self) -> None:
        """The connection has closed."""
        self._be(None)

    # -- commands ------------------------------------------------------------------------------

    async def _authenticate(self, request: Request) -> bytes:
        options = read(messages.Authentication, request.options, "options")
        if options.authToken is None:
            if options.update:
                raise Refused("INVALID_TOKEN", "Invalid access token")
            self._be(None)
            return self._ok(request, {"id": None, "sessionId": self.outlet.id})
        user = await self._backends.accounts.authenticate(options.authToken)
        if options.update and (self.user is None or self.user.id != user.id):
            raise Refused("INVALID_TOKEN", "Invalid access token")
        self._be(user)
        return self._ok(request, {**user.profile, "id": user.id, "sessionId": self.outlet.id})

    async def _list(self, request: Request) -> None:
        query = read(messages.ListQuery, request.options, "options")
        user = self._signed_in()
        types = wanted_types(query.where.types)

        async def fetch(seq: int) -> tuple[int, bytes]:
            # Once more later, by then with a newer token perhaps.
            return await self._backends.store.list(self._signed_in(), query, seq)

        number = subscription_id(RESOURCE, {"types": types}, user.id)
        await self._subscribe(request, number, RESOURCE, types, fetch)

    async def _count(self, request: Request) -> bytes:
        query = read(messages.CountQuery, request.options, "options")
        return self._ok(request, Total(await self._backends.store.count(self._signed_in(), query)))

    async def _update(self, request: Request) -> bytes | None:
        update = read(messages.Update, request.options, "options")
        user = self._signed_in()
        answers = [self._ok(request, None)]
        origin = origin_of(self.outlet.id, request.rid)
        self._live.answer_at(origin, lambda: self._send(answers.pop()))
        try:
            await self._backends.store.mark(user, update, origin)
        finally:
            self._live.forget_answer(origin)
        # Where nothing had changed there was no entry to answer at.
        return answers.pop() if answers else None

    async def _unsubscribe(self, request: Request) -> bytes:
        for number in read(messages.Subscription, request.options, "options").ids:
            if (listener := self._listeners.pop(number, None)) is not None:
                self._live.listeners.discard(listener)
        return self._ok(request, None)

    async def _run_backend_command(self, request: Request) -> bytes | None:
        command = await ask_database(find_command, request.command)
        if command is None:
            raise Refused("UNKNOWN_COMMAND", "There is no such command.")
        user = self._signed_in() if command.needs_user else self.user

        async def fetch(seq: int) -> tuple[int, bytes]:
            answer = await http.run(self._backends.services, command, self.user, request.options)
            return seq, encode_json(answer)

        if not command.subscribes:
            return self._ok(request, Raw((await fetch(0))[1]))
        user_id = user.id if user is not None else ""
        number = subscription_id(command.name, request.options, user_id)
        await self._subscribe(request, number, command.name, [], fetch)
        return None

    # -- inside --------------------------------------------------------------------------------

    def _signed_in(self) -> User:
        if self.user is None:
            raise Refused("UNAUTHORIZED", "Authenticate first.")
        return self.user

    def _be(self, user: User | None) -> None:
        """Another user hears nothing of what the one before subscribed to."""
        before, self.user = self.user, user
        if before is not None:
            self._live.discard(self, before.digest)
        if user is not None and user.digest and not self.outlet.closed:
            self._live.add(self, user.digest)
        if before is None or user is None or before.id != user.id:
            for listener in self._listeners.values():
                self._live.listeners.discard(listener)
            self._listeners.clear()

    async def _subscribe(
        self, request: Request, number: str, resource: str, types: list[str], fetch: Fetch
    ) -> None:
        """Answer with what was fetched, and have the connection hear of what is new in it."""
        listener = self._listeners.get(number)
        if listener is None:
            if len(self._listeners) >= MAX_SUBSCRIPTIONS:
                raise Refused("TOO_MANY_SUBSCRIPTIONS", f"A connection may have {MAX_SUBSCRIPTIONS}.")
            user_id = self.user.id if self.user is not None else ""
            subscription = self._live.listeners.subscription(number, resource, user_id, types)
            listener = Listener(subscription, self.outlet, self._send, fetch)
            self._live.listeners.add(listener)
            self._listeners[number] = listener
        listener.asking += 1
        try:
            await self._live.refresh(
                listener, fetch, lambda payload: encode(Response(request.rid, number, "ok", Raw(payload)))
            )
        finally:
            listener.asking -= 1
            # Who got no list is not subscribed; unless another request is about to get it.
            if not listener.listed and not listener.asking and self._listeners.get(number) is listener:
                del self._listeners[number]
                self._live.listeners.discard(listener)

    def _ok(self, request: Request, payload: Any) -> bytes:
        return encode(Response(request.rid, request.command, "ok", payload))


_COMMANDS: Final[dict[str, Callable[[NotificationsSocket, Request], Awaitable[bytes | None]]]] = {
    AUTHENTICATION: NotificationsSocket._authenticate,
    "getMyNotifications": NotificationsSocket._list,
    "getMyNotificationsCount": NotificationsSocket._count,
    "updateNotifications": NotificationsSocket._update,
    "subscription": NotificationsSocket._unsubscribe,
}

"""What one connection may do when: who it is, and which requests are under way.

Requests run at the same time, but for `authentication`: it waits for those before it, and those after it wait
for it, so that each is answered as the user it was sent as.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from typing import Final

from notifications.protocol.codec import BadRequest
from notifications.protocol.messages import MAX_IN_FLIGHT, Request

__all__ = ["AUTHENTICATION", "Session"]

AUTHENTICATION: Final = "authentication"


class Session:
    """The requests of one connection, in the order they came.

    `begin` each, `end` it when it was answered; both give those that may run now.
    """

    __slots__ = ("_running", "_waiting")

    def __init__(self) -> None:
        self._running: dict[int, Request] = {}
        self._waiting: dict[int, Request] = {}

    def begin(self, request: Request) -> list[Request]:
        """A request came.

        Raises:
            BadRequest: its `rid` is that of one that has no answer yet; or too many have none.
        """
        if request.rid in self._running or request.rid in self._waiting:
            raise BadRequest("rid-in-use", "A request with this rid has no answer yet.", "rid").to(request)
        if len(self._running) + len(self._waiting) >= MAX_IN_FLIGHT:
            raise BadRequest("too-many", f"{MAX_IN_FLIGHT} requests have no answer yet.").to(request)
        self._waiting[request.rid] = request
        return self._next()

    def end(self, request: Request) -> list[Request]:
        """A request was answered."""
        self._running.pop(request.rid, None)
        return self._next()

    def _next(self) -> list[Request]:
        started = []
        for request in list(self._waiting.values()):
            if self._alone_now() or (request.command == AUTHENTICATION and self._running):
                break
            del self._waiting[request.rid]
            self._running[request.rid] = request
            started.append(request)
        return started

    def _alone_now(self) -> bool:
        return any(request.command == AUTHENTICATION for request in self._running.values())

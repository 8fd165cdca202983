"""The connections there are now, over all processes, for whoever looks after the gateway.

Nothing is written for it by identifying or by heartbeats: every process is asked when somebody looks
(`realtime.survey`).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from gateway.services.live import LiveGateway
from gateway.services.sockets import GatewaySocket
from realtime import runtime
from realtime.close_codes import CloseCode
from realtime.survey import Surveys

QUESTION: Final = "gateway.connections"
DISCONNECT: Final = "gateway.disconnect"


@dataclass(frozen=True, slots=True)
class Connection:
    """One that has identified, since `since_ms` (1970). `latency_ms` of its last heartbeat, if it had one."""

    process_id: str
    id: str
    account_id: int
    since_ms: int
    latency_ms: int | None


@dataclass(frozen=True, slots=True)
class Connections:
    """The newest `connections`, how many there are in all of each process, and who did not say."""

    newest: list[Connection]
    counts: dict[str, int]
    silent: set[str]

    @property
    def count(self) -> int:
        return sum(self.counts.values())


async def list_connections(*, account_ids: Collection[int] | None = None, limit: int) -> Connections:
    """Connections of these accounts, or of all, the newest first."""
    details = {"accounts": None if account_ids is None else list(account_ids), "limit": limit}
    answers = await runtime.current().part(Surveys).ask(QUESTION, details)
    found = [
        Connection(process_id, *row)
        for process_id, answer in answers.given.items()
        for row in answer["newest"]
    ]
    return Connections(
        newest=heapq.nlargest(limit, found, key=lambda one: one.since_ms),
        counts={process_id: answer["count"] for process_id, answer in answers.given.items()},
        silent=answers.silent,
    )


def disconnect(*, account_id: int, connection_id: str) -> None:
    """End a connection, in whichever process it is. From code without an event loop.

    With 1012, on which clients come back and get what they missed: their tokens are still good, which 4003
    would deny. Who is to stay away loses the token (`services.tokens`).
    """
    message = {"account": account_id, "connection": connection_id}
    runtime.send_from_thread(runtime.EVERY_PROCESS, DISCONNECT, message)


class _Desk:
    """What this process says and does about its own connections."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._live = rt.part(LiveGateway)
        rt.part(Surveys).answer(QUESTION, self._list)
        rt.on(DISCONNECT, self._on_disconnect)

    def _list(self, details: dict[str, Any]) -> dict[str, Any]:
        accounts = details["accounts"]
        those = (
            self._live.connections()
            if accounts is None
            else chain.from_iterable(self._live.connections_of(one) for one in accounts)
        )
        found = [socket for socket in those if not socket.outlet.closed]
        newest = heapq.nlargest(details["limit"], found, key=lambda socket: socket.since_ms)
        return {"count": len(found), "newest": [_row(socket) for socket in newest]}

    def _on_disconnect(self, _group: str, message: dict[str, Any]) -> None:
        for socket in self._live.connections_of(message["account"]):
            if socket.outlet.id == message["connection"]:
                socket.outlet.close(CloseCode.SERVICE_RESTART, "ended by an operator")


def _row(socket: GatewaySocket) -> list[Any]:
    account_id = socket.login.account_id if socket.login is not None else 0
    return [socket.outlet.id, account_id, socket.since_ms, socket.session.latency_ms]


@runtime.on_start
def _answer(rt: runtime.Runtime) -> None:
    rt.part(_Desk)

"""The login queue of a running server: managed over the HTTP API, waited in by `Waiter`."""

from __future__ import annotations

from typing import Any

import httpx

from tests.e2e.rawsocket import RawSocket
from tests.e2e.servers import Server
from tests.e2e.waiter import SHOULD_QUEUE, Waiter

# What a test may have changed.
DEFAULT_POLICY = {
    "enabled": True,
    "paused": False,
    "capacity": 1000,
    "admit_per_interval": 500,
    "interval_s": 10,
    "stats_interval_s": 5,
    "ticket_stale_s": 300,
    "session_stale_s": 300,
    "message": "",
}


class WaitingLine:
    """The line of one server."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self._api = httpx.Client(
            base_url=f"{server.url}/api/queue/",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            verify=False,
            timeout=20,
        )

    async def open(self, client_id: str, **headers: str) -> Waiter:
        """A connection of that id."""
        return await Waiter.open(f"{self.server.ws_url}/", client_id, **headers)

    async def raw(self, client_id: str) -> RawSocket:
        """A socket of which every byte is ours to choose."""
        raw = await RawSocket.dial(self.server)
        raw.writer.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\nplatform: raw\r\nid: {client_id}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = await raw.head()
        assert status == 101, status
        return raw

    async def has_room(self) -> bool:
        """Whether a newcomer is told to come right in."""
        async with await self.open("newcomer") as newcomer:
            told: dict[str, Any] = await newcomer.next(SHOULD_QUEUE)
        return bool(told["shouldQueue"])

    def manage(self, method: str, path: str, **body: Any) -> Any:
        """What an operator does; gives the answer's body. Must succeed."""
        answer = self._api.request(method, path, json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def policy(self, **changes: Any) -> None:
        self.manage("PATCH", "policy", **changes)

    def end_session(self) -> None:
        """The oldest session ends."""
        self.manage("DELETE", f"sessions/{self.sessions()[-1]}")

    def sessions(self) -> list[str]:
        """Those that are alive, the newest first."""
        return [session["id"] for session in self.manage("GET", "sessions?alive=true&limit=500")["results"]]

    def waiting(self) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.manage("GET", "tickets?state=waiting&limit=500")["results"]
        return results

    def inactive(self) -> list[str]:
        """Who is in line and away."""
        return [ticket["clientId"] for ticket in self.waiting() if ticket["inactiveSince"]]

    def clear(self) -> None:
        """Nobody waits, nobody is in, the policy is as at first."""
        self.policy(**{**DEFAULT_POLICY, "paused": True})
        for ticket in self.waiting():
            self.manage("DELETE", f"tickets/{ticket['ticketId']}")
        for session in self.sessions():
            self.manage("DELETE", f"sessions/{session}")
        self.policy(paused=False)

    def close(self) -> None:
        self._api.close()

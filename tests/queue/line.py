"""The line as connections use it, without connections: each command committed at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from queue.models import Line, LogEntry, Session, Ticket
from queue.services.commands import Command, Enter, Fail, Join, Joined, Leave, Outcome, Refuse, commit
from queue.services.policy import save_policy
from tests.queue.audit import FIELDS, Audit

PROCESS = "proc_test"


class LineOfTests:
    """Clients are known by their id, and their connection is the id and a number."""

    def __init__(self) -> None:
        self._connections: dict[str, int] = {}

    def policy(self, **changes: Any) -> None:
        save_policy(changes=changes, actor="the test")

    def join(self, *clients: str, process: str = PROCESS) -> list[Ticket]:
        """All of them at once, each over a new connection."""
        return [joined.ticket for joined in self.joined(*clients, process=process)]

    def joined(self, *clients: str, process: str = PROCESS) -> list[Joined]:
        joined: list[Joined] = self.do(*(self.new_join(client, process=process) for client in clients))
        return joined

    def new_join(self, client: str, *, process: str = PROCESS) -> Join:
        """What a client sends over a new connection."""
        self._connections[client] = self._connections.get(client, 0) + 1
        return Join(client, "web", 4, process, self.connection(client))

    def leave(self, *clients: str) -> None:
        self.do(
            *(Leave(client, self.ticket(client).ticket_id, self.connection(client)) for client in clients)
        )

    def enter(self, client: str) -> Session:
        session: Session = self.do(Enter(*self.known(client), f"digest of {client}"))[0]
        return session

    def refuse(self, client: str, status_code: int = 403) -> None:
        self.do(Refuse(*self.known(client), status_code))

    def fail(self, client: str) -> None:
        self.do(Fail(*self.known(client)))

    def connection(self, client: str) -> str:
        return f"{client}.{self._connections[client]}"

    def known(self, client: str) -> tuple[str, str, str]:
        """What commands of a client begin with."""
        return client, self.ticket(client).ticket_id, self.connection(client)

    def ticket(self, client: str) -> Ticket:
        """The newest of a client, as it is in the database."""
        return Ticket.objects.filter(client_id=client).order_by("-joined_at", "-position")[0]

    def states(self, *clients: str) -> list[str]:
        return [self.ticket(client).state for client in clients]

    def do(self, *commands: Command) -> Any:
        """Commit commands together; raises the first that was refused."""
        outcomes: list[Outcome | Exception] = commit(commands)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    def has_admitted(self, *moments: datetime) -> None:
        """Let the log say that one was let in at each of these, with others left behind, and nobody else."""
        LogEntry.objects.filter(kind="admitted").delete()
        for number, at in enumerate(moments, 10_000):
            ticket = Ticket.objects.create(
                client_id=f"before-{number}",
                login_type=4,
                position=-number,
                state="entered",
                joined_at=at,
                admitted_at=at,
                ended_at=at,
                wait_ms=0,
            )
            LogEntry.objects.create(
                seq=number, at=at, kind="admitted", reason="turn", line_left=True, ticket=ticket
            )
        Line.objects.update(last_seq=20_000)

    def log(self) -> list[dict[str, Any]]:
        return list(LogEntry.objects.order_by("seq").values(*FIELDS))

    def kinds(self) -> list[str]:
        """The log in short, without what the test itself did to the policy."""
        return [entry["kind"] for entry in self.log() if entry["kind"] != "policy"]

    def audit(self) -> Audit:
        return Audit().follow(self.log())

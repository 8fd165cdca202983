"""Who calls the queue's HTTP API in tests: a client for each kind of caller."""

from __future__ import annotations

from tests import callers
from tests.callers import Callers, accepted, refused, results

__all__ = [
    "ROOT",
    "Caller",
    "accepted",
    "account",
    "logged_in",
    "permissions",
    "program",
    "refused",
    "results",
]

ROOT = "/api/queue/"


class Caller(callers.Caller):
    """Of the queue's API."""

    root = ROOT


_queue = Callers("queue", Caller)
program, account, logged_in, permissions = (
    _queue.program,
    _queue.account,
    _queue.logged_in,
    _queue.permissions,
)

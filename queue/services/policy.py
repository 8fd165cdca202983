"""What operators and the main server say: the policy, and how full the main server is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from queue.models import LogKind, NeverWaits, Policy
from queue.services.book import change
from realtime import runtime

CHANGED = "queue.changed"
"""The bus message that says: look at the line again."""


def save_policy(*, changes: dict[str, Any], actor: str) -> Policy:
    """Change fields of the policy, in every process; gives the policy. The values must be valid."""
    with change() as book:
        words = [
            f"{name}={value}"
            for name, value in changes.items()
            if name != "message" and getattr(book.policy, name) != value
        ]
        for name, value in changes.items():
            setattr(book.policy, name, value)
        book.policy.save()
        book.record(
            LogKind.POLICY, capacity=book.policy.capacity, note=f"{' '.join(words)} by {actor}".strip()[:200]
        )
        _look_again()
        return book.policy


def report_occupancy(*, count: int | None, measured_at: datetime | None = None) -> None:
    """The main server has so many sessions, ours and others, or does not say any more (None).

    Args:
        measured_at: when it counted. What we have let in since is added; left out, it is now.
    """
    with change() as book:
        line = book.line
        moment = min(measured_at or book.now, book.now)
        known_at = min(line.reported_at or moment, book.now)  # not the future, had the clock been set back
        if count is not None and moment < known_at:
            return  # an older count that came later
        # Reports come several times a second and would bury the log; what an admission made of one is in
        # the admission's entry. The log says when reporting began and ended.
        if (count is None) != (line.reported is None):
            book.record(
                LogKind.REPORTED, occupied=count, note="no longer" if count is None else "from now on"
            )
        line.reported, line.reported_at = count, None if count is None else moment
        _look_again()


def save_never_waits(*, client_id: str, note: str) -> NeverWaits:
    """This id is let in at once from now on."""
    row, _ = NeverWaits.objects.update_or_create(client_id=client_id, defaults={"note": note})
    _look_again()
    return row


def delete_never_waits(*, client_id: str) -> bool:
    """This id waits like everybody; False where it was not on the list."""
    deleted, _ = NeverWaits.objects.filter(client_id=client_id).delete()
    _look_again()
    return bool(deleted)


def _look_again() -> None:
    transaction.on_commit(
        lambda: runtime.send_from_thread(runtime.EVERY_PROCESS, CHANGED, {}),
        robust=True,
    )

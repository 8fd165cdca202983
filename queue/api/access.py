"""Who may do what at the API under ``/api/queue/``, and how the line's refusals are answered.

Programs have an API key: to look, for the main server that reports, or to manage. People of the admin have
its session and their permissions there. Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from realtime.http_access import GuardedView, Right

READ, REPORT, MANAGE = "queue:read", "queue:report", "queue:manage"


def reading(model: str, *scopes: str) -> Right:
    """Looking at rows of `model`; `scopes`: further ones that may."""
    return Right((READ, MANAGE, *scopes), f"queue.view_{model}")


def reporting(permission: str) -> Right:
    """What a main server tells us; in the admin it takes `permission` (``change_session``)."""
    return Right((REPORT, MANAGE), f"queue.{permission}")


def managing(permission: str) -> Right:
    """Doing what takes `permission` (``change_ticket``) in the admin."""
    return Right((MANAGE,), f"queue.{permission}")


class QueueView(GuardedView):
    """A view of this API."""

    statuses = {"UNKNOWN_TICKET": 404, "UNKNOWN_SESSION": 404}

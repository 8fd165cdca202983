"""Who may do what at the API under ``/api/notifications/``, and how refusals are answered.

Programs have an API key: to send, or to manage. People of the admin have its session and their permissions
there. Protocol: docs/protocols/notifications.md.
"""

from __future__ import annotations

from notifications.protocol.codec import BadRequest
from notifications.services.commands import sentence_of
from realtime.errors import Refused
from realtime.http_access import GuardedView, Right
from realtime.http_errors import HttpError, database_unavailable

SEND, MANAGE = "notifications:send", "notifications:manage"

SENDING = Right((SEND,), "notifications.add_sent")


def managing(permission: str, *scopes: str) -> Right:
    """Doing what takes `permission` (``view_sent``) in the admin; `scopes`: further ones that may."""
    return Right((MANAGE, *scopes), f"notifications.{permission}")


class NotificationsView(GuardedView):
    """A view of this API."""

    statuses = {"UNKNOWN_DEAD_LETTER": 404}

    def refusal(self, refused: Refused) -> HttpError:
        return database_unavailable() if refused.code == "UNAVAILABLE" else super().refusal(refused)


def bad_body(error: BadRequest) -> HttpError:
    """The answer to a message that is none, with where it is wrong."""
    details = {"fields": {error.path: error.message}} if error.path else {}
    return HttpError(400, sentence_of(error), details=details)

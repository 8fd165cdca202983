"""What the operations under ``/api/queue/`` have in common in the OpenAPI document.

`schema_line`, `schema_tickets` and `schema_sessions` describe the views with it.
"""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from queue.api.answers import QueueErrorSerializer
from queue.api.serializers import CLIENT_ID, PLATFORM
from realtime.http_openapi import ERRORS, Operations, in_query

LINE, TICKETS, SESSIONS = ["queue: the line"], ["queue: tickets"], ["queue: sessions"]

_queue = Operations(
    "queue",
    QueueErrorSerializer,
    {
        **ERRORS,
        409: "A rule of the line says no, and `code` which; or somebody else changed the same thing.",
    },
)
answers, operation = _queue.answers, _queue.operation

OF_CLIENT = in_query("id", {"type": "string", "pattern": CLIENT_ID}, "Of the client with this id.")
OF_PLATFORM = in_query("platform", {"type": "string", "pattern": PLATFORM}, "Of clients of this platform.")


def id_in_path(name: str, pattern: str, description: str) -> OpenApiParameter:
    """An id as part of the address."""
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description)

"""What the operations under ``/api/ticketing/`` have in common in the OpenAPI document.

`schema_tickets`, `schema_desk` and `schema_people` describe the views with it.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from realtime.http_openapi import ERRORS, Operations, in_query
from ticketing.api.answers import DeskErrorSerializer
from ticketing.api.base import MAX_ID
from ticketing.models import MAX_TABLE_NUMBER

TICKETS, TABLES = ["ticketing: tickets"], ["ticketing: tables and figures"]
PEOPLE, DEVICES = ["ticketing: people"], ["ticketing: devices"]
LOGIN = ["ticketing: signing in"]

_desk = Operations(
    "ticketing",
    DeskErrorSerializer,
    {
        **ERRORS,
        401: "No valid API key, staff token or session.",
        404: "There is nothing of this id or number.",
        409: "A rule of the desk says no, and `code` which; or somebody else changed the same thing.",
        429: "Too many attempts. `Retry-After` says how many seconds to wait.",
    },
)
answers, operation = _desk.answers, _desk.operation


class StaffTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `StaffTokenAuthentication` looks in the document."""

    target_class = "ticketing.api.access.StaffTokenAuthentication"
    name = "staffToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The token of a member of staff, from `POST /api/ticketing/login`: "
            "`Authorization: Token <token>`. Whoever sends it acts for themselves.",
        }


# --- Parameters -----------------------------------------------------------------------------------------


def id_in_path(name: str, description: str) -> OpenApiParameter:
    """An id as part of the address."""
    schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
    return OpenApiParameter(
        name, schema, OpenApiParameter.PATH, description=description, examples=[OpenApiExample("id", 1)]
    )


TABLE_IN_PATH = OpenApiParameter(
    "number",
    {"type": "integer", "minimum": 0, "maximum": MAX_TABLE_NUMBER},
    OpenApiParameter.PATH,
    description="The table's number.",
    examples=[OpenApiExample("number", 1)],
)


def days(description: str) -> tuple[OpenApiParameter, OpenApiParameter]:
    """``from`` and ``to``."""
    return (
        in_query("from", OpenApiTypes.DATE, f"{description}: the first day of the desk."),
        in_query("to", OpenApiTypes.DATE, f"{description}: the last day of the desk, included."),
    )

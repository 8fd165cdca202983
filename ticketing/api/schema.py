"""What the operations under ``/api/ticketing/`` have in common in the OpenAPI document.

`schema_tickets`, `schema_desk` and `schema_people` describe the views with it.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from ticketing.api.answers import DeskErrorSerializer
from ticketing.api.base import MAX_ID, MAX_TEXT
from ticketing.models import MAX_TABLE_NUMBER

TICKETS, TABLES = ["ticketing: tickets"], ["ticketing: tables and figures"]
PEOPLE, DEVICES = ["ticketing: people"], ["ticketing: devices"]
LOGIN = ["ticketing: signing in"]

ERRORS = {
    400: "The request is wrong; the text says how.",
    401: "No valid API key, staff token or session.",
    403: "Whoever asks may not do this.",
    404: "There is nothing of this id or number.",
    405: "This path has no such method.",
    406: "The answer is JSON, which the client does not accept.",
    409: "A rule of the desk says no, and `code` which; or somebody else changed the same thing.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many attempts. `Retry-After` says how many seconds to wait.",
    503: "The database does not answer now.",
}
# Of every operation that reads a body.
BODY = (400, 413, 415)
CALLER = (401, 403)


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


def answers(success: dict[Any, Any], *errors: int) -> dict[Any, Any]:
    """What an operation may answer. Every one may answer 405, 406 and 503 as well."""
    described = {
        status: OpenApiResponse(DeskErrorSerializer, ERRORS[status]) for status in (*errors, 405, 406, 503)
    }
    return {**success, **described}


def operation(
    operation_id: str,
    summary: str,
    tags: list[str],
    responses: dict[Any, Any],
    *,
    description: str = "",
    request: Any = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    examples: tuple[OpenApiExample, ...] = (),
    auth: list[Any] | None = None,
) -> Any:
    """One method of a view: a decorator for `extend_schema_view`."""
    return extend_schema(
        operation_id=f"ticketing_{operation_id}",
        summary=summary,
        description=description,
        tags=tags,
        request=request,
        responses=responses,
        parameters=list(parameters),
        examples=list(examples),
        auth=auth,
    )


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


def in_query(name: str, schema: Any, description: str, **more: Any) -> OpenApiParameter:
    """A parameter of the query string, never needed."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **more)


def days(description: str) -> tuple[OpenApiParameter, OpenApiParameter]:
    """``from`` and ``to``."""
    return (
        in_query("from", OpenApiTypes.DATE, f"{description}: the first day of the desk."),
        in_query("to", OpenApiTypes.DATE, f"{description}: the last day of the desk, included."),
    )


def search(description: str) -> OpenApiParameter:
    """``q``."""
    return in_query("q", {"type": "string", "maxLength": MAX_TEXT, "pattern": r"^[^\x00]*$"}, description)

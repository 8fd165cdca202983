"""How the views of `tickets` look in the OpenAPI document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_view,
)

from realtime.http_openapi import BODY, CALLER, in_query, search
from ticketing.api.answers import TicketDetailSerializer, TicketSerializer
from ticketing.api.base import MAX_ID
from ticketing.api.schema import (
    TICKETS,
    answers,
    days,
    id_in_path,
    operation,
)
from ticketing.api.serializers import (
    REQUEST_KEY_PATTERN,
    REQUEST_KEY_TEXT,
    TicketCreateSerializer,
    TransferSerializer,
)
from ticketing.models import MAX_TABLE_NUMBER, TicketState

_TICKET_ID = id_in_path("ticket_id", "The ticket's id.")
_AFTER = {200: OpenApiResponse(TicketDetailSerializer, "The ticket after it.")}
_OWN = "Staff, with their token, from a table they have picked. "
_ANY = "Staff do it to tickets of their own, from a table they have picked; who manages, to any open one. "

_FILTERS = (
    in_query(
        "state",
        {"type": "array", "items": {"type": "string", "enum": TicketState.values}},
        "Only these; may be repeated.",
    ),
    *days("Only tickets taken on these days"),
    in_query(
        "staff", {"type": "integer", "minimum": 0, "maximum": MAX_ID}, "Only those of this member of staff."
    ),
    in_query(
        "table",
        {"type": "integer", "minimum": 0, "maximum": MAX_TABLE_NUMBER},
        "Only those last called to the table with this number.",
    ),
    search("Part of a name or an address, or a number as people see it."),
)
_TICKET_EXAMPLE = OpenApiExample(
    "A visitor",
    {"email": "mina@example.org", "name": "Mina Park"},
    request_only=True,
)

tickets = extend_schema_view(
    get=operation(
        "list_tickets",
        "List tickets",
        TICKETS,
        answers({200: TicketSerializer(many=True)}, 400, *CALLER),
        description="The latest first. Who waits, in order: `state=waiting`, read from the end. Staff see "
        "who waits, who is being served, and whom they served themselves today.",
        parameters=_FILTERS,
    ),
    post=operation(
        "create_ticket",
        "Take a ticket",
        TICKETS,
        answers(
            {
                201: OpenApiResponse(TicketDetailSerializer, "The ticket; staff have been told."),
                200: OpenApiResponse(
                    TicketDetailSerializer, "This request was answered before: the ticket it made then."
                ),
            },
            *BODY,
            *CALLER,
        ),
        request=TicketCreateSerializer,
        parameters=(
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": REQUEST_KEY_PATTERN},
                OpenApiParameter.HEADER,
                description="What the client calls this request, so that sending it again makes no second "
                f"ticket: {REQUEST_KEY_TEXT} Each API key and each account has its own.",
            ),
        ),
        examples=(_TICKET_EXAMPLE,),
    ),
)
tickets_csv = extend_schema_view(
    get=operation(
        "export_tickets",
        "Export tickets",
        TICKETS,
        {
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "A file (RFC 4180), the oldest first."),
            **{status: described for status, described in answers({}, 400, *CALLER).items() if status != 406},
        },
        description="The same filters as the list. Times are those of the desk's place. A cell that a "
        "spreadsheet would compute begins with an apostrophe.",
        parameters=_FILTERS,
    )
)
ticket = extend_schema_view(
    get=operation(
        "get_ticket",
        "Read a ticket",
        TICKETS,
        answers({200: TicketDetailSerializer}, *CALLER, 404),
        description="With its timeline, and its place in the line while it waits. Staff find what they would "
        "see in the list.",
        parameters=(_TICKET_ID,),
    )
)


def _action(name: str, summary: str, description: str, *, body: bool = False) -> Any:
    errors = (*CALLER, 404, 409, *(BODY if body else ()))
    return extend_schema_view(
        post=operation(
            f"{name}_ticket",
            summary,
            TICKETS,
            answers(_AFTER, *errors),
            description=description,
            request=TransferSerializer if body else None,
            parameters=(_TICKET_ID,),
            examples=(OpenApiExample("To table 2", {"table": 2}, request_only=True),) if body else (),
        )
    )


claim = _action("claim", "Call a waiting ticket", f"{_OWN}A paused table is resumed by it.")
recall = _action("recall", "Call a ticket again", f"{_OWN}Displays show and say it once more.")
complete = _action("complete", "Complete a ticket", f"{_ANY}It must have been called.")
cancel = _action("cancel", "Cancel a ticket", _ANY)
no_show = _action("no_show", "The visitor did not come", f"{_ANY}It must have been called.")
release = _action("release", "Put a ticket back into the line", f"{_ANY}It keeps its place there.")
transfer = _action("transfer", "Hand a ticket on", f"{_ANY}Whoever is at that table then has it.", body=True)
next_ticket = extend_schema_view(
    post=operation(
        "call_next_ticket",
        "Call the next",
        TICKETS,
        answers(_AFTER, *CALLER, 409),
        description=f"{_OWN}The ticket that waits longest.",
    )
)

"""How the views of `tickets` look in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_view

from queue.api.answers_tickets import (
    LineLogSerializer,
    LineTicketDetailSerializer,
    LineTicketSerializer,
    OvertakenBySerializer,
)
from queue.api.schema import OF_CLIENT, OF_PLATFORM, TICKETS, answers, id_in_path, operation
from queue.api.serializers import DEFAULT_LOG_ENTRIES, MAX_LOG_ENTRIES, MAX_SEQ
from queue.models import TICKET_ID_PATTERN, TicketState
from realtime.http_openapi import CALLER, in_query

_TICKET_ID = id_in_path("ticket_id", TICKET_ID_PATTERN, "The ticket's id, as its client was told.")
_TICKET = OpenApiResponse(LineTicketDetailSerializer, "The ticket as it is now.")
_PART_OF_LOG = (
    in_query(
        "after",
        {"type": "integer", "minimum": 0, "maximum": MAX_SEQ, "default": 0},
        "The entry after which to begin: `last` of the answer before.",
    ),
    in_query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LOG_ENTRIES, "default": DEFAULT_LOG_ENTRIES},
        "How many to give.",
    ),
)

tickets = extend_schema_view(
    get=operation(
        "list_tickets",
        "List tickets",
        TICKETS,
        answers({200: LineTicketSerializer(many=True)}, 400, *CALLER),
        description="The newest first; with `state=waiting` alone, as they stand in line.",
        parameters=(
            in_query(
                "state",
                {"type": "array", "items": {"type": "string", "enum": TicketState.values}},
                "Only in one of these states.",
                explode=True,
                style="form",
            ),
            OF_CLIENT,
            OF_PLATFORM,
        ),
    )
)
ticket = extend_schema_view(
    get=operation(
        "get_ticket",
        "Read a ticket",
        TICKETS,
        answers({200: _TICKET}, *CALLER, 404),
        description="While it waits, with the place in line and the wait that is left.",
        parameters=(_TICKET_ID,),
    ),
    delete=operation(
        "remove_ticket",
        "Take somebody out of the line",
        TICKETS,
        answers({204: OpenApiResponse(None, "Its client was told.")}, *CALLER, 404, 409),
        parameters=(_TICKET_ID,),
    ),
)


def _action(operation_id: str, summary: str, description: str) -> Any:
    return extend_schema_view(
        post=operation(
            operation_id,
            summary,
            TICKETS,
            answers({200: _TICKET}, *CALLER, 404, 409),
            description=description,
            parameters=(_TICKET_ID,),
        )
    )


admit = _action(
    "admit_ticket", "Let somebody in now", "Before all others, whatever the capacity. It must be connected."
)
move_to_front = _action(
    "move_ticket_to_front", "Put somebody before all others", "The position may then be 0 or less."
)

ticket_log = extend_schema_view(
    get=operation(
        "get_ticket_log",
        "What happened to a ticket",
        TICKETS,
        answers({200: LineLogSerializer}, 400, *CALLER, 404),
        parameters=(_TICKET_ID, *_PART_OF_LOG),
    )
)
overtaken_by = extend_schema_view(
    get=operation(
        "get_overtaken_by",
        "Who went before a ticket out of turn, and why",
        TICKETS,
        answers({200: OvertakenBySerializer}, *CALLER, 404),
        description="Who joined after it and was admitted before it. None: it went strictly in order.",
        parameters=(_TICKET_ID,),
    )
)
log = extend_schema_view(
    get=operation(
        "get_log",
        "The admission log",
        TICKETS,
        answers({200: LineLogSerializer}, 400, *CALLER),
        description="Everything that happened to the line, in order. Entries are never changed, and none "
        "comes later that belongs before one that was given: asking again with `last` misses nothing.",
        parameters=_PART_OF_LOG,
    )
)

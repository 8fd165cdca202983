"""``/api/queue/tickets`` and ``log``: who is in line, who was, and what happened.

Thin: each view asks a service or a selector. Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from queue.api import schema_tickets as schema
from queue.api.access import QueueView, managing, reading
from queue.api.answers_tickets import (
    LineLogSerializer,
    LineTicketDetailSerializer,
    LineTicketSerializer,
    OvertakenBySerializer,
)
from queue.api.serializers import (
    DEFAULT_LOG_ENTRIES,
    MAX_LOG_ENTRIES,
    MAX_SEQ,
    client_id_parameter,
    platform_parameter,
    state_parameters,
)
from queue.models import Ticket
from queue.selectors.explain import count_overtaken_by, overtaken_by
from queue.selectors.tickets import get_ticket, list_log, list_tickets
from queue.services import tickets as services
from realtime.errors import Refused
from realtime.http_access import caller_of
from realtime.http_api import Pagination
from realtime.http_query import number_parameter

CHANGE = managing("change_ticket")


def find_ticket(ticket_id: str) -> Ticket:
    """The ticket with that id. One query.

    Raises:
        Refused: UNKNOWN_TICKET, which is answered with 404.
    """
    ticket = get_ticket(ticket_id)
    if ticket is None:
        raise Refused("UNKNOWN_TICKET", "There is no such ticket.")
    return ticket


def ticket_response(ticket_id: str) -> Response:
    """A ticket as it is now. One query, three more while it waits."""
    return Response(LineTicketDetailSerializer(find_ticket(ticket_id)).data)


def log_response(request: Request, ticket_id: str | None = None) -> Response:
    """The part of the log that the query string asks for. One query.

    Raises:
        ValidationError: a parameter is wrong.
    """
    after = number_parameter(request, "after", MAX_SEQ) or 0
    limit = Pagination.number(request, "limit", DEFAULT_LOG_ENTRIES, 1, MAX_LOG_ENTRIES)
    entries = list_log(after=after, limit=limit, ticket_id=ticket_id)
    answer = {"entries": entries, "last": entries[-1].seq if entries else after}
    return Response(LineLogSerializer(answer).data)


@schema.tickets
class TicketList(QueueView, generics.ListAPIView[Ticket]):
    """``GET /api/queue/tickets``. Two queries."""

    serializer_class = LineTicketSerializer
    rights = {"GET": reading("ticket")}

    def get_queryset(self) -> QuerySet[Ticket]:
        return list_tickets(
            states=state_parameters(self.request),
            platform=platform_parameter(self.request),
            client_id=client_id_parameter(self.request),
        )


@schema.ticket
class TicketDetail(QueueView):
    """``GET, DELETE /api/queue/tickets/<ticket_id>``."""

    rights = {"GET": reading("ticket"), "DELETE": CHANGE}

    def get(self, request: Request, ticket_id: str) -> Response:
        """A ticket, and where it stands."""
        return ticket_response(ticket_id)

    def delete(self, request: Request, ticket_id: str) -> Response:
        """Take somebody out of the line. The ticket can be looked at as before."""
        services.remove_ticket(ticket_id=ticket_id, actor=caller_of(request).actor)
        return Response(status=204)


@schema.admit
class Admit(QueueView):
    """``POST /api/queue/tickets/<ticket_id>/admit``."""

    rights = {"POST": CHANGE}

    def post(self, request: Request, ticket_id: str) -> Response:
        """Let somebody in now, before all others and whatever the capacity."""
        services.admit_ticket(ticket_id=ticket_id, actor=caller_of(request).actor)
        return ticket_response(ticket_id)


@schema.move_to_front
class MoveToFront(QueueView):
    """``POST /api/queue/tickets/<ticket_id>/move-to-front``."""

    rights = {"POST": CHANGE}

    def post(self, request: Request, ticket_id: str) -> Response:
        """Put somebody before all others in line."""
        services.move_to_front(ticket_id=ticket_id, actor=caller_of(request).actor)
        return ticket_response(ticket_id)


@schema.ticket_log
class TicketLog(QueueView):
    """``GET /api/queue/tickets/<ticket_id>/log``. Two queries."""

    rights = {"GET": reading("logentry")}

    def get(self, request: Request, ticket_id: str) -> Response:
        """What happened to a ticket, in order."""
        return log_response(request, find_ticket(ticket_id).ticket_id)


@schema.overtaken_by
class OvertakenBy(QueueView):
    """``GET /api/queue/tickets/<ticket_id>/overtaken-by``. Six queries, however many there are."""

    rights = {"GET": reading("logentry")}

    def get(self, request: Request, ticket_id: str) -> Response:
        """Who joined after a ticket and was admitted before it, and why."""
        ticket = find_ticket(ticket_id)
        answer = {"count": count_overtaken_by(ticket), "overtakings": overtaken_by(ticket)}
        return Response(OvertakenBySerializer(answer).data)


@schema.log
class Log(QueueView):
    """``GET /api/queue/log``. One query."""

    rights = {"GET": reading("logentry")}

    def get(self, request: Request) -> Response:
        """The admission log, in order."""
        return log_response(request)

"""``/api/ticketing/tickets``: taking tickets, looking at them, and everything that happens to one.

Thin: each view asks a service or a selector. Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from realtime.http_csv import csv_response
from realtime.http_query import choice_parameters, day_parameter, number_parameter, text_parameter
from realtime.ids import random_id
from ticketing.api import schema_tickets as schema
from ticketing.api.access import CREATE, MANAGE, ONLY_STAFF, Right, caller_of, managing, reading, staff_login
from ticketing.api.answers import TicketDetailSerializer, TicketSerializer
from ticketing.api.base import MAX_ID, DeskView
from ticketing.api.serializers import (
    REQUEST_KEY_TEXT,
    TicketCreateSerializer,
    TransferSerializer,
    is_request_key,
)
from ticketing.models import MAX_TABLE_NUMBER, Ticket, TicketState
from ticketing.rules import Entry
from ticketing.selectors.tickets import CSV_COLUMNS, csv_rows, get_ticket, list_tickets
from ticketing.services import arrivals
from ticketing.services import tickets as services

IDEMPOTENCY_HEADER = "Idempotency-Key"

READ_TICKETS = reading("ticket", staff=True)
EXPORT_TICKETS = reading("ticket")
CREATE_TICKETS = Right((CREATE, MANAGE), "ticketing.add_ticket")
CHANGE_TICKETS = managing("change_ticket", staff=True)


def wanted_tickets(request: Request) -> QuerySet[Ticket]:
    """The tickets that the query string asks for.

    Raises:
        ValidationError: a parameter is wrong.
    """
    return list_tickets(
        states=choice_parameters(request, "state", TicketState.values),
        first_day=day_parameter(request, "from"),
        last_day=day_parameter(request, "to"),
        staff_id=number_parameter(request, "staff", MAX_ID),
        table=number_parameter(request, "table", MAX_TABLE_NUMBER),
        text=text_parameter(request, "q"),
        seen_by=caller_of(request).staff_id,
    )


def ticket_response(ticket_id: int, *, seen_by: int | None = None, status: int = 200) -> Response:
    """One ticket with its timeline. Two queries, four more while it waits.

    Raises:
        NotFound: there is none, or none for the eyes of the member of staff `seen_by`.
    """
    ticket = get_ticket(ticket_id, seen_by=seen_by)
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return Response(TicketDetailSerializer(ticket).data, status=status)


def changed(entry: Entry, *, status: int = 200) -> Response:
    """The ticket that an entry of the journal is about, as it is now."""
    if entry.ticket is None:
        raise TypeError("the entry is about no ticket")
    return ticket_response(entry.ticket.id, status=status)


@schema.tickets
class TicketList(DeskView, generics.ListAPIView[Ticket]):
    """``GET, POST /api/ticketing/tickets``. The list takes two queries."""

    serializer_class = TicketSerializer
    rights = {"GET": READ_TICKETS, "POST": CREATE_TICKETS}

    def get_queryset(self) -> QuerySet[Ticket]:
        return wanted_tickets(self.request)

    def post(self, request: Request) -> Response:
        """A visitor takes a ticket. A request that is sent twice, by its key, makes one ticket."""
        form = TicketCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        caller = caller_of(request)
        key = request.headers.get(IDEMPOTENCY_HEADER, form.validated_data.get("request_key"))
        # An origin of its own: the entry then tells whether it was this request that made the ticket.
        origin = random_id("http_", 16) if key is not None else ""
        entry = arrivals.create_ticket(
            email=form.validated_data["email"],
            name=form.validated_data["name"],
            request_key=_request_key(caller.key, key),
            actor=caller.actor,
            origin=origin,
        )
        return changed(entry, status=201 if entry.origin == origin else 200)


def _request_key(caller: str, key: str | None) -> str | None:
    """`key` as it is stored. Each caller has keys of their own: they find nobody else's tickets."""
    if key is None:
        return None
    if not is_request_key(key):
        raise ValidationError({IDEMPOTENCY_HEADER: REQUEST_KEY_TEXT})
    return hashlib.sha256(f"{caller} {key}".encode()).hexdigest()


class _AnyAnswer(DefaultContentNegotiation):
    """A file has the one form it has, and its errors are JSON, whatever the client says it accepts."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@schema.tickets_csv
class TicketFile(DeskView):
    """``GET /api/ticketing/tickets.csv``: the tickets of the same filters as the list, oldest first."""

    content_negotiation_class = _AnyAnswer
    rights = {"GET": EXPORT_TICKETS}

    def get(self, request: Request) -> StreamingHttpResponse:
        """A file, sent as it is read: a query for each thousand tickets."""
        return csv_response("tickets.csv", CSV_COLUMNS, csv_rows(wanted_tickets(request)))


@schema.ticket
class TicketDetail(DeskView):
    """``GET /api/ticketing/tickets/<id>``."""

    rights = {"GET": READ_TICKETS}

    def get(self, request: Request, ticket_id: int) -> Response:
        """A ticket and what happened to it."""
        return ticket_response(ticket_id, seen_by=caller_of(request).staff_id)


@schema.claim
class Claim(DeskView):
    """``POST /api/ticketing/tickets/<id>/claim``."""

    rights = {"POST": ONLY_STAFF}

    def post(self, request: Request, ticket_id: int) -> Response:
        """Call a waiting ticket to one's table."""
        login = staff_login(request)
        entry = services.claim_ticket(ticket_id=ticket_id, staff_id=login.staff_id, token_digest=login.digest)
        return changed(entry)


@schema.recall
class Recall(DeskView):
    """``POST /api/ticketing/tickets/<id>/recall``."""

    rights = {"POST": ONLY_STAFF}

    def post(self, request: Request, ticket_id: int) -> Response:
        """Call a ticket of one's own once more."""
        login = staff_login(request)
        return changed(services.recall_ticket(ticket_id=ticket_id, staff_id=login.staff_id))


@schema.next_ticket
class Next(DeskView):
    """``POST /api/ticketing/next``."""

    rights = {"POST": ONLY_STAFF}

    def post(self, request: Request) -> Response:
        """Call the ticket that waits longest to one's table."""
        return changed(services.claim_next(staff_id=staff_login(request).staff_id))


@schema.complete
class Complete(DeskView):
    """``POST /api/ticketing/tickets/<id>/complete``."""

    rights = {"POST": CHANGE_TICKETS}

    def post(self, request: Request, ticket_id: int) -> Response:
        """The visitor has been served."""
        caller = caller_of(request)
        entry = services.complete_ticket(ticket_id=ticket_id, staff_id=caller.staff_id, actor=caller.actor)
        return changed(entry)


@schema.cancel
class Cancel(DeskView):
    """``POST /api/ticketing/tickets/<id>/cancel``."""

    rights = {"POST": CHANGE_TICKETS}

    def post(self, request: Request, ticket_id: int) -> Response:
        """The visitor will not be served."""
        caller = caller_of(request)
        entry = services.cancel_ticket(ticket_id=ticket_id, staff_id=caller.staff_id, actor=caller.actor)
        return changed(entry)


@schema.no_show
class NoShow(DeskView):
    """``POST /api/ticketing/tickets/<id>/no-show``."""

    rights = {"POST": CHANGE_TICKETS}

    def post(self, request: Request, ticket_id: int) -> Response:
        """The visitor was called and did not come."""
        caller = caller_of(request)
        entry = services.mark_no_show(ticket_id=ticket_id, staff_id=caller.staff_id, actor=caller.actor)
        return changed(entry)


@schema.release
class Release(DeskView):
    """``POST /api/ticketing/tickets/<id>/release``."""

    rights = {"POST": CHANGE_TICKETS}

    def post(self, request: Request, ticket_id: int) -> Response:
        """Back to its place in the line."""
        caller = caller_of(request)
        entry = services.release_ticket(ticket_id=ticket_id, staff_id=caller.staff_id, actor=caller.actor)
        return changed(entry)


@schema.transfer
class Transfer(DeskView):
    """``POST /api/ticketing/tickets/<id>/transfer``."""

    rights = {"POST": CHANGE_TICKETS}

    def post(self, request: Request, ticket_id: int) -> Response:
        """Hand a ticket on to whoever is at another table."""
        form = TransferSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        caller = caller_of(request)
        entry = services.transfer_ticket(
            ticket_id=ticket_id,
            staff_id=caller.staff_id,
            table=form.validated_data["table"],
            actor=caller.actor,
        )
        return changed(entry)

"""``/api/ticketing/tables``: tables, who is at them, and what a manager can do about it.

Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ticketing.api import schema_desk as schema
from ticketing.api.access import caller_of, managing, reading
from ticketing.api.answers import TableSerializer
from ticketing.api.base import DeskView
from ticketing.api.serializers import TableChangeSerializer, TableCreateSerializer
from ticketing.models import Table
from ticketing.selectors.tickets import list_table_statuses
from ticketing.services import tables as services

READ_TABLES = reading("table", staff=True)
CHANGE_TABLES = managing("change_table")


def table_response(table: Table, *, status: int = 200) -> Response:
    """A table as it is now. Two queries."""
    return Response(TableSerializer(list_table_statuses([table])[0]).data, status=status)


def find_table(number: int) -> Table:
    """The table with that number. One query.

    Raises:
        NotFound: there is none.
    """
    table = Table.objects.filter(number=number).first()
    if table is None:
        raise NotFound("There is no table with this number.")
    return table


@schema.tables
class TableList(DeskView, generics.GenericAPIView[Table]):
    """``GET, POST /api/ticketing/tables``. The list takes four queries."""

    serializer_class = TableSerializer
    queryset = Table.objects.order_by("number")
    rights = {"GET": READ_TABLES, "POST": managing("add_table")}

    def get(self, request: Request) -> Response:
        """Tables by number, and how they are now."""
        page: Sequence[Table] = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(TableSerializer(list_table_statuses(page), many=True).data)

    def post(self, request: Request) -> Response:
        """A new table."""
        form = TableCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        table = services.save_table(table=Table(**form.validated_data), actor=caller_of(request).actor)
        return table_response(table, status=201)


@schema.table
class TableDetail(DeskView):
    """``GET, PATCH /api/ticketing/tables/<number>``."""

    rights = {"GET": READ_TABLES, "PATCH": CHANGE_TABLES}

    def get(self, request: Request, number: int) -> Response:
        """How a table is now."""
        return table_response(find_table(number))

    def patch(self, request: Request, number: int) -> Response:
        """Name it, open it, close it."""
        table = find_table(number)
        form = TableChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        for name, value in form.validated_data.items():
            setattr(table, name, value)
        return table_response(services.save_table(table=table, actor=caller_of(request).actor))


@schema.pause
class Pause(DeskView):
    """``POST /api/ticketing/tables/<number>/pause``."""

    rights = {"POST": managing("change_table", staff=True)}

    def post(self, request: Request, number: int) -> Response:
        """Show a table as not in use while its staff keeps it."""
        table, caller = find_table(number), caller_of(request)
        services.pause_table(number=number, staff_id=caller.staff_id, actor=caller.actor)
        return table_response(table)


@schema.resume
class Resume(DeskView):
    """``POST /api/ticketing/tables/<number>/resume``."""

    rights = {"POST": managing("change_table", staff=True)}

    def post(self, request: Request, number: int) -> Response:
        """End a pause."""
        table, caller = find_table(number), caller_of(request)
        services.resume_table(number=number, staff_id=caller.staff_id, actor=caller.actor)
        return table_response(table)


@schema.free
class Free(DeskView):
    """``POST /api/ticketing/tables/<number>/free``."""

    rights = {"POST": CHANGE_TABLES}

    def post(self, request: Request, number: int) -> Response:
        """Have whoever is at a table leave it."""
        table = find_table(number)
        services.free_table(number=number, actor=caller_of(request).actor)
        return table_response(table)

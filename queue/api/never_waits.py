"""``/api/queue/never-waits``: ids that are let in at once.

An id may hold any printable character, so it is never part of a path: a client or a proxy would make another
path of ``/never-waits/../x``, however it is encoded. Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from queue.api import schema_sessions as schema
from queue.api.access import QueueView, managing, reading
from queue.api.answers import NeverWaitsSerializer
from queue.api.serializers import NeverWaitsCreateSerializer, client_id_parameter
from queue.models import NeverWaits
from queue.selectors.tickets import list_never_waits
from queue.services import policy as services


@schema.never_waits
class NeverWaitsList(QueueView, generics.ListAPIView[NeverWaits]):
    """``GET, POST, DELETE /api/queue/never-waits``. The list takes two queries."""

    serializer_class = NeverWaitsSerializer
    rights = {
        "GET": reading("neverwaits"),
        "POST": managing("add_neverwaits"),
        "DELETE": managing("delete_neverwaits"),
    }

    def get_queryset(self) -> QuerySet[NeverWaits]:
        return list_never_waits(client_id=client_id_parameter(self.request))

    def post(self, request: Request) -> Response:
        """Put an id on the list; of one that is on it, change the note."""
        form = NeverWaitsCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        client_id = form.validated_data["client_id"]
        known = list_never_waits(client_id=client_id).exists()
        row = services.save_never_waits(client_id=client_id, note=form.validated_data.get("note", ""))
        return Response(NeverWaitsSerializer(row).data, status=200 if known else 201)

    def delete(self, request: Request) -> Response:
        """Take the id of the query string off the list."""
        client_id = client_id_parameter(request)
        if client_id is None:
            raise ValidationError({"id": "Say which."})
        if not services.delete_never_waits(client_id=client_id):
            raise NotFound("This id is not on the list.")
        return Response(status=204)

"""``/api/queue/sessions``: the places of the main server that are taken, as far as we know.

Thin: each view asks a service or a selector. Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from queue.api import schema_sessions as schema
from queue.api.access import REPORT, QueueView, reading, reporting
from queue.api.answers import RefreshedSerializer, SessionSerializer
from queue.api.serializers import HeartbeatsSerializer, client_id_parameter, platform_parameter
from queue.models import Session
from queue.selectors.tickets import list_sessions
from queue.services import sessions as services
from realtime.http_access import caller_of
from realtime.http_query import flag_parameter

REPORT_SESSIONS = reporting("change_session")


@schema.sessions
class SessionList(QueueView, generics.ListAPIView[Session]):
    """``GET /api/queue/sessions``. Two queries."""

    serializer_class = SessionSerializer
    rights = {"GET": reading("session", REPORT)}

    def get_queryset(self) -> QuerySet[Session]:
        return list_sessions(
            alive=flag_parameter(self.request, "alive"),
            platform=platform_parameter(self.request),
            client_id=client_id_parameter(self.request),
        )


@schema.session
class SessionDetail(QueueView):
    """``GET, DELETE /api/queue/sessions/<id>``."""

    rights = {"GET": reading("session", REPORT), "DELETE": REPORT_SESSIONS}

    def get(self, request: Request, session_id: str) -> Response:
        """A session. One query."""
        return Response(SessionSerializer(services.find_session(session_id=session_id)).data)

    def delete(self, request: Request, session_id: str) -> Response:
        """Somebody has left the main server; the place is free at once."""
        services.end_session(session_id=session_id, actor=caller_of(request).actor)
        return Response(status=204)


@schema.heartbeat
class Heartbeat(QueueView):
    """``POST /api/queue/sessions/<id>/heartbeat``. Two queries."""

    rights = {"POST": REPORT_SESSIONS}

    def post(self, request: Request, session_id: str) -> Response:
        """A sign of life of one session."""
        return Response(SessionSerializer(services.refresh_session(session_id=session_id)).data)


@schema.heartbeats
class Heartbeats(QueueView):
    """``POST /api/queue/sessions/heartbeats``. Two queries, however many there are."""

    rights = {"POST": REPORT_SESSIONS}

    def post(self, request: Request) -> Response:
        """Signs of life of many sessions."""
        form = HeartbeatsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids = list(dict.fromkeys(form.validated_data["ids"]))
        alive = services.refresh_sessions(session_ids=ids)
        unknown = [session_id for session_id in ids if session_id not in alive]
        return Response(RefreshedSerializer({"refreshed": len(alive), "unknown": unknown}).data)

"""``/api/queue/``: the line as a whole: its numbers, its policy, and how full the main server is.

Thin: each view asks a service or a selector. Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from queue.api import schema_line as schema
from queue.api.access import MANAGE, READ, REPORT, QueueView, managing, reading, reporting
from queue.api.answers import LinePolicySerializer, LineStatsSerializer, OccupancySerializer
from queue.api.serializers import OccupancyReportSerializer, PolicyChangeSerializer
from queue.selectors.line import count_occupied, load_line, load_policy
from queue.selectors.status import get_status, reported_of
from queue.services import policy as services
from realtime.http_access import Right, caller_of


@schema.stats
class Stats(QueueView):
    """``GET /api/queue/stats``. Up to twelve queries."""

    rights = {"GET": reading("line")}

    def get(self, request: Request) -> Response:
        """The line now, in numbers."""
        return Response(LineStatsSerializer(get_status()).data)


@schema.policy
class PolicyDetail(QueueView):
    """``GET, PATCH /api/queue/policy``."""

    rights = {"GET": reading("policy"), "PATCH": managing("change_policy")}

    def get(self, request: Request) -> Response:
        """Who is let in, and how fast. One query."""
        return Response(LinePolicySerializer(load_policy()).data)

    def patch(self, request: Request) -> Response:
        """Change it, in every process."""
        form = PolicyChangeSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        policy = load_policy()
        if form.validated_data:
            policy = services.save_policy(changes=form.validated_data, actor=caller_of(request).actor)
        return Response(LinePolicySerializer(policy).data)


@schema.occupancy
class Occupancy(QueueView):
    """``GET, PUT, DELETE /api/queue/occupancy``."""

    rights = {
        # Whoever reports may look at what became of it.
        "GET": Right((READ, REPORT, MANAGE), "queue.view_line"),
        "PUT": reporting("change_line"),
        "DELETE": reporting("change_line"),
    }

    def get(self, request: Request) -> Response:
        """How full the main server is, and who says so. Four queries."""
        return _occupancy()

    def put(self, request: Request) -> Response:
        """The main server says how many sessions it has."""
        form = OccupancyReportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.report_occupancy(
            count=form.validated_data["occupied"], measured_at=form.validated_data.get("measured_at")
        )
        return _occupancy()

    def delete(self, request: Request) -> Response:
        """The main server does not say any more: sessions are counted here again."""
        services.report_occupancy(count=None)
        return Response(status=204)


def _occupancy() -> Response:
    line = load_line()
    answer = {
        "occupied": count_occupied(line),
        "capacity": load_policy().capacity,
        "reported": reported_of(line),
    }
    return Response(OccupancySerializer(answer).data)

"""``/api/ticketing/stats``: how the desk does."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from realtime.http_query import day_parameter
from ticketing.api import schema_desk as schema
from ticketing.api.access import reading
from ticketing.api.answers import StatsSerializer
from ticketing.api.base import DeskView
from ticketing.selectors.figures import get_figures, local_today


@schema.stats
class Stats(DeskView):
    """``GET /api/ticketing/stats``. Five queries."""

    rights = {"GET": reading("deskfigures", staff=True)}

    def get(self, request: Request) -> Response:
        """Figures of the days from ``from`` to ``to``; without either, of today."""
        first, last = day_parameter(request, "from"), day_parameter(request, "to")
        figures = get_figures(
            first_day=first or last or local_today(), last_day=last or first or local_today()
        )
        return Response(StatsSerializer(figures).data)

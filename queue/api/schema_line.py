"""How the views of `line` look in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_view

from queue.api.answers import LinePolicySerializer, LineStatsSerializer, OccupancySerializer
from queue.api.schema import LINE, answers, operation
from queue.api.serializers import OccupancyReportSerializer, PolicyChangeSerializer
from realtime.http_openapi import BODY, CALLER

_POLICY = OpenApiResponse(LinePolicySerializer, "The policy as it is now.")
_OCCUPANCY = OpenApiResponse(OccupancySerializer, "As it is now.")

stats = extend_schema_view(
    get=operation(
        "get_stats",
        "The line in numbers",
        LINE,
        answers({200: LineStatsSerializer}, *CALLER),
        description="What everybody in line is told, and what an operator wants to know besides.",
    )
)

policy = extend_schema_view(
    get=operation("get_policy", "Read the policy", LINE, answers({200: _POLICY}, *CALLER)),
    patch=operation(
        "change_policy",
        "Change the policy",
        LINE,
        answers({200: _POLICY}, *BODY, *CALLER),
        description="In force at once, in every process. What is left out stays as it is.",
        request=PolicyChangeSerializer,
        examples=(
            OpenApiExample("Let nobody in", {"paused": True}, request_only=True),
            OpenApiExample(
                "Two hundred a minute, into 5,000 places",
                {"capacity": 5_000, "admit_per_interval": 200, "interval_s": 60},
                request_only=True,
            ),
        ),
    ),
)

occupancy = extend_schema_view(
    get=operation("get_occupancy", "How full the main server is", LINE, answers({200: _OCCUPANCY}, *CALLER)),
    put=operation(
        "report_occupancy",
        "Report how full the main server is",
        LINE,
        answers({200: _OCCUPANCY}, *BODY, *CALLER),
        description="For the main server. From the first report on its number counts, not our sessions.",
        request=OccupancyReportSerializer,
        examples=(
            OpenApiExample("Counted just now", {"occupied": 812}, request_only=True),
            OpenApiExample(
                "Counted a while ago",
                {"occupied": 812, "measuredAt": "2026-11-21T17:05:00.250Z"},
                request_only=True,
            ),
        ),
    ),
    delete=operation(
        "stop_reporting",
        "Do not report any more",
        LINE,
        answers({204: OpenApiResponse(None, "Our sessions are counted again.")}, *CALLER),
    ),
)

"""How the views of `sessions` and `never_waits` look in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_view

from queue.api.answers import NeverWaitsSerializer, RefreshedSerializer, SessionSerializer
from queue.api.schema import LINE, OF_CLIENT, OF_PLATFORM, SESSIONS, answers, id_in_path, operation
from queue.api.serializers import CLIENT_ID, HeartbeatsSerializer, NeverWaitsCreateSerializer
from queue.models import SESSION_ID_PATTERN
from realtime.http_openapi import BODY, CALLER, in_query

_SESSION_ID = id_in_path("session_id", SESSION_ID_PATTERN, "`id` of a listed session.")

sessions = extend_schema_view(
    get=operation(
        "list_sessions",
        "List sessions",
        SESSIONS,
        answers({200: SessionSerializer(many=True)}, 400, *CALLER),
        description="The newest first.",
        parameters=(
            in_query(
                "alive",
                {"type": "string", "enum": ["true", "false"]},
                "`true`: those that take a place; `false`: those that are over.",
            ),
            OF_CLIENT,
            OF_PLATFORM,
        ),
    )
)
session = extend_schema_view(
    get=operation(
        "get_session",
        "Read a session",
        SESSIONS,
        answers({200: SessionSerializer}, *CALLER, 404),
        parameters=(_SESSION_ID,),
    ),
    delete=operation(
        "end_session",
        "End a session",
        SESSIONS,
        answers({204: OpenApiResponse(None, "The place is free.")}, *CALLER, 404, 409),
        description="For the main server: somebody has left it. The next in line is let in at once.",
        parameters=(_SESSION_ID,),
    ),
)
heartbeat = extend_schema_view(
    post=operation(
        "refresh_session",
        "A sign of life of a session",
        SESSIONS,
        answers({200: SessionSerializer}, *CALLER, 404, 409),
        description="For the main server. A session without one for `session_stale_s` of the policy is over.",
        parameters=(_SESSION_ID,),
    )
)
heartbeats = extend_schema_view(
    post=operation(
        "refresh_sessions",
        "Signs of life of many sessions",
        SESSIONS,
        answers({200: RefreshedSerializer}, *BODY, *CALLER),
        request=HeartbeatsSerializer,
        examples=(
            OpenApiExample(
                "Two of them", {"ids": ["s_8sKx0uRk2mVbQ1aZ", "s_Yt4-pLw9cXeN7_hD"]}, request_only=True
            ),
        ),
    )
)

never_waits = extend_schema_view(
    get=operation(
        "list_never_waits",
        "List the ids that never wait",
        LINE,
        answers({200: NeverWaitsSerializer(many=True)}, 400, *CALLER),
        parameters=(OF_CLIENT,),
    ),
    post=operation(
        "add_never_waits",
        "Let an id in at once from now on",
        LINE,
        answers(
            {
                201: OpenApiResponse(NeverWaitsSerializer, "It is on the list now."),
                200: OpenApiResponse(NeverWaitsSerializer, "It was already; the note is the new one."),
            },
            *BODY,
            *CALLER,
        ),
        description="Whatever the capacity: staff, testers, guests of honour.",
        request=NeverWaitsCreateSerializer,
        examples=(
            OpenApiExample("A tester", {"clientId": "qa-7", "note": "Ines, testing"}, request_only=True),
        ),
    ),
    delete=operation(
        "remove_never_waits",
        "Have an id wait like everybody",
        LINE,
        answers({204: OpenApiResponse(None, "It is not on the list any more.")}, 400, *CALLER, 404),
        description="A query parameter, since an id may hold what a path cannot, such as `/../`.",
        parameters=(
            in_query("id", {"type": "string", "pattern": CLIENT_ID}, "The client's id.", required=True),
        ),
    ),
)

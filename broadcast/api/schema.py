"""How the views under ``/api/broadcast/`` look in the OpenAPI document: words, examples, every answer."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from broadcast.api.emits import MAX_EVENTS
from broadcast.api.schema_bodies import (
    CHANNEL_AUTH,
    CHANNEL_SCHEMA,
    ERRORS,
    LIMIT,
    LIMIT_TEXT,
    SINCE_TEXT,
    ref,
)
from broadcast.api.serializers import KeySerializer, NewKeySerializer, PolicySerializer
from broadcast.rules import CHANNEL_NAME_PATTERN


def _channel(description: str) -> OpenApiParameter:
    return OpenApiParameter(
        "channel",
        CHANNEL_SCHEMA,
        OpenApiParameter.PATH,
        description=description,
        examples=[OpenApiExample("channel", "lobby")],
    )


def _answers(success: dict[int, Any], *errors: int) -> dict[int, OpenApiResponse]:
    """What an operation may answer. Every one may answer 405, 406 and 503 as well."""
    described = {status: OpenApiResponse(ref("Error"), ERRORS[status]) for status in (*errors, 405, 406, 503)}
    if 408 in described:
        described[408] = OpenApiResponse(ref("NotAcknowledged"), ERRORS[408])
    return {**success, **described}


_MANAGED = (401, 403)
_TAG_MANAGE = ["broadcast: management"]
_TAG_CHANNELS = ["broadcast: channels"]

_POLICY_EXAMPLE = OpenApiExample(
    "A channel with history that only keys may emit to",
    {"channel": "news", "emit": "key", "listen": "open", "history_size": 500, "history_age_s": 604800},
)
_POLICY_NAME = OpenApiParameter(
    "channel",
    {"type": "string", "pattern": rf"^(\*|{CHANNEL_NAME_PATTERN})$", "not": {"enum": [".", ".."]}},
    OpenApiParameter.PATH,
    description="The channel the policy is for, or `*`.",
    examples=[OpenApiExample("policy", "news")],
)


def _policy_operation(summary: str, status: int, *errors: int) -> Any:
    success = OpenApiResponse(*((None, "Deleted.") if status == 204 else (PolicySerializer, "The policy.")))
    return extend_schema(
        parameters=[_POLICY_NAME] if 404 in errors else [],
        summary=summary,
        tags=_TAG_MANAGE,
        responses=_answers({status: success}, *_MANAGED, *errors),
        examples=[_POLICY_EXAMPLE] if status != 204 else [],
    )


policies = extend_schema_view(
    get=extend_schema(
        summary="List the channel policies",
        tags=_TAG_MANAGE,
        responses=_answers({200: PolicySerializer(many=True)}, 400, *_MANAGED),
    ),
    post=_policy_operation("Make a channel policy", 201, 400, 409, 413, 415),
)
policy = extend_schema_view(
    get=_policy_operation("Read a channel policy", 200, 404),
    put=_policy_operation("Replace a channel policy", 200, 400, 404, 409, 413, 415),
    patch=_policy_operation("Change a channel policy", 200, 400, 404, 409, 413, 415),
    delete=_policy_operation("Delete a channel policy", 204, 404),
)
_KEY_EXAMPLE = OpenApiExample(
    "A key for one part of the channels",
    {"name": "news desk", "scopes": ["broadcast:emit:news.*", "broadcast:listen"]},
    request_only=True,
)
keys = extend_schema_view(
    get=extend_schema(
        summary="List the API keys of this service",
        description="Those whose every scope is of this service. Without their secrets.",
        tags=_TAG_MANAGE,
        responses=_answers({200: KeySerializer(many=True)}, 400, *_MANAGED),
    ),
    post=extend_schema(
        summary="Make an API key",
        description="The answer shows the key; it cannot be shown again.",
        tags=_TAG_MANAGE,
        request=KeySerializer,
        responses=_answers({201: NewKeySerializer}, 400, *_MANAGED, 413, 415),
        examples=[_KEY_EXAMPLE],
    ),
)
key = extend_schema_view(
    delete=extend_schema(
        summary="Revoke an API key",
        description="Connections it let in are closed. This cannot be undone.",
        tags=_TAG_MANAGE,
        parameters=[
            OpenApiParameter(
                "prefix",
                {"type": "string", "pattern": "^[A-Za-z0-9]{8}$"},
                OpenApiParameter.PATH,
                description="The public part of the key, before the point.",
            )
        ],
        responses=_answers({204: OpenApiResponse(None, "Revoked.")}, *_MANAGED, 404),
    )
)
channels = extend_schema_view(
    get=extend_schema(
        summary="List the channels with listeners",
        tags=_TAG_MANAGE,
        responses=_answers({200: OpenApiResponse(ref("LiveChannels"), "Now.")}, *_MANAGED),
    )
)
member = extend_schema_view(
    delete=extend_schema(
        summary="Remove a listener",
        description="Its connection is closed with 4403, which clients do not come back from by themselves.",
        tags=_TAG_MANAGE,
        parameters=[
            _channel("The channel's name."),
            OpenApiParameter(
                "client_id", {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}, OpenApiParameter.PATH
            ),
        ],
        responses=_answers({204: OpenApiResponse(None, "Removed.")}, *_MANAGED, 404),
    )
)
members = extend_schema_view(
    get=extend_schema(
        summary="Who listens now",
        tags=_TAG_CHANNELS,
        auth=CHANNEL_AUTH,
        parameters=[_channel("The channel's name.")],
        responses=_answers({200: OpenApiResponse(ref("Members"), "Now.")}, 401, 403, 404),
    )
)
events = extend_schema_view(
    get=extend_schema(
        summary="Kept events",
        description="What the channel's policy keeps, oldest first.",
        tags=_TAG_CHANNELS,
        auth=CHANNEL_AUTH,
        parameters=[
            _channel("The channel's name."),
            OpenApiParameter("limit", LIMIT, description=LIMIT_TEXT),
            OpenApiParameter("since", OpenApiTypes.STR, description=SINCE_TEXT),
        ],
        responses=_answers({200: OpenApiResponse(ref("History"), "The events.")}, 400, 401, 403, 404),
    ),
    post=extend_schema(
        summary="Emit one event or several",
        description=(
            f"One event, or a list of up to {MAX_EVENTS}, which are emitted in its order. A list is "
            "checked as a whole first; what then fails for one event is told in its result, with status 207."
        ),
        tags=_TAG_CHANNELS,
        auth=CHANNEL_AUTH,
        parameters=[_channel("The channel's name.")],
        request={
            "application/json": {
                "oneOf": [
                    ref("NewEvent"),
                    {"type": "array", "items": ref("NewEvent"), "minItems": 1, "maxItems": MAX_EVENTS},
                ]
            }
        },
        responses=_answers(
            {
                200: OpenApiResponse({"anyOf": [ref("Emitted"), ref("EmittedList")]}, "Emitted."),
                207: OpenApiResponse(ref("EmittedList"), "Some events of the list were not emitted."),
            },
            400,
            401,
            403,
            404,
            408,
            413,
            415,
            429,
        ),
        examples=[
            OpenApiExample("One event for everyone", {"payload": {"hello": "world"}}, request_only=True),
            OpenApiExample(
                "Two events",
                [{"payload": {"step": 1}}, {"payload": {"step": 2}}],
                request_only=True,
            ),
        ],
    ),
)

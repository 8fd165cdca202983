"""The operations under ``/api/v1/`` in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema_view, inline_serializer
from rest_framework import serializers

from gateway.api.serializers import (
    ID,
    ChannelSerializer,
    CredentialsSerializer,
    ListedChannelSerializer,
    NewChannelSerializer,
    NewPostSerializer,
    PostSerializer,
    ProfileSerializer,
    RegistrationSerializer,
)
from realtime.http_openapi import BODY, ERRORS, Operations, RefusalSerializer, in_query, search
from realtime.http_query import MAX_TEXT


class GatewayTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `TokenAuthentication` looks in the document."""

    target_class = "gateway.api.access.TokenAuthentication"
    name = "gatewayToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token from `auth/login`: `Authorization: Bearer <token>`.",
        }


PEOPLE, CHANNELS = ["gateway: people"], ["gateway: channels"]

_gateway = Operations(
    "gateway",
    RefusalSerializer,
    {
        **ERRORS,
        401: "No valid token.",
        403: "The name and the password do not belong together.",
        409: "A rule says no, and `code` which.",
        429: "Too many attempts from this address, or for this name; too much from this account.",
    },
)


def _answer(name: str, **fields: Any) -> dict[int, Any]:
    return {200: inline_serializer(f"Gateway{name}", {"success": serializers.BooleanField(), **fields})}


def _id_in_path(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name, {"type": "string", "pattern": ID}, OpenApiParameter.PATH, description=description
    )


def _operation(
    name: str, summary: str, tags: list[str], answer: dict[int, Any], *errors: int, **more: Any
) -> Any:
    return _gateway.operation(name, summary, tags, _gateway.answers(answer, *errors), **more)


_ID_TEXT = serializers.CharField(help_text="An id: 64 bits, as a text.")
_TOKEN = serializers.CharField(help_text="Shown only now. Send it as `Authorization: Bearer …`.")
_ACCOUNT = _id_in_path("account_id", "Of a user.")
_CHANNEL = _id_in_path("channel_id", "Of a channel.")

register = extend_schema_view(
    post=_operation(
        "register",
        "Register, and be logged in",
        PEOPLE,
        _answer("Registered", id=_ID_TEXT, token=_TOKEN),
        *BODY,
        409,
        429,
        request=RegistrationSerializer,
        auth=[],
    )
)
login = extend_schema_view(
    post=_operation(
        "login",
        "Log in",
        PEOPLE,
        _answer("LoggedIn", token=_TOKEN),
        *BODY,
        403,
        429,
        request=CredentialsSerializer,
        auth=[],
    )
)
logout = extend_schema_view(post=_operation("logout", "Log out", PEOPLE, _answer("LoggedOut"), 401))
me = extend_schema_view(
    get=_operation("me", "Oneself", PEOPLE, _answer("Me", profile=ProfileSerializer()), 401)
)
user = extend_schema_view(
    get=_operation(
        "user",
        "Somebody",
        PEOPLE,
        _answer("User", profile=ProfileSerializer()),
        401,
        404,
        parameters=(_ACCOUNT,),
    )
)
users = extend_schema_view(
    get=_operation(
        "users",
        "People by name",
        PEOPLE,
        _answer("Users", users=ProfileSerializer(many=True)),
        400,
        401,
        parameters=(
            in_query(
                "q",
                {"type": "string", "maxLength": MAX_TEXT, "pattern": r"^[^\x00]*[!-~][^\x00]*$"},
                "What a username or a name begins with.",
                required=True,
            ),
        ),
    )
)
channels = extend_schema_view(
    get=_operation(
        "channels",
        "Channels one may read, the newest first",
        CHANNELS,
        _answer("Channels", channels=ListedChannelSerializer(many=True)),
        400,
        401,
        parameters=(
            in_query("mine", {"type": "boolean"}, "Those one is in, or those one is not in; else both."),
            search("Part of a title or of a topic."),
            in_query("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 20}, "How many."),
            in_query("before", {"type": "string", "pattern": ID}, "Those older than this id."),
        ),
    ),
    post=_operation(
        "create_channel",
        "Open a channel",
        CHANNELS,
        _answer("Opened", id=_ID_TEXT, channel=ChannelSerializer()),
        *BODY,
        401,
        429,
        request=NewChannelSerializer,
    ),
)
channel = extend_schema_view(
    get=_operation(
        "channel",
        "A channel and its members",
        CHANNELS,
        _answer("Channel", channel=ChannelSerializer()),
        401,
        404,
        parameters=(_CHANNEL,),
    )
)
membership = extend_schema_view(
    put=_operation(
        "join",
        "Join a channel",
        CHANNELS,
        _answer("Joined"),
        401,
        404,
        429,
        request=None,
        parameters=(_CHANNEL,),
    ),
    delete=_operation(
        "leave",
        "Leave a channel",
        CHANNELS,
        _answer("Left"),
        401,
        404,
        429,
        request=None,
        parameters=(_CHANNEL,),
    ),
)
posts = extend_schema_view(
    get=_operation(
        "posts",
        "Messages of a channel, in order",
        CHANNELS,
        _answer("Posts", posts=PostSerializer(many=True)),
        400,
        401,
        404,
        parameters=(
            _CHANNEL,
            in_query("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 10}, "How many."),
            in_query("before", {"type": "string", "pattern": ID}, "The last ones before this id."),
            in_query("after", {"type": "string", "pattern": ID}, "The first ones after this id."),
        ),
    ),
    post=_operation(
        "post",
        "Post a message",
        CHANNELS,
        _answer("Posted", id=_ID_TEXT),
        *BODY,
        401,
        404,
        429,
        request=NewPostSerializer,
        parameters=(_CHANNEL,),
    ),
)

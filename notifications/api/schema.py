"""The operations under ``/api/notifications/`` in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from notifications.api.schema_feed import FEED
from notifications.api.serializers import (
    DeadLetterSerializer,
    NewTemplateSerializer,
    SentDetailSerializer,
    SentSerializer,
    TemplateSerializer,
)
from notifications.models import MAX_TYPE_LENGTH, TEMPLATE_NAME_PATTERN, Source
from realtime.http_openapi import BODY, CALLER, ERRORS, Operations, RefusalSerializer, in_query

KEY: Final = r"[!-~]{1,128}"
"""An ``Idempotency-Key``."""

SENDING, MANAGING = ["notifications: sending"], ["notifications: management"]

_notifications = Operations("notifications", RefusalSerializer, ERRORS)

_ID = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
_LIMIT = in_query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "How many.")
_BEFORE = in_query("before", _ID, "Those older than the one of this id.")
_SENT_ID = OpenApiParameter("sent_id", _ID, OpenApiParameter.PATH, description="Of what was sent.")
_LETTER_ID = OpenApiParameter("letter_id", _ID, OpenApiParameter.PATH, description="Of a dead letter.")
_NAME = OpenApiParameter(
    "name",
    {"type": "string", "pattern": f"^{TEMPLATE_NAME_PATTERN}$"},
    OpenApiParameter.PATH,
    description="Of a template.",
)


def _body(name: str, **fields: Any) -> Any:
    return inline_serializer(f"Notifications{name}", {"success": serializers.BooleanField(), **fields})


def _operation(
    name: str, summary: str, tags: list[str], answer: dict[int, Any], *errors: int, **more: Any
) -> Any:
    answers = _notifications.answers(answer, *CALLER, *errors)
    return _notifications.operation(name, summary, tags, answers, **more)


_TOLD = _body(
    "Told",
    id=serializers.IntegerField(help_text="Of what was sent."),
    recipients=serializers.IntegerField(help_text="How many were told; 0 for an update of subscriptions."),
)
_DONE = OpenApiResponse(_body("Done"), "Done.")
_ONE_TEMPLATE = _body("Template", template=TemplateSerializer())

messages = extend_schema_view(
    post=_operation(
        "send",
        "Tell somebody something",
        SENDING,
        {201: OpenApiResponse(_TOLD, "It is in their inbox, and on its way to every device.")},
        *BODY,
        409,
        description=(
            "One message, as over Kafka: a `notification`, or an `update_subscription`. Who gets no answer "
            "does not know whether it was sent, and may ask again with the same `Idempotency-Key`: the "
            "answer is then that of the first time, and nothing is sent again."
        ),
        request={"application/json": FEED},
        parameters=(
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": f"^{KEY}$"},
                OpenApiParameter.HEADER,
                description="What the sender calls this request: a text that none of its others has.",
            ),
        ),
        examples=(
            OpenApiExample(
                "To users",
                {
                    "type": "notification",
                    "document": {
                        "users": ["912057109539979264"],
                        "type": "news",
                        "title": "Hello",
                        "data": {"order": 5},
                    },
                },
                request_only=True,
            ),
            OpenApiExample(
                "To a group, from a template",
                {
                    "type": "notification",
                    "document": {
                        "groups": ["night shift"],
                        "template": "handover",
                        "values": {"from": "Ann", "rooms": 12},
                    },
                },
                request_only=True,
            ),
            OpenApiExample(
                "Have lists fetched again",
                {
                    "type": "update_subscription",
                    "document": {
                        "subscriptions": ["d1f1b9f7a2f34f6b8ab4ef7f5bd0a0c1"],
                        "options": {"reload": True},
                    },
                },
                request_only=True,
            ),
        ),
    )
)
sent_list = extend_schema_view(
    get=_operation(
        "list_sent",
        "What was sent, the newest first",
        MANAGING,
        {200: _body("SentList", sent=SentSerializer(many=True))},
        400,
        parameters=(
            in_query(
                "type",
                {"type": "string", "maxLength": MAX_TYPE_LENGTH, "pattern": r"^[^\x00]*$"},
                "Of this type.",
            ),
            in_query("source", {"type": "string", "enum": Source.values}, "That came this way."),
            _LIMIT,
            _BEFORE,
        ),
    )
)
sent_detail = extend_schema_view(
    get=_operation(
        "get_sent",
        "Something that was sent, and how far its recipients got",
        MANAGING,
        {200: _body("SentDetail", sent=SentDetailSerializer())},
        404,
        parameters=(_SENT_ID,),
    )
)
dead_letters = extend_schema_view(
    get=_operation(
        "list_dead_letters",
        "Messages of Kafka that could not be sent, the newest first",
        MANAGING,
        {200: _body("DeadLetters", deadLetters=DeadLetterSerializer(many=True))},
        400,
        parameters=(
            in_query("resolved", {"type": "boolean"}, "Those dealt with, or those that wait; else both."),
            _LIMIT,
            _BEFORE,
        ),
    )
)
retry = extend_schema_view(
    post=_operation(
        "retry_dead_letter",
        "Send a dead letter after all",
        MANAGING,
        {201: OpenApiResponse(_TOLD, "It was sent, and is dealt with.")},
        404,
        409,
        description="409: `STILL_WRONG` says nothing we know, `ALREADY_RESOLVED` was dealt with before.",
        request=None,
        parameters=(_LETTER_ID,),
    )
)
discard = extend_schema_view(
    post=_operation(
        "discard_dead_letter",
        "Never send a dead letter",
        MANAGING,
        {200: _DONE},
        404,
        409,
        request=None,
        parameters=(_LETTER_ID,),
    )
)
templates = extend_schema_view(
    get=_operation(
        "list_templates",
        "Templates by name",
        MANAGING,
        {200: _body("Templates", templates=TemplateSerializer(many=True))},
        400,
        parameters=(
            in_query(
                "after",
                {"type": "string", "maxLength": 254, "pattern": r"^[^\x00]*$"},
                "Those after the one of this name.",
            ),
            _LIMIT,
        ),
    )
)
template = extend_schema_view(
    get=_operation("get_template", "A template", MANAGING, {200: _ONE_TEMPLATE}, 404, parameters=(_NAME,)),
    put=_operation(
        "put_template",
        "Make or replace a template",
        MANAGING,
        {200: _ONE_TEMPLATE, 201: _ONE_TEMPLATE},
        *BODY,
        404,
        409,
        request=NewTemplateSerializer,
        parameters=(_NAME,),
    ),
    delete=_operation(
        "delete_template", "Delete a template", MANAGING, {200: _DONE}, 404, parameters=(_NAME,)
    ),
)

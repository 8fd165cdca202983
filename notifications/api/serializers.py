"""Bodies of the API under ``/api/notifications/``: templates are read, all else is only answered.

What is sent is read by `protocol.feed`, as from Kafka.
"""

# ruff: noqa: N815 - members are named as the protocol has them

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from notifications.models import (
    MAX_BODY_LENGTH,
    MAX_DATA_BYTES,
    MAX_TITLE_LENGTH,
    MAX_TYPE_LENGTH,
    DeadLetter,
    FromKafka,
    Sent,
    SentKind,
    Source,
    Template,
)
from notifications.rules import names_in
from notifications.selectors.sent import count_statuses
from realtime.http_api import ExactSerializer, TextField

# --- Read from requests ---------------------------------------------------------------------------------

_ANY_BUT_NULL = ["object", "array", "string", "number", "boolean"]
_ANY_JSON = {"type": [*_ANY_BUT_NULL, "null"]}


@extend_schema_field({"type": _ANY_BUT_NULL, "description": f"JSON of at most {MAX_DATA_BYTES} bytes."})
class AnyField(serializers.JSONField):
    """Any JSON value; that it may be null says `allow_null`."""


class NewTemplateSerializer(ExactSerializer):
    """A template, without its name."""

    type = TextField(max_length=MAX_TYPE_LENGTH)
    title = TextField(max_length=MAX_TITLE_LENGTH, required=False, allow_blank=True)
    body = TextField(max_length=MAX_BODY_LENGTH, required=False, allow_blank=True)
    data = AnyField(required=False, allow_null=True)  # type: ignore[assignment]


# --- Answered ---------------------------------------------------------------------------------------------


class KafkaPlaceSerializer(serializers.Serializer[Any]):
    """Where in Kafka a message is."""

    topic = serializers.CharField()
    partition = serializers.IntegerField()
    offset = serializers.IntegerField()


class _FromKafka(serializers.ModelSerializer[Any]):
    createdAt = serializers.DateTimeField(source="created_at")
    kafka = serializers.SerializerMethodField()

    @extend_schema_field(KafkaPlaceSerializer(allow_null=True))
    def get_kafka(self, row: FromKafka) -> Any:
        return None if row.partition is None else KafkaPlaceSerializer(row).data


class SentSerializer(_FromKafka):
    """Something that was sent."""

    kind = serializers.ChoiceField(choices=SentKind.choices)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]
    actor = serializers.CharField(help_text="Who sent it: a user of the admin, or an API key.")
    recipients = serializers.IntegerField(source="recipient_count")

    class Meta:
        model = Sent
        fields = [
            "id",
            "kind",
            "source",
            "actor",
            "type",
            "title",
            "body",
            "recipients",
            "createdAt",
            "kafka",
        ]


class StatusCountsSerializer(serializers.Serializer[Any]):
    """How far the recipients got; each is in one of these."""

    unseen = serializers.IntegerField()
    unread = serializers.IntegerField(help_text="Seen, and not read.")
    read = serializers.IntegerField()


class SentDetailSerializer(SentSerializer):
    """The same, with all that was said and how far its recipients got."""

    data = serializers.SerializerMethodField()  # type: ignore[assignment]
    subscriptions = serializers.ListField(child=serializers.CharField(), source="subscription_ids")
    statuses = serializers.SerializerMethodField()

    class Meta:
        model = Sent
        fields = [*SentSerializer.Meta.fields, "data", "subscriptions", "reload", "statuses"]

    @extend_schema_field(_ANY_JSON)
    def get_data(self, sent: Sent) -> Any:
        return json.loads(sent.data)

    @extend_schema_field(StatusCountsSerializer)
    def get_statuses(self, sent: Sent) -> dict[str, int]:
        return count_statuses(sent)


class DeadLetterSerializer(_FromKafka):
    """A message of Kafka that says nothing we know."""

    resolvedAt = serializers.DateTimeField(source="resolved_at", allow_null=True)
    resolution = serializers.CharField(help_text="Who dealt with it, and how.")

    class Meta:
        model = DeadLetter
        fields = ["id", "kafka", "reason", "createdAt", "resolvedAt", "resolution"]


class TemplateSerializer(serializers.ModelSerializer[Template]):
    """A template, and the names it needs values for."""

    data = AnyField(allow_null=True)  # type: ignore[assignment]
    names = serializers.SerializerMethodField()

    class Meta:
        model = Template
        fields = ["name", "type", "title", "body", "data", "names"]

    def get_names(self, template: Template) -> list[str]:
        return sorted(names_in(template.parts))

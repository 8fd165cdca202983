"""Bodies of the API under ``/api/queue/``: what is answered of tickets, and of the admission log."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from queue.api.answers import EstimateSerializer
from queue.api.names import CamelCase
from queue.models import LogEntry, LogKind, Reason, Ticket
from queue.selectors.explain import MAX_LISTED, Why
from queue.selectors.tickets import get_place


class LineTicketSerializer(CamelCase, serializers.ModelSerializer[Ticket]):
    """A place in line."""

    ticket_id = serializers.CharField()
    client_id = serializers.CharField(help_text="The id its client connects with.")
    login_type = serializers.IntegerField(help_text="0 Facebook, 1 Google, 2 Apple, 3 LINE, 4 device.")
    connected = serializers.SerializerMethodField(help_text="Whether its client is there.")
    joined_at = serializers.DateTimeField()
    inactive_since = serializers.DateTimeField(
        allow_null=True, help_text="When its last connection was lost."
    )
    admitted_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When it left the line for good.")
    wait_msec = serializers.IntegerField(
        source="wait_ms", allow_null=True, help_text="From joining to being admitted."
    )
    status_code = serializers.IntegerField(
        allow_null=True, help_text="What the main server refused the login with."
    )

    class Meta:
        model = Ticket
        fields = [
            "ticket_id",
            "client_id",
            "platform",
            "login_type",
            "position",
            "state",
            "connected",
            "joined_at",
            "inactive_since",
            "admitted_at",
            "ended_at",
            "wait_msec",
            "status_code",
        ]
        read_only_fields = fields
        extra_kwargs = {"position": {"help_text": "In front of it stand those in line with a lower one."}}

    def get_connected(self, ticket: Ticket) -> bool:
        return bool(ticket.holder)


class LinePlaceSerializer(CamelCase):
    """A place in line."""

    ahead = serializers.IntegerField(help_text="How many stand before it, connected or away.")
    estimate = EstimateSerializer(allow_null=True, help_text="Of the wait that is left; null: unknown.")


class LineTicketDetailSerializer(LineTicketSerializer):
    """A ticket, and where it stands. Three more queries while it waits."""

    place = serializers.SerializerMethodField(help_text="Null: it does not wait.")

    class Meta(LineTicketSerializer.Meta):
        fields = [*LineTicketSerializer.Meta.fields, "place"]
        read_only_fields = fields

    @extend_schema_field(LinePlaceSerializer(allow_null=True))
    def get_place(self, ticket: Ticket) -> Any:
        place = get_place(ticket)
        return LinePlaceSerializer(place).data if place else None


class LineLogEntrySerializer(CamelCase, serializers.ModelSerializer[LogEntry]):
    """Something that happened to the line."""

    kind = serializers.ChoiceField(LogKind.choices)
    ticket_id = serializers.CharField(allow_null=True, help_text="Whom it is about.")
    client_id = serializers.CharField(source="ticket.client_id", allow_null=True)
    reason = serializers.ChoiceField(
        Reason.choices, allow_blank=True, help_text="Why somebody was admitted; else empty."
    )
    occupied = serializers.IntegerField(
        allow_null=True, help_text="Places taken after an admission or a report."
    )
    capacity = serializers.IntegerField(allow_null=True, help_text="How many there were.")
    line_left = serializers.BooleanField(
        allow_null=True,
        help_text="After an admission: whether somebody was left who could have been admitted.",
    )
    note = serializers.CharField(help_text="Who did it, or what was changed, in words; may be empty.")

    class Meta:
        model = LogEntry
        fields = [
            "seq",
            "at",
            "kind",
            "ticket_id",
            "client_id",
            "position",
            "reason",
            "occupied",
            "capacity",
            "line_left",
            "note",
        ]
        read_only_fields = fields
        extra_kwargs = {"position": {"help_text": "Of the ticket, at that moment."}}


class LineLogSerializer(CamelCase):
    """A part of the admission log."""

    entries = LineLogEntrySerializer(many=True)
    last = serializers.IntegerField(help_text="For `after` of the next request: the last entry given.")


class OvertakingSerializer(CamelCase):
    """Somebody who joined later and was admitted earlier."""

    ticket_id = serializers.CharField()
    client_id = serializers.CharField()
    position = serializers.IntegerField(help_text="The one it joined with.")
    admitted_at = serializers.DateTimeField()
    why = serializers.ChoiceField([(why.value, why.name) for why in Why], help_text="What let it go first.")
    reason = serializers.CharField(help_text="The same as a sentence.")


class OvertakenBySerializer(CamelCase):
    """Who went before a ticket out of turn, and why."""

    count = serializers.IntegerField(help_text="How many in all.")
    overtakings = OvertakingSerializer(
        many=True, help_text=f"The first {MAX_LISTED} of them, in the order of their admission."
    )

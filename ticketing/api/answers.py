"""Bodies of the API under ``/api/ticketing/``: what is answered. Serializers that only write.

The rows come from `ticketing.selectors` with everything loaded. Only what is told of one ticket alone
(`TicketDetailSerializer`) is asked for here: one query for its timeline, two for its place while it waits;
and the latest tickets of one visitor, in one query.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from realtime.http_openapi import RefusalSerializer
from ticketing.models import Device, EventKind, Ticket, TicketEvent, Visitor
from ticketing.selectors.tickets import get_place, list_tickets_of, list_timeline

TABLE_STATES = ["off", "offline", "paused", "free", "serving"]


class _Answer(serializers.Serializer[Any]):
    """Writes only."""


class StaffReferenceSerializer(_Answer):
    """Who."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


# --- Tickets --------------------------------------------------------------------------------------------


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket."""

    label = serializers.CharField(help_text="The number people see, such as A-017.")  # type: ignore[assignment]
    staff = StaffReferenceSerializer(allow_null=True, help_text="Who serves it, or did.")
    table = serializers.IntegerField(
        source="table.number", allow_null=True, help_text="Number of the table it was last called to."
    )
    visitor = serializers.IntegerField(source="visitor_id", allow_null=True, help_text="Null once erased.")
    kiosk = serializers.IntegerField(
        source="kiosk_id", allow_null=True, help_text="Id of the device it was taken at."
    )

    class Meta:
        model = Ticket
        fields = [
            "id",
            "label",
            "day",
            "prefix",
            "number",
            "state",
            "email",
            "name",
            "visitor",
            "staff",
            "table",
            "kiosk",
            "created_at",
            "claimed_at",
            "ended_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "What the protocol's messages know it by."},
            "day": {"help_text": "The desk's day it was taken on."},
            "number": {"help_text": "Counts from 1 in each series of each day."},
            "email": {"help_text": "Empty once the visitor's data was erased."},
            "name": {"help_text": "Likewise."},
            "claimed_at": {"help_text": "When it was first called."},
        }


class TicketEventSerializer(serializers.ModelSerializer[TicketEvent]):
    """One thing that happened to a ticket."""

    kind = serializers.ChoiceField(EventKind.choices)
    staff = StaffReferenceSerializer(allow_null=True, help_text="Whose ticket it then was.")
    table = serializers.IntegerField(source="table.number", allow_null=True, help_text="Where.")
    left_table = serializers.IntegerField(
        source="left_table.number", allow_null=True, help_text="The table it was handed on from."
    )
    actor = serializers.CharField(help_text="Who did it, in words; may be empty.")

    class Meta:
        model = TicketEvent
        fields = ["seq", "kind", "at", "staff", "table", "left_table", "actor"]
        read_only_fields = fields


class PlaceSerializer(_Answer):
    """A place in the line."""

    ahead = serializers.IntegerField(help_text="How many are called before.")
    estimate_s = serializers.IntegerField(allow_null=True, help_text="Seconds; null where nobody can say.")


class TicketDetailSerializer(TicketSerializer):
    """A ticket with its timeline."""

    place = serializers.SerializerMethodField(help_text="In the line, while it waits.")
    events = serializers.SerializerMethodField(help_text="What happened to it, in order.")

    class Meta(TicketSerializer.Meta):
        fields = [*TicketSerializer.Meta.fields, "place", "events"]
        read_only_fields = fields

    @extend_schema_field(PlaceSerializer(allow_null=True))
    def get_place(self, ticket: Ticket) -> Any:
        place = get_place(ticket)
        return PlaceSerializer(place).data if place else None

    @extend_schema_field(TicketEventSerializer(many=True))
    def get_events(self, ticket: Ticket) -> Any:
        return TicketEventSerializer(list_timeline(ticket.pk), many=True).data


# --- Tables and people ------------------------------------------------------------------------------------


class CalledTicketSerializer(_Answer):
    """A ticket being served, without anything personal."""

    id = serializers.IntegerField(source="pk")
    label = serializers.CharField()  # type: ignore[assignment]


class TableSerializer(_Answer):
    """A table and how it is now."""

    number = serializers.IntegerField(source="table.number")
    name = serializers.CharField(source="table.name", allow_blank=True)
    is_active = serializers.BooleanField(source="table.is_active")
    state = serializers.ChoiceField(
        TABLE_STATES, help_text="Off cannot be picked; offline: nobody is there; free: nobody is served."
    )
    staff = StaffReferenceSerializer(source="pick.staff", allow_null=True, help_text="Who is there.")
    tickets = CalledTicketSerializer(
        source="serving", many=True, help_text="Being served there, in the order of their calls."
    )


class StaffSerializer(_Answer):
    """A member of staff."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    username = serializers.CharField(source="user.username", help_text="Of the account.")
    is_active = serializers.BooleanField()
    table = serializers.IntegerField(source="table_number", allow_null=True, help_text="Where they are now.")
    tokens = serializers.IntegerField(source="token_count", help_text="How many valid ones there are.")
    created_at = serializers.DateTimeField()


class IssuedTokenSerializer(_Answer):
    """A token that was just made: the only answer that ever shows it."""

    success = serializers.BooleanField()
    token = serializers.CharField(help_text="For `Authorization: Token <token>` and the protocol's `pick`.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null: never.")
    staff = StaffReferenceSerializer()


class VisitorSerializer(_Answer):
    """Somebody who has taken tickets."""

    id = serializers.IntegerField(source="pk")
    email = serializers.CharField()
    name = serializers.CharField()
    tickets = serializers.IntegerField(source="ticket_count", help_text="How many.")
    created_at = serializers.DateTimeField()


class VisitorDetailSerializer(VisitorSerializer):
    """A visitor with the latest tickets."""

    latest = serializers.SerializerMethodField(help_text="Tickets, the latest first.")

    @extend_schema_field(TicketSerializer(many=True))
    def get_latest(self, visitor: Visitor) -> Any:
        return TicketSerializer(list_tickets_of(visitor.pk), many=True).data


class ErasedSerializer(_Answer):
    """What erasing did."""

    success = serializers.BooleanField()
    tickets = serializers.IntegerField(help_text="How many now say nothing of the visitor.")


class DeviceSerializer(serializers.ModelSerializer[Device]):
    """A kiosk or a display."""

    token_start = serializers.CharField(help_text="How its token begins, to recognise it by.")

    class Meta:
        model = Device
        fields = ["id", "kind", "name", "prefix", "is_active", "token_start", "created_at"]
        read_only_fields = fields


class NewDeviceSerializer(DeviceSerializer):
    """A device whose token was just made: the only answer that ever shows it."""

    token = serializers.CharField(help_text="Opened once as ?token= at the device's page, it stays there.")

    class Meta(DeviceSerializer.Meta):
        fields = [*DeviceSerializer.Meta.fields, "token"]
        read_only_fields = fields


# --- Figures --------------------------------------------------------------------------------------------


class SpreadSerializer(_Answer):
    """Durations: how many, their mean, and what nine in ten do not exceed."""

    count = serializers.IntegerField()
    mean_s = serializers.FloatField(allow_null=True)
    p90_s = serializers.FloatField(allow_null=True)


class _GroupSerializer(_Answer):
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField(help_text="Tickets last called there.")
    wait = SpreadSerializer()
    service = SpreadSerializer()


class TableFiguresSerializer(_GroupSerializer):
    """One table's."""

    number = serializers.IntegerField(source="key")


class StaffFiguresSerializer(_GroupSerializer):
    """One member's of staff."""

    id = serializers.IntegerField(source="key")


class HourSerializer(_Answer):
    """An hour of the clock."""

    hour = serializers.IntegerField(min_value=0, max_value=23)
    created = serializers.IntegerField()
    completed = serializers.IntegerField()
    wait = SpreadSerializer(help_text="Of the tickets taken in it.")


class StatsSerializer(_Answer):
    """How the desk does."""

    first_day = serializers.DateField()
    last_day = serializers.DateField()
    waiting_now = serializers.IntegerField(help_text="Of any day.")
    serving_now = serializers.IntegerField(help_text="Of any day.")
    created = serializers.IntegerField()
    completed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    no_show = serializers.IntegerField()
    wait = SpreadSerializer(help_text="From taking a ticket to its first call.")
    service = SpreadSerializer(help_text="From the first call to completion.")
    tables = TableFiguresSerializer(many=True)
    staff = StaffFiguresSerializer(many=True)
    hours = HourSerializer(many=True, help_text="All 24.")


# --- Errors ---------------------------------------------------------------------------------------------


class DeskErrorSerializer(RefusalSerializer):
    """Every error."""

    code = serializers.CharField(
        required=False, help_text="Of a rule of the desk, for programs: TICKET_CLAIMED, NO_TABLE, …"
    )

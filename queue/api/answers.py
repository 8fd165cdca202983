"""Bodies of the API under ``/api/queue/``: what is answered, but for tickets. Serializers that only write.

Names are the protocol's, in its camelCase; those of the policy are its fields' own.
"""

from __future__ import annotations

from rest_framework import serializers

from queue.api.names import CamelCase
from queue.api.serializers import PolicyChangeSerializer
from queue.models import NeverWaits, Policy, Session
from queue.rules import Estimate
from realtime.http_openapi import RefusalSerializer


class _Answer(CamelCase):
    """Writes only."""


# --- The line -------------------------------------------------------------------------------------------


class EstimateSerializer(_Answer):
    """A wait: between low and high for half of those it is told to, a quarter on each side."""

    low_msec = serializers.SerializerMethodField()
    mean_msec = serializers.SerializerMethodField()
    high_msec = serializers.SerializerMethodField()

    def get_low_msec(self, estimate: Estimate) -> int:
        return round(estimate.low_s * 1_000)

    def get_mean_msec(self, estimate: Estimate) -> int:
        return round(estimate.mean_s * 1_000)

    def get_high_msec(self, estimate: Estimate) -> int:
        return round(estimate.high_s * 1_000)


class ReportedSerializer(_Answer):
    """What the main server said last."""

    occupied = serializers.IntegerField(help_text="How many sessions it had.")
    measured_at = serializers.DateTimeField(help_text="When it counted them.")


class LineStatsSerializer(_Answer):
    """The line now."""

    head_position = serializers.IntegerField(
        source="view.head", help_text="The lowest position in line; tail + 1 where nobody waits."
    )
    tail_position = serializers.IntegerField(source="view.tail", help_text="The highest position ever given.")
    avg_wait_msec = serializers.IntegerField(
        source="view.avg_wait_ms", help_text="Mean wait of the tickets admitted last."
    )
    waiting = serializers.IntegerField(source="view.waiting", help_text="How many are in line.")
    active = serializers.IntegerField(source="view.active", help_text="Of these, who are connected.")
    logging_in = serializers.IntegerField(
        source="view.logging_in", help_text="Admitted, and on their way into the main server."
    )
    occupied = serializers.IntegerField(
        source="view.occupied", help_text="Places of the main server that are taken."
    )
    capacity = serializers.IntegerField(source="view.policy.capacity", help_text="How many there are.")
    free = serializers.IntegerField(
        source="view.free", help_text="How many could be let in now, by capacity and pace."
    )
    enabled = serializers.BooleanField(source="view.policy.enabled")
    paused = serializers.BooleanField(source="view.policy.paused")
    failing = serializers.BooleanField(
        source="view.failing", help_text="The last login met a main server that does not work."
    )
    reported = ReportedSerializer(
        allow_null=True, help_text="Null: the main server does not say; sessions are counted."
    )
    estimate = EstimateSerializer(
        allow_null=True,
        help_text="The wait of somebody who joins now; null while nobody can say: nobody is let in, or too "
        "few were lately.",
    )


class OccupancySerializer(_Answer):
    """How full the main server is."""

    occupied = serializers.IntegerField(help_text="Places that are taken, as admission counts them.")
    capacity = serializers.IntegerField(help_text="How many there are.")
    reported = ReportedSerializer(
        allow_null=True, help_text="Null: the main server does not say; sessions are counted."
    )


class LinePolicySerializer(serializers.ModelSerializer[Policy]):
    """Who is let in, and how fast."""

    changed_at = serializers.DateTimeField(allow_null=True, help_text="Null: it never was.")

    class Meta:
        model = Policy
        fields = [*PolicyChangeSerializer.Meta.fields, "changed_at"]
        read_only_fields = fields


# --- Sessions, and ids that never wait ----------------------------------------------------------------------


class SessionSerializer(CamelCase, serializers.ModelSerializer[Session]):
    """Somebody who was let in, for as long as it takes a place in the main server."""

    id = serializers.CharField(source="session_id", help_text="The `<id>` in its address.")
    client_id = serializers.CharField(help_text="The id its client connected with.")
    position = serializers.IntegerField(source="ticket.position", help_text="Its place in line was.")
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="The last sign of life.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: it is alive.")
    expired = serializers.BooleanField(help_text="It ended for want of a sign of life.")

    class Meta:
        model = Session
        fields = [
            "id",
            "client_id",
            "platform",
            "position",
            "started_at",
            "seen_at",
            "ended_at",
            "expired",
        ]
        read_only_fields = fields


class RefreshedSerializer(_Answer):
    """What signs of life of many sessions did."""

    refreshed = serializers.IntegerField(help_text="How many are alive.")
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="Those that are not, or never were; in the order sent."
    )


class NeverWaitsSerializer(CamelCase, serializers.ModelSerializer[NeverWaits]):
    """An id that is let in at once."""

    client_id = serializers.CharField(help_text="The id its client connects with.")
    created_at = serializers.DateTimeField()

    class Meta:
        model = NeverWaits
        fields = ["client_id", "note", "created_at"]
        read_only_fields = fields


# --- Errors ---------------------------------------------------------------------------------------------


class QueueErrorSerializer(RefusalSerializer):
    """Every error."""

    code = serializers.CharField(
        required=False, help_text="Of a rule of the line, for programs: NOT_WAITING, SESSION_ENDED, …"
    )

"""Bodies of the API under ``/api/queue/``: what is read from requests. `answers` holds what is answered.

They check types, bounds and names; a member that is not there is an error, not silently left out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from queue.api.names import CamelCase
from queue.models import MAX_CLIENT_ID_LENGTH, MAX_COUNT, MAX_PLATFORM_LENGTH, Policy, TicketState
from realtime.http_api import ExactSerializer, StrictModelSerializer, TextField, WholeNumberField
from realtime.http_query import choice_parameters, exact_parameter

MAX_HEARTBEATS: Final = 1_000
"""Sessions refreshed in one request: two statements stay short, and a hundred requests do for 100,000."""

DEFAULT_LOG_ENTRIES: Final = 100
MAX_LOG_ENTRIES: Final = 500
"""As many as a page of any list."""

MAX_SEQ: Final = 10**18
"""Within what databases hold; no log comes that far."""

MAX_SESSION_ID: Final = 64
"""Of what is taken for an id of a session; ours are shorter."""

CLIENT_ID: Final = rf"^[\x20-\x7e]{{1,{MAX_CLIENT_ID_LENGTH}}}$"
PLATFORM: Final = rf"^[A-Za-z0-9._-]{{1,{MAX_PLATFORM_LENGTH}}}$"
_CLIENT_ID_TEXT: Final = f"1 to {MAX_CLIENT_ID_LENGTH} printable ASCII characters."
_PLATFORM_TEXT: Final = f"1 to {MAX_PLATFORM_LENGTH} of A-Z, a-z, 0-9, '.', '_' and '-'."
_is_client_id: Final = re.compile(CLIENT_ID.strip("^$")).fullmatch
_is_platform: Final = re.compile(PLATFORM.strip("^$")).fullmatch
# RFC 3339: fromisoformat also takes forms that others would not read.
_is_moment: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
).fullmatch


# --- The query string -----------------------------------------------------------------------------------


def client_id_parameter(request: Request) -> str | None:
    """``id``. Raises ValidationError where no client could have it."""
    return exact_parameter(request, "id", _is_client_id, _CLIENT_ID_TEXT)


def platform_parameter(request: Request) -> str | None:
    """``platform``. Raises ValidationError where it could be none."""
    return exact_parameter(request, "platform", _is_platform, _PLATFORM_TEXT)


def state_parameters(request: Request) -> list[str]:
    """``state``, any number of times. Raises ValidationError where one is none."""
    return choice_parameters(request, "state", TicketState.values)


# --- Bodies ---------------------------------------------------------------------------------------------


def _text(max_length: int) -> dict[str, Any]:
    # What may be empty is described as one of two, of which the other is the empty text.
    return {"type": "string", "maxLength": max_length, "pattern": r"^[^\x00]+$"}


_MESSAGE_LENGTH: int = Policy._meta.get_field("message").max_length or 0
_NOTE_LENGTH: Final = 200


@extend_schema_field(_text(_MESSAGE_LENGTH))
class MessageField(TextField):
    """What people who wait are shown."""


@extend_schema_field(_text(_NOTE_LENGTH))
class NoteField(TextField):
    """Who somebody is."""


@extend_schema_field({"type": "string", "pattern": CLIENT_ID})
class ClientIdField(serializers.Field[str, Any, str, Any]):
    """The id a client connects with, blanks and all."""

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and _is_client_id(data)):
            raise serializers.ValidationError(_CLIENT_ID_TEXT)
        return data


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """A moment as RFC 3339 writes it, as UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, str) and _is_moment(data):
            try:
                return datetime.fromisoformat(data.upper()).astimezone(UTC)
            except (ValueError, OverflowError):
                pass
        raise serializers.ValidationError("A moment as 2026-11-21T17:05:00Z.")


class PolicyChangeSerializer(ExactSerializer, StrictModelSerializer):
    """What can be changed about the policy."""

    message = MessageField(
        required=False,
        allow_blank=True,
        max_length=_MESSAGE_LENGTH,
        help_text=Policy._meta.get_field("message").help_text,
    )

    class Meta:
        model = Policy
        fields = [
            "enabled",
            "paused",
            "capacity",
            "admit_per_interval",
            "interval_s",
            "stats_interval_s",
            "ticket_stale_s",
            "session_stale_s",
            "initial_avg_wait_s",
            "avg_wait_window",
            "message",
        ]


class OccupancyReportSerializer(CamelCase, ExactSerializer):
    """What a main server says about itself."""

    occupied = WholeNumberField(min_value=0, max_value=MAX_COUNT, help_text="How many sessions it has.")
    measured_at = MomentField(
        required=False,
        help_text="When it counted them; left out, now. Whom we let in since is added. A later one than now "
        "is taken for now, and a count older than the last one changes nothing.",
    )


@extend_schema_field({"type": "string", "maxLength": MAX_SESSION_ID})
class _SessionIdField(serializers.Field[str, Any, str, Any]):
    """Whatever somebody takes for the id of a session: for one that is wrong the others are not refused."""

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and len(data) <= MAX_SESSION_ID):
            raise serializers.ValidationError(f"A text of at most {MAX_SESSION_ID} characters.")
        return data


class HeartbeatsSerializer(ExactSerializer):
    """Sessions that are alive."""

    ids = serializers.ListField(
        child=_SessionIdField(),
        max_length=MAX_HEARTBEATS,
        help_text="As `id` of a listed session.",
    )


class NeverWaitsCreateSerializer(CamelCase, ExactSerializer):
    """An id that is to be let in at once."""

    client_id = ClientIdField(help_text="The id its client connects with.")
    note = NoteField(required=False, allow_blank=True, max_length=_NOTE_LENGTH, help_text="Who it is.")

"""Bodies of the API under ``/api/ticketing/``: what is read from requests. `answers` holds what is answered.

They check types and lengths; what a value means, and every rule of the desk, is for the services.
"""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from realtime.errors import Refused
from realtime.http_api import FlagField, TextField, WholeNumberField
from ticketing.models import (
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TABLE_NUMBER,
    Device,
    DeviceKind,
    Staff,
    Table,
)

REQUEST_KEY_PATTERN = "^[A-Za-z0-9_-]{8,64}$"
REQUEST_KEY_TEXT = "8 to 64 letters, digits, _ and -."

MIN_TOKEN_EXPIRY_S = 60
# Ten years: for a program that signs in as a member of staff and is to be forgotten about.
MAX_TOKEN_EXPIRY_S = 10 * 365 * 24 * 3600

# As long as an account's name can be, and longer than anybody's password: hashing takes time by length.
MAX_USERNAME_LENGTH = 150
MAX_PASSWORD_LENGTH = 1_000

# Something to see, and no NUL.
_VISIBLE = r"^[^\x00]*[^\s\x00][^\x00]*$"
# A visitor's name is tidied up: control characters are blank there too.
_VISIBLE_TIDY = r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f\u2028\u2029][^\x00]*$"


def is_request_key(text: str) -> bool:
    """Whether a request may be called that."""
    return re.fullmatch(REQUEST_KEY_PATTERN.strip("^$"), text) is not None


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH, "pattern": _VISIBLE_TIDY}
)
class VisitorNameField(TextField):
    """A visitor's name, which the service tidies up."""

    def to_internal_value(self, data: Any) -> str:
        # As long as it was sent, blanks at its ends included: so the document has it.
        if isinstance(data, str) and len(data) > MAX_NAME_LENGTH:
            raise Refused("NAME_TOO_LONG", "The name is too long.")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "maxLength": MAX_EMAIL_LENGTH, "format": "email"})
class EmailField(TextField):
    """An address, which the service checks: one rule for kiosks and programs."""


@extend_schema_field({"type": "string", "pattern": REQUEST_KEY_PATTERN})
class RequestKeyField(TextField):
    """What a sender calls its request."""

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and is_request_key(data)):
            raise serializers.ValidationError(REQUEST_KEY_TEXT)
        return data


def _visible(max_length: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": _VISIBLE}


@extend_schema_field(_visible(MAX_USERNAME_LENGTH))
class UsernameField(TextField):
    """The name of an account."""


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": MAX_PASSWORD_LENGTH, "pattern": r"^[^\x00]+$"}
)
class PasswordField(TextField):
    """The password of an account."""


_STAFF_NAME_LENGTH: int = Staff._meta.get_field("name").max_length or 0
_TABLE_NAME_LENGTH: int = Table._meta.get_field("name").max_length or 0
_DEVICE_NAME_LENGTH: int = Device._meta.get_field("name").max_length or 0


@extend_schema_field(_visible(_STAFF_NAME_LENGTH))
class StaffNameField(TextField):
    """As colleagues see it."""


@extend_schema_field(_visible(_DEVICE_NAME_LENGTH))
class DeviceNameField(TextField):
    """Where a device stands."""


# Of the two that may be empty: that is added to the pattern where they are, as the other of two.
@extend_schema_field({"type": "string", "maxLength": _TABLE_NAME_LENGTH, "pattern": r"^[^\x00]+$"})
class TableNameField(TextField):
    """As displays show and speak it."""


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{1,3}$"})
class PrefixField(TextField):
    """Up to three letters."""

    def to_internal_value(self, data: Any) -> str:
        if not (isinstance(data, str) and re.fullmatch("[A-Z]{0,3}", data)):
            raise serializers.ValidationError("Up to three letters A to Z.")
        return data


_PREFIX_TEXT = "Tickets of this kiosk are numbered in a series of this letter; empty: the usual one."
_TABLE_NAME_TEXT = "As displays show and speak it; empty: Table and its number."


class TicketCreateSerializer(serializers.Serializer[Any]):
    """Somebody takes a ticket."""

    email = EmailField(help_text="The visitor is known by it, whatever its case.")
    name = VisitorNameField(help_text="Brings a known visitor's name up to date.")
    request_key = RequestKeyField(
        required=False,
        help_text="As the header Idempotency-Key, for clients that cannot send one; the header goes first.",
    )


class TransferSerializer(serializers.Serializer[Any]):
    """Where a ticket is handed on to."""

    table = WholeNumberField(min_value=0, max_value=MAX_TABLE_NUMBER, help_text="The table's number.")


class TableChangeSerializer(serializers.Serializer[Any]):
    """What can be changed about a table."""

    name = TableNameField(
        required=False, allow_blank=True, max_length=_TABLE_NAME_LENGTH, help_text=_TABLE_NAME_TEXT
    )
    is_active = FlagField(required=False, help_text="Off: nobody can pick it, and whoever is there leaves.")


class TableCreateSerializer(TableChangeSerializer):
    """A new table."""

    number = WholeNumberField(
        min_value=0,
        max_value=MAX_TABLE_NUMBER,
        help_text="What staff and displays know it by. It cannot be changed later.",
    )


class StaffChangeSerializer(serializers.Serializer[Any]):
    """What can be changed about a member of staff."""

    name = StaffNameField(required=False, max_length=_STAFF_NAME_LENGTH, help_text="As colleagues see it.")
    is_active = FlagField(
        required=False, help_text="Off: signed out at once, every token revoked, the table let go."
    )


class StaffCreateSerializer(serializers.Serializer[Any]):
    """A new member of staff, for an account there is."""

    username = UsernameField(
        max_length=MAX_USERNAME_LENGTH,
        trim_whitespace=False,
        help_text="Of the account this person signs in with.",
    )
    name = StaffNameField(max_length=_STAFF_NAME_LENGTH, help_text="As colleagues see it.")
    is_active = FlagField(required=False, help_text="Off: cannot sign in to the desk.")


class TokenCreateSerializer(serializers.Serializer[Any]):
    """A token for somebody else."""

    expires_in_s = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=MIN_TOKEN_EXPIRY_S,
        max_value=MAX_TOKEN_EXPIRY_S,
        help_text="Seconds from now; null: never; without it, a working day.",
    )


class LoginSerializer(serializers.Serializer[Any]):
    """An account's name and password."""

    username = UsernameField(max_length=MAX_USERNAME_LENGTH, trim_whitespace=False)
    password = PasswordField(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False)


class DeviceChangeSerializer(serializers.Serializer[Any]):
    """What can be changed about a device."""

    name = DeviceNameField(required=False, max_length=_DEVICE_NAME_LENGTH, help_text="Where it stands.")
    prefix = PrefixField(required=False, allow_blank=True, help_text=_PREFIX_TEXT)
    is_active = FlagField(required=False, help_text="Off: it is not let in any more.")


class DeviceCreateSerializer(serializers.Serializer[Any]):
    """A new device."""

    kind = serializers.ChoiceField(DeviceKind.choices)
    name = DeviceNameField(max_length=_DEVICE_NAME_LENGTH, help_text="Where it stands.")
    prefix = PrefixField(required=False, allow_blank=True, help_text=_PREFIX_TEXT)

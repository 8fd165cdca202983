"""Bodies of the API under ``/api/v1/``, read and answered. Ids are texts: they pass JavaScript's numbers."""

# ruff: noqa: N815 - members are named as the protocol has them

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import get_user_model, password_validation
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gateway.models import (
    MAX_CONTENT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TITLE_LENGTH,
    MAX_TOPIC_LENGTH,
    MAX_URL_LENGTH,
    Account,
    Channel,
    ChannelType,
    Message,
    MessageType,
)
from gateway.rules import ID_PATTERN, id_of
from realtime.http_api import ExactSerializer, TextField

MAX_PASSWORD: Final = 128
MAX_USERNAME: Final = 150
MAX_MEMBERS: Final = 100

# A channel of ten thousand is told of with its first members, and how many there are.
MAX_MEMBERS_TOLD: Final = 1_000

ID: Final = f"^({ID_PATTERN})$"


@extend_schema_field({"type": "string", "pattern": ID})
class IdField(serializers.Field[int, str, str, Any]):
    """An id, as a text; the number inside."""

    default_error_messages = {"invalid": "An id, as a text."}

    def to_internal_value(self, data: Any) -> int:
        number = id_of(data) if isinstance(data, str) else None
        if number is None:
            self.fail("invalid")
        return number

    def to_representation(self, value: int) -> str:
        return str(value)


# --- Read from requests ---------------------------------------------------------------------------------


class CredentialsSerializer(ExactSerializer):
    """Name and password."""

    username = TextField(max_length=MAX_USERNAME)
    password = TextField(max_length=MAX_PASSWORD, trim_whitespace=False)

    def validate_username(self, username: str) -> str:
        # As it is stored: one name in Unicode may be written in several ways.
        return get_user_model().normalize_username(username)


class RegistrationSerializer(CredentialsSerializer):
    """A new account."""

    displayName = TextField(max_length=MAX_NAME_LENGTH, required=False, source="display_name")

    def validate_username(self, username: str) -> str:
        return _valid(get_user_model().username_validator, super().validate_username(username))

    def validate_password(self, password: str) -> str:
        return _valid(password_validation.validate_password, password)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = get_user_model()(username=attrs["username"], first_name=attrs.get("display_name", ""))
        try:
            # Once more, beside the name that it must not be like.
            password_validation.validate_password(attrs["password"], user)
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from None
        return attrs


def _valid(validate: Callable[[str], object], text: str) -> str:
    try:
        validate(text)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages) from None
    return text


class NewChannelSerializer(ExactSerializer):
    """A new channel. `members` are for a direct message alone."""

    type = serializers.ChoiceField(choices=ChannelType.choices, source="kind")
    # What is left out is empty, and what is empty may be sent: so it is answered, too.
    title = TextField(max_length=MAX_TITLE_LENGTH, required=False, allow_blank=True)
    description = TextField(max_length=MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    topic = TextField(max_length=MAX_TOPIC_LENGTH, required=False, allow_blank=True)
    streamURL = serializers.URLField(
        max_length=MAX_URL_LENGTH, required=False, allow_blank=True, source="stream_url"
    )
    members = serializers.ListField(
        child=IdField(), max_length=MAX_MEMBERS, required=False, source="member_ids"
    )


@extend_schema_field(
    {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_CONTENT_LENGTH,
        "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$",
    }
)
class ContentField(TextField):
    """What is posted: not nothing."""


class NewPostSerializer(ExactSerializer):
    """A new message."""

    type = serializers.ChoiceField(choices=MessageType.choices, default=MessageType.POST)
    content = ContentField(max_length=MAX_CONTENT_LENGTH)


# --- Answered ---------------------------------------------------------------------------------------------


class ProfileSerializer(serializers.ModelSerializer[Account]):
    """Somebody, as others see them."""

    id = serializers.CharField()
    username = serializers.CharField(source="user.username")
    displayName = serializers.CharField(source="display_name")
    createdAt = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Account
        fields = ["id", "username", "displayName", "createdAt"]


_CHANNEL_FIELDS = [
    *("id", "type", "title", "description", "topic", "streamURL", "author", "createdAt"),
    "memberCount",
    "members",
]


class ChannelSerializer(serializers.ModelSerializer[Channel]):
    """A channel, and who is in it: the ids of the first `MAX_MEMBERS_TOLD`. Two queries."""

    id = serializers.CharField()
    streamURL = serializers.CharField(source="stream_url")
    author = serializers.CharField(source="author_id")
    createdAt = serializers.DateTimeField(source="created_at")
    memberCount = serializers.IntegerField(source="members.count")
    members = serializers.SerializerMethodField()

    class Meta:
        model = Channel
        fields = _CHANNEL_FIELDS

    def get_members(self, channel: Channel) -> list[str]:
        ids = channel.members.order_by("account_id").values_list("account_id", flat=True)
        return [str(account_id) for account_id in ids[:MAX_MEMBERS_TOLD]]


class ListedChannelSerializer(ChannelSerializer):
    """A channel in a list. `members` has the profiles of those in a direct message, else nobody."""

    joined = serializers.BooleanField()
    memberCount = serializers.IntegerField(source="member_count")
    lastMessage = serializers.CharField(source="last_message_id", allow_null=True)
    members = serializers.SerializerMethodField()

    class Meta:
        model = Channel
        fields = [*_CHANNEL_FIELDS, "joined", "lastMessage"]

    @extend_schema_field(ProfileSerializer(many=True))
    def get_members(self, channel: Channel) -> Any:
        if channel.type != ChannelType.DIRECT:
            return []
        return ProfileSerializer([member.account for member in channel.members.all()], many=True).data


class PostSerializer(serializers.ModelSerializer[Message]):
    """A message, as op 3 has it."""

    id = serializers.CharField()
    channel_id = serializers.CharField()
    author = serializers.CharField(source="author_id")
    timestamp = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ["id", "channel_id", "author", "type", "content", "timestamp"]

    def get_timestamp(self, message: Message) -> int:
        return int(message.created_at.timestamp() * 1_000)

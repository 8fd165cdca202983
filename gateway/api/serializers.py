"""Bodies of the API under ``/api/v1/``, read and answered. Ids are texts: they pass JavaScript's numbers."""

# ruff: noqa: N815 - members are named as the protocol has them

from __future__ import annotations

import re
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
from realtime.http_api import ExactSerializer, TextField

MAX_PASSWORD: Final = 128
MAX_USERNAME: Final = 150
MAX_MEMBERS: Final = 100

ID: Final = r"^(0|[1-9][0-9]{0,18})$"
_is_id: Final = re.compile(ID.strip("^$")).fullmatch
_no_nul: Final = r"^[^\x00]*$"


def id_of(text: str) -> int | None:
    """The number that an id's text stands for, if it is one."""
    return int(text) if _is_id(text) and int(text) < 2**63 else None


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


class RegistrationSerializer(CredentialsSerializer):
    """A new account."""

    displayName = TextField(max_length=MAX_NAME_LENGTH, required=False, source="display_name")

    def validate_username(self, username: str) -> str:
        return _valid(get_user_model().username_validator, username)

    def validate_password(self, password: str) -> str:
        return _valid(password_validation.validate_password, password)


def _valid(validate: Callable[[str], object], text: str) -> str:
    try:
        validate(text)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages) from None
    return text


class NewChannelSerializer(ExactSerializer):
    """A new channel. `members` are for a direct message alone."""

    type = serializers.ChoiceField(choices=ChannelType.choices, source="kind")
    title = TextField(max_length=MAX_TITLE_LENGTH, required=False)
    description = TextField(max_length=MAX_DESCRIPTION_LENGTH, required=False)
    topic = TextField(max_length=MAX_TOPIC_LENGTH, required=False)
    streamURL = serializers.URLField(max_length=MAX_URL_LENGTH, required=False, source="stream_url")
    members = serializers.ListField(
        child=IdField(), max_length=MAX_MEMBERS, required=False, source="member_ids"
    )


class NewPostSerializer(ExactSerializer):
    """A new message."""

    type = serializers.ChoiceField(choices=MessageType.choices, default=MessageType.POST)
    content = TextField(max_length=MAX_CONTENT_LENGTH)


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


_CHANNEL_FIELDS = ["id", "type", "title", "description", "topic", "streamURL", "author", "createdAt"]


class ChannelSerializer(serializers.ModelSerializer[Channel]):
    """A channel, and who is in it."""

    id = serializers.CharField()
    streamURL = serializers.CharField(source="stream_url")
    author = serializers.CharField(source="author_id")
    createdAt = serializers.DateTimeField(source="created_at")
    members = serializers.SerializerMethodField()

    class Meta:
        model = Channel
        fields = [*_CHANNEL_FIELDS, "members"]

    def get_members(self, channel: Channel) -> list[str]:
        return [str(member.account_id) for member in channel.members.all()]


class ListedChannelSerializer(ChannelSerializer):
    """A channel in a list. `members` has the profiles of those in a direct message, else nobody."""

    joined = serializers.BooleanField()
    memberCount = serializers.IntegerField(source="member_count")
    lastMessage = serializers.CharField(source="last_message_id", allow_null=True)
    members = serializers.SerializerMethodField()

    class Meta:
        model = Channel
        fields = [*_CHANNEL_FIELDS, "joined", "memberCount", "lastMessage", "members"]

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

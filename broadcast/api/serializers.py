"""The rows of the API under ``/api/broadcast/``: policies and keys. Writes go through the services."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from broadcast.models import ChannelPolicy
from broadcast.rules import CHANNEL_NAME_PATTERN, DEFAULT_POLICY_NAME, RESERVED_NAMES, is_channel_name
from broadcast.services.policies import save_policy
from realtime.apikeys import create_api_key
from realtime.http_api import StrictModelSerializer, TextField
from realtime.models import ApiKey

SCOPE_PATTERN = r"^broadcast:(manage|(emit|listen)(:[!-~]{1,200})?)$"

# A key with more than this has the wrong pattern, and all of them are matched at each request.
MAX_SCOPES = 50


_CHANNEL = ChannelPolicy._meta.get_field("channel")


@extend_schema_field(
    {
        "type": "string",
        "maxLength": _CHANNEL.max_length,
        "pattern": rf"^(\*|{CHANNEL_NAME_PATTERN})$",
        "not": {"enum": sorted(RESERVED_NAMES)},
    }
)
class PolicyChannelField(TextField):
    """The channel of a policy."""


class PolicySerializer(StrictModelSerializer):
    """One channel policy."""

    # Without the check that the name is free: the service makes it, and it is a conflict.
    channel = PolicyChannelField(
        validators=[rule for rule in _CHANNEL.validators if isinstance(rule, RegexValidator)],
        max_length=_CHANNEL.max_length,
        help_text=_CHANNEL.help_text,
    )

    class Meta:
        model = ChannelPolicy
        fields = ["channel", "emit", "listen", "history_size", "history_age_s"]

    def validate_channel(self, channel: str) -> str:
        """Refuse names that no channel can have."""
        if channel != DEFAULT_POLICY_NAME and not is_channel_name(channel):
            raise serializers.ValidationError("The site uses this name itself.")
        return channel

    def create(self, validated_data: dict[str, Any]) -> ChannelPolicy:
        return save_policy(policy=ChannelPolicy(**validated_data))

    def update(self, instance: ChannelPolicy, validated_data: dict[str, Any]) -> ChannelPolicy:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return save_policy(policy=instance)


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": 50, "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"}
)
class KeyNameField(TextField):
    """A name for people."""


class KeySerializer(StrictModelSerializer):
    """One API key, without its secret."""

    name = KeyNameField(max_length=50, help_text="For people, such as the program that uses the key.")
    scopes = serializers.ListField(
        child=serializers.RegexField(SCOPE_PATTERN),
        min_length=1,
        max_length=MAX_SCOPES,
        source="scope_list",
        help_text="What it may do: broadcast:emit, broadcast:listen, each with or without :<pattern>, "
        "and broadcast:manage.",
    )
    expires_at = serializers.DateTimeField(
        source="expiry_date",
        required=False,
        allow_null=True,
        default=None,
        help_text="From then on the key is refused; null: never.",
    )

    class Meta:
        model = ApiKey
        fields = ["prefix", "name", "scopes", "created", "expires_at", "revoked"]
        read_only_fields = ["prefix", "created", "revoked"]


class NewKeySerializer(KeySerializer):
    """A key that was just made: the only answer that ever shows it."""

    key = serializers.CharField(read_only=True, help_text="The key itself. It cannot be shown again.")

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key"]

    def create(self, validated_data: dict[str, Any]) -> ApiKey:
        row, key = create_api_key(
            name=validated_data["name"],
            scopes=validated_data["scope_list"],
            expiry_date=validated_data["expiry_date"],
        )
        row.key = key  # type: ignore[attr-defined]
        return row

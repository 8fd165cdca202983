"""The API's routes, under ``/api/broadcast/``. As at the document's routes, no path ends in a slash."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from broadcast.api import views
from broadcast.rules import CHANNEL_NAME_PATTERN, is_channel_name


class ChannelConverter(StringConverter):
    """A channel's name."""

    regex = CHANNEL_NAME_PATTERN

    def to_python(self, value: str) -> str:
        """Raises ValueError (404) for the names the site uses itself."""
        if not is_channel_name(value):
            raise ValueError(value)
        return value


class PolicyConverter(StringConverter):
    """The channel of a policy: a channel's name, or ``*``."""

    regex = rf"\*|{CHANNEL_NAME_PATTERN}"


register_converter(ChannelConverter, "channel")
register_converter(PolicyConverter, "policy")

app_name = "broadcast-api"
urlpatterns = [
    path("policies", views.PolicyList.as_view(), name="policies"),
    path("policies/<policy:channel>", views.PolicyDetail.as_view(), name="policy"),
    path("keys", views.KeyList.as_view(), name="keys"),
    path("keys/<str:prefix>", views.KeyDetail.as_view(), name="key"),
    path("channels", views.ChannelList.as_view(), name="channels"),
    path("channels/<channel:channel>/members", views.Members.as_view(), name="members"),
    path("channels/<channel:channel>/members/<str:client_id>", views.Member.as_view(), name="member"),
    path("channels/<channel:channel>/events", views.Events.as_view(), name="events"),
]

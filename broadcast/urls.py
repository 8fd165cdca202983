"""The pages of the broadcast channels, at the root as the document has it."""

from django.urls import re_path

from broadcast.rules import CHANNEL_NAME_PATTERN
from broadcast.views import channel_page

app_name = "broadcast"
urlpatterns = [
    re_path(rf"^(?P<channel>{CHANNEL_NAME_PATTERN})/listen\Z", channel_page, name="channel"),
]

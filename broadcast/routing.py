"""WebSocket routes of the broadcast channels, at the root as the document has them."""

from django.urls import re_path

from broadcast.consumers import ListenConsumer
from broadcast.rules import CHANNEL_NAME_PATTERN

websocket_urlpatterns = [
    re_path(rf"^(?P<channel>{CHANNEL_NAME_PATTERN})/listen/?$", ListenConsumer.as_asgi()),
]

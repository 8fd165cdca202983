"""WebSocket routes of the notifications; ``/web`` and ``/mobile`` are those of the original service."""

from django.urls import re_path

from notifications.consumers import NotificationsConsumer

websocket_urlpatterns = [
    re_path(r"^(notifications|web|mobile)/?$", NotificationsConsumer.as_asgi()),
]

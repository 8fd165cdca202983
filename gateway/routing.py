"""WebSocket routes of the gateway."""

from django.urls import re_path

from gateway.consumers import GatewayConsumer

websocket_urlpatterns = [
    re_path(r"^gateway(/v1)?/?$", GatewayConsumer.as_asgi()),
]

"""WebSocket routes of the login queue: the root, as the document has it, and the address of its page."""

from django.urls import re_path

from queue.consumers import QueueConsumer

websocket_urlpatterns = [
    re_path(r"^$", QueueConsumer.as_asgi()),
    re_path(r"^queue/?$", QueueConsumer.as_asgi()),
]

"""Stock Channels: a consumer that joins a group, and a route that sends to the group.

The route is plain ASGI: publishing must cost as little as it can, so that fan-out is what is measured.
"""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.stock.settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402


class Listener(AsyncWebsocketConsumer):
    """One channel for each connection, all in one group: how Channels' documentation has it."""

    groups = ["bench"]

    async def event(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["text"])


async def emit(receive: Any, send: Any) -> None:
    """Send the body to the group as it is."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await get_channel_layer().group_send("bench", {"type": "event", "text": body.decode()})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"16")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"success":true}'})


_django = get_asgi_application()


async def http(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/bench/emit":
        await emit(receive, send)
    else:
        await _django(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": Listener.as_asgi()})

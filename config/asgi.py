"""The ASGI application: plain routes in front, then Django; WebSockets to the consumers.

Works on any ASGI server. ``manage.py serve`` runs it with ours.
"""

import os
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()  # loads the apps: what follows may import models

from channels.routing import URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

import broadcast.routing  # noqa: E402
import gateway.routing  # noqa: E402
import notifications.routing  # noqa: E402
import queue.routing  # noqa: E402
import ticketing.routing  # noqa: E402
from broadcast.api.document import DocumentRoutes  # noqa: E402
from realtime import runtime  # noqa: E402
from realtime.gate import AsgiApp, Gate, Receive, Scope, Send, no_such_service  # noqa: E402
from realtime.memory import collect_garbage_rarely  # noqa: E402

# The routes of the broadcast document stand at the root and are its hot path: Django sees only what
# is not theirs.
http_application = DocumentRoutes(cast(AsgiApp, django_application))
websocket_application = Gate(
    URLRouter(
        [
            # No two of them match one path; those of whom most come at once are tried first.
            *broadcast.routing.websocket_urlpatterns,
            *queue.routing.websocket_urlpatterns,
            *gateway.routing.websocket_urlpatterns,
            *notifications.routing.websocket_urlpatterns,
            *ticketing.routing.websocket_urlpatterns,
            re_path(r"^", cast(Any, no_such_service)),
        ]
    )
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch one ASGI connection by its type."""
    match scope["type"]:
        case "http":
            await http_application(scope, receive, send)
        case "websocket":
            await websocket_application(scope, receive, send)
        case "lifespan":
            await lifespan(receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Start the process's runtime with the server and end it with it."""
    while True:
        message: dict[str, Any] = await receive()
        if message["type"] == "lifespan.startup":
            runtime.current()
            collect_garbage_rarely()
            await send({"type": "lifespan.startup.complete"})
        else:
            await runtime.current().stop()
            await send({"type": "lifespan.shutdown.complete"})
            return

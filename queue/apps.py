"""Django application of the login queue. The folder has no ``__init__.py``; see ``config``."""

from django.apps import AppConfig
from django.core.checks import register

from config.checks import queue_shadows_nothing
from queue.checks import page_settings
from realtime.catalog import Service


class QueueConfig(AppConfig):
    name = "queue"
    verbose_name = "Login queue"

    service = Service(
        label="queue",
        title="Login queue",
        summary="A fair line in front of a main server: it lets in as many as the server can take.",
        page_url="/queue/",
        protocol_doc="docs/protocols/queue.md",
        asyncapi="queue.asyncapi.channels",
        demo="queue.demo.fill",
        scopes=(
            ("queue:read", "read the line, tickets, sessions and the policy"),
            ("queue:report", "report the main server's occupancy and sessions"),
            ("queue:manage", "change everything of the line: policy, tickets, sessions, ids that never wait"),
        ),
    )

    def ready(self) -> None:
        register(queue_shadows_nothing)
        register(page_settings)
        from queue.services import door  # noqa: PLC0415, F401 - joins every runtime

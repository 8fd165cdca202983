"""Django application of the broadcast channels."""

from django.apps import AppConfig

from realtime.catalog import Service


class BroadcastConfig(AppConfig):
    name = "broadcast"
    verbose_name = "Broadcast channels"

    service = Service(
        label="broadcast",
        title="Broadcast channels",
        summary="Emit an event with one HTTP request; everyone listening on the channel gets it at once.",
        page_url="/lobby/listen",
        protocol_doc="docs/protocols/broadcast.md",
        asyncapi="broadcast.asyncapi.channels",
        openapi="broadcast.api.schema_document.add_document_routes",
        demo="broadcast.demo.fill",
        scopes=(
            ("broadcast:emit", "emit to any channel"),
            ("broadcast:emit:news.*", "emit to channels whose name matches the pattern"),
            ("broadcast:listen", "listen, and read history and members, where a policy asks for a key"),
            ("broadcast:manage", "manage channel policies, keys and members through the API"),
        ),
    )

"""Django application of the message gateway."""

from django.apps import AppConfig

from realtime.catalog import Service


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Gateway"

    service = Service(
        label="gateway",
        title="Message gateway",
        summary="People with accounts write to each other, and miss nothing over a lost connection.",
        page_url="/gateway/",
        protocol_doc="docs/protocols/gateway.md",
        asyncapi="gateway.asyncapi.channels",
        demo="gateway.demo.fill",
        people="gateway.services.people.People",
    )

    def ready(self) -> None:
        from gateway.services import connections, live  # noqa: PLC0415, F401 - join every runtime

"""Django application of walk-in ticketing."""

from django.apps import AppConfig
from django.core import checks

from realtime.catalog import Service
from ticketing.checks import desk_settings


class TicketingConfig(AppConfig):
    name = "ticketing"
    verbose_name = "Ticket desk"

    service = Service(
        label="ticketing",
        title="Ticket desk",
        summary="Visitors take a ticket at a kiosk, staff call them to tables, displays show and say it.",
        page_url="/ticketing/",
        protocol_doc="docs/protocols/ticketing.md",
        asyncapi="ticketing.asyncapi.channels",
        demo="ticketing.demo.fill",
        scopes=(
            ("ticketing:read", "read tickets, tables and figures"),
            ("ticketing:create", "create tickets"),
            ("ticketing:manage", "change everything of the desk: tickets, tables, staff, visitors, devices"),
        ),
    )

    def ready(self) -> None:
        checks.register(desk_settings)
        from ticketing.services import live  # noqa: PLC0415, F401 - joins every runtime

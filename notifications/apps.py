"""Django application of the notifications."""

from django.apps import AppConfig
from django.conf import settings

from realtime.catalog import Service


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Notifications"

    service = Service(
        label="notifications",
        title="Notifications",
        summary="Other services tell people something, over Kafka or HTTP; it is in their inbox at once.",
        page_url="/notifications/",
        protocol_doc="docs/protocols/notifications.md",
        asyncapi="notifications.asyncapi.channels",
        demo="notifications.demo.fill",
        scopes=(
            ("notifications:send", "send notifications, and updates to subscriptions"),
            ("notifications:manage", "see what was sent, deal with dead letters, change templates"),
        ),
    )

    def ready(self) -> None:
        from notifications.services import live  # noqa: PLC0415, F401 - joins every runtime
        from notifications.services.kafka import presence  # noqa: PLC0415, F401 - joins /readyz

        if settings.KAFKA_BROKERS:
            from notifications.services.kafka import worker  # noqa: PLC0415, F401 - likewise

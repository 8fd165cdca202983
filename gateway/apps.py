"""Django application of the message gateway."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        from gateway.services import live  # noqa: PLC0415, F401 - joins every runtime

"""Django application of the shared core."""

from importlib import import_module

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"
    verbose_name = "API access"

    def ready(self) -> None:
        # It hears of changed keys by signal; it needs the models, which exist only now.
        import_module("realtime.apikeys")

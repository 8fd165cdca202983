"""Django application of the login queue. The folder has no ``__init__.py``; see ``config``."""

from django.apps import AppConfig
from django.core.checks import register

from config.checks import queue_shadows_nothing


class QueueConfig(AppConfig):
    name = "queue"
    verbose_name = "Login queue"

    def ready(self) -> None:
        register(queue_shadows_nothing)

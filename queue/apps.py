"""Django application of the login queue. The folder has no ``__init__.py``; see ``config``."""

from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "queue"
    verbose_name = "Login queue"

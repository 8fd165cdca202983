"""``python -m tests.kafka.quick COMMAND…``: ``manage.py COMMAND…`` whose group notices soon who has left it.

Real brokers take no session timeout below six seconds, and the mock waits about that long for a member that
said goodbye.
"""

import os
import sys

import django
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from notifications.services.kafka import connection  # noqa: E402

connection.SESSION_TIMEOUT_MS = 300  # type: ignore[misc]
connection.HEARTBEAT_INTERVAL_MS = 60  # type: ignore[misc]

if __name__ == "__main__":
    execute_from_command_line(["manage.py", *sys.argv[1:]])

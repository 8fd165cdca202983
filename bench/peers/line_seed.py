"""Migrates the database of the environment; nobody is let in. Prints an API key as JSON. Run by `line`."""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from django.core.management import call_command  # noqa: E402

from queue.models import Policy  # noqa: E402
from realtime.apikeys import create_api_key  # noqa: E402

call_command("migrate", verbosity=0)
# One interval's worth is a step of 500; places are made when the measurement says so.
Policy.objects.create(pk=1, capacity=0, admit_per_interval=500, interval_s=10, stats_interval_s=5)
json.dump(create_api_key(name="bench", scopes=["queue:manage"])[1], sys.stdout)

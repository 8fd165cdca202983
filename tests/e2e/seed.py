"""Migrate and seed the database of the environment; print the keys as JSON. Run by `servers.run_seed`.

Policies are by channel name, so a number of channels of each kind is made beforehand, and `Channels`
hands each test one of its own.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

from broadcast.models import ChannelPolicy  # noqa: E402
from realtime.apikeys import create_api_key  # noqa: E402
from tests.e2e.channels import ADMIN_PASSWORD, CHANNELS_OF_A_KIND, KEYS, KINDS  # noqa: E402

call_command("migrate", verbosity=0)
ChannelPolicy.objects.bulk_create(
    ChannelPolicy(channel=f"{kind}-{number}", **fields)
    for kind, fields in KINDS.items()
    for number in range(CHANNELS_OF_A_KIND)
)
get_user_model().objects.create_superuser("admin", "admin@example.org", ADMIN_PASSWORD)
# Accounts can be made nowhere else; what they serve at is made over the API (`tests.e2e.desk`).
for name in ("clerk-ana", "clerk-ben", "clerk-cho"):
    get_user_model().objects.create_user(name)
keys = {name: create_api_key(name=name, scopes=scopes)[1] for name, scopes in KEYS.items()}
json.dump({"keys": keys}, sys.stdout)

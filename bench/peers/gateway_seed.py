"""Migrates the database of the environment and fills it: ``gateway_seed MEMBERS``. Run by `gateway`.

Prints the id of a channel, and the ids and tokens of its members, who have all posted once.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

from gateway.models import Account, ChannelType  # noqa: E402
from gateway.services.channels import create_channel  # noqa: E402
from gateway.services.ledger import change  # noqa: E402
from gateway.services.posts import NewPost, commit_posts  # noqa: E402
from gateway.services.tokens import issue_token  # noqa: E402

call_command("migrate", verbosity=0)
# Past `register`, whose hash of a password is slow on purpose.
users = get_user_model().objects.bulk_create(
    get_user_model()(username=f"member{number}", password="!") for number in range(int(sys.argv[1]))
)
with change() as pages:
    accounts = Account.objects.bulk_create(
        Account(id=pages.new_id(), user=user, display_name=user.username, created_at=pages.now)
        for user in users
    )
channel = create_channel(author=accounts[0], kind=ChannelType.STREAM, title="Bench")
commit_posts([NewPost(channel.pk, account.pk, 0, "x" * 100) for account in accounts])
json.dump(
    {
        "channel": str(channel.pk),
        "authors": [str(account.pk) for account in accounts],
        "tokens": [issue_token(account=account) for account in accounts],
    },
    sys.stdout,
)

"""Migrates the database of the environment and fills it: ``notifications_seed PEOPLE TOKENS``.

So many people can log in. Prints the ids and tokens of those who have one, and an API key that may send.
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
from django.db import transaction  # noqa: E402

from gateway.models import Account  # noqa: E402
from gateway.services.ledger import change  # noqa: E402
from gateway.services.tokens import issue_token  # noqa: E402
from realtime.apikeys import create_api_key  # noqa: E402

call_command("migrate", verbosity=0)
# Past `register`, whose hash of a password is slow on purpose.
User = get_user_model()
people, wanted = map(int, sys.argv[1:])
users = User.objects.bulk_create(User(username=f"person{number}", password="!") for number in range(people))
with change() as pages:
    accounts = Account.objects.bulk_create(
        Account(id=pages.new_id(), user=user, display_name=user.username, created_at=pages.now)
        for user in users
    )
with transaction.atomic():
    tokens = [issue_token(account=account) for account in accounts[:wanted]]
json.dump(
    {
        "users": [str(account.pk) for account in accounts[:wanted]],
        "tokens": tokens,
        "key": create_api_key(name="bench", scopes=["notifications:send"])[1],
    },
    sys.stdout,
)

"""Put a ticket desk into the migrated database of the environment; print what tests need of it as JSON.

Run by `tests.browser.desk`: tables 0 to 5 (the first with a name), three members of staff with accounts and
tokens, a kiosk and a display, and an account that serves nowhere.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402

from ticketing.models import Staff, Table  # noqa: E402
from ticketing.services.devices import create_device  # noqa: E402
from ticketing.services.people import issue_token  # noqa: E402

PASSWORD = "a-password-for-tests-only"
people = []
for name in ("Ana", "Ben", "Cho"):
    user = get_user_model().objects.create_user(username=name.lower(), password=PASSWORD)
    staff = Staff.objects.create(user=user, name=name)
    token = issue_token(staff=staff)
    people.append(
        {
            "id": staff.pk,
            "name": name,
            "username": user.username,
            "password": PASSWORD,
            "token": token,
        }
    )
get_user_model().objects.create_user(username="visitor", password=PASSWORD)
for number in range(6):
    Table.objects.create(number=number, name="" if number else "Reception")
tokens = {f"{kind}_token": create_device(kind=kind, name=f"The {kind}")[1] for kind in ("kiosk", "display")}
json.dump({"people": people, "tables": list(range(6)), **tokens}, sys.stdout)

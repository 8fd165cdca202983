"""Put a desk into the database of the environment; print its tokens as JSON. Run by `desk.seed_desk`."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402

from realtime.apikeys import create_api_key  # noqa: E402
from ticketing.models import Staff, Table  # noqa: E402
from ticketing.services.people import issue_token  # noqa: E402

SEATS = range(50)

# Past the services, which would tell every process of each.
users = get_user_model().objects.bulk_create(
    [get_user_model()(username=f"staff{number}", password="!") for number in SEATS]
)
everybody = Staff.objects.bulk_create(
    [Staff(user=user, name=f"Staff {number}") for number, user in enumerate(users)]
)
Table.objects.bulk_create([Table(number=number) for number in SEATS])
tokens = {staff.name: issue_token(staff=staff) for staff in everybody}
key = create_api_key(name="manager", scopes=["ticketing:manage"])[1]
json.dump({"tokens": tokens, "key": key}, sys.stdout)

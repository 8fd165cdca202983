"""The pages of the desk's admin, for their tests: where they are, who opens them, what they say."""

import re

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

ROOT = "/admin/ticketing/"
TICKETS = ROOT + "ticket/"
TABLES = ROOT + "table/"
STAFF = ROOT + "staff/"
VISITORS = ROOT + "visitor/"
DEVICES = ROOT + "device/"
JOURNAL = ROOT + "ticketevent/"
FIGURES = ROOT + "deskfigures/"


def somebody(*permissions: str) -> Client:
    """Signed in to the admin, with these permissions only."""
    user = User.objects.create_user(f"somebody{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    client = Client()
    client.force_login(user)
    return client


def page_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def labels(page: str) -> list[str]:
    """The numbers of a list of tickets."""
    return re.findall(r">([A-Z]-\d{3})</a>", page)


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)

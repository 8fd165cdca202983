"""The pages of the admin, for tests of any service: who opens them, what they say, what they cost."""

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext


def somebody_of(app: str, *permissions: str) -> Client:
    """Signed in to the admin, with these permissions of one service only."""
    user = User.objects.create_user(f"somebody{User.objects.count()}", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label=app, codename__in=permissions)
    )
    assert user.user_permissions.count() == len(permissions)
    client = Client()
    client.force_login(user)
    return client


def page_of(response: HttpResponse) -> str:
    """Its text on one line, with plain spaces."""
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)

"""Demo data: what one needs to try everything out, made again at each run.

Core. Every service adds its own through ``Service.demo`` (`realtime.catalog`): a function without
arguments that fills in what its pages and protocol need to be tried, may run any number of times on the
same database, and gives what the output should say, as JSON values.
"""

import secrets
from typing import Any

from axes.utils import reset as reset_login_lockouts
from django.contrib.auth import get_user_model
from django.db import transaction

from realtime.apikeys import create_api_key
from realtime.catalog import services
from realtime.models import ApiKey

ADMIN_USERNAME = "admin"
KEY_NAME = "demo"


def is_empty() -> bool:
    """Is this a database nobody has an account in yet? One query."""
    return not get_user_model().objects.exists()


@transaction.atomic
def fill() -> dict[str, Any]:
    """Make the demo data of every service, in one transaction; gives the credentials that work now.

    The account ``admin`` gets a new password and the key ``demo`` is replaced: neither can be read back
    from the database, and what is printed must work.
    """
    output: dict[str, Any] = {"admin": _make_admin(), "api_key": _make_api_key()}
    for service in services():
        if demo := service.load("demo"):
            output |= demo()
    return output


def _make_admin() -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=ADMIN_USERNAME)
    user.is_active = user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()
    reset_login_lockouts(username=ADMIN_USERNAME)
    return {"username": ADMIN_USERNAME, "password": password}


def _make_api_key() -> str:
    for row in ApiKey.objects.filter(name=KEY_NAME):
        row.delete()
    every_scope = [scope for service in services() for scope, _ in service.scopes if scope.count(":") == 1]
    _, key = create_api_key(name=KEY_NAME, scopes=every_scope)
    return key

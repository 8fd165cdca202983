"""Demo data: three people of the staff, six tables, a kiosk and a display. For ``manage.py demo``."""

import secrets
from typing import Any

from axes.utils import reset as reset_login_lockouts
from django.contrib.auth import get_user_model

from ticketing.models import Device, DeviceKind, Staff, Table
from ticketing.services.devices import create_device, renew_token
from ticketing.services.people import issue_token, revoke_tokens, save_staff
from ticketing.services.tables import save_table

_STAFF = {"ana": "Ana", "ben": "Ben", "chidi": "Chidi"}
_TABLES = range(6)


def fill() -> dict[str, Any]:
    """Make the desk as it is at first, whatever it was; passwords and tokens are new each time."""
    for number in _TABLES:
        table = Table.objects.filter(number=number).first() or Table(number=number)
        table.name, table.is_active = f"Counter {number}", True
        save_table(table=table, actor="demo")
    return {
        "staff": [_make_staff(username, name) for username, name in _STAFF.items()],
        "tables": list(_TABLES),
        "kiosk_token": _make_device(DeviceKind.KIOSK, "Demo kiosk"),
        "display_token": _make_device(DeviceKind.DISPLAY, "Demo display"),
    }


def _make_staff(username: str, name: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=username)
    user.is_active = True
    user.set_password(password)
    user.save()
    reset_login_lockouts(username=username)
    staff = Staff.objects.filter(user=user).first() or Staff(user=user)
    staff.name, staff.is_active = name, True
    save_staff(staff=staff)
    revoke_tokens(staff=staff)
    return {
        "name": name,
        "username": username,
        "password": password,
        "token": issue_token(staff=staff, expiry=None),
    }


def _make_device(kind: DeviceKind, name: str) -> str:
    device = Device.objects.filter(kind=kind, name=name).first()
    if device is None:
        return create_device(kind=kind, name=name)[1]
    device.is_active = True
    return renew_token(device=device)

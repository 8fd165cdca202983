"""Kiosks and displays: who is let in without signing in.

A device shows its token when it connects. Of the token only a SHA-256 digest is kept, and it is looked up by
that: a comparison that takes the same time for every wrong token.
"""

import hashlib
import secrets

from realtime.user_tokens import announce_access
from ticketing.models import Device

# 256 bits: nothing to guess, so a fast digest will do.
_TOKEN_BYTES = 32
_MAX_TOKEN_CHARACTERS = 128


def create_device(*, kind: str, name: str, prefix: str = "") -> tuple[Device, str]:
    """Make a device; gives it and its token, which cannot be shown again.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong, or the name is taken.
    """
    device = Device(kind=kind, name=name, prefix=prefix)
    return device, renew_token(device=device)


def renew_token(*, device: Device) -> str:
    """Give a device a new token. The old one is invalid, and sockets it opened close.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    device.token_digest, device.token_start = _digest(token), token[:8]
    device.full_clean()
    # What else has been changed meanwhile stays, as `save_device` leaves the token alone.
    device.save(update_fields=["token_digest", "token_start"] if device.pk else None)
    announce_access()
    return token


def save_device(*, device: Device) -> Device:
    """Validate and store a device; one that is not active is not let in any more.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong, or the name is taken.
    """
    device.full_clean()
    device.save(update_fields=["kind", "name", "prefix", "is_active"])
    announce_access()
    return device


def delete_device(*, device: Device) -> None:
    """Delete a device. Its tickets stay."""
    device.delete()
    announce_access()


def find_device(*, kind: str, token: str) -> Device | None:
    """The active device of that kind with that token. One query."""
    if not token or len(token) > _MAX_TOKEN_CHARACTERS:
        return None
    return Device.objects.filter(kind=kind, is_active=True, token_digest=_digest(token)).first()


def list_valid(devices: dict[int, str]) -> set[int]:
    """Those of `devices` (id: token digest) that are still let in. One query."""
    rows = Device.objects.filter(pk__in=devices, is_active=True).values_list("pk", "token_digest")
    return {pk for pk, digest in rows if devices[pk] == digest}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()

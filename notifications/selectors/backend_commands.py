"""Reading which commands other services answer."""

from __future__ import annotations

from notifications.models import BackendCommand


def find_command(name: str) -> BackendCommand | None:
    """The command of that name, if it is active. One query."""
    return BackendCommand.objects.filter(name=name, is_active=True).first()

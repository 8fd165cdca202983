"""Demo data: a line that is open, as a new installation has it. For ``manage.py demo``."""

from typing import Any

from queue.models import Policy
from queue.services.policy import save_policy

_FIELDS = [field.name for field in Policy._meta.fields if field.name not in ("id", "changed_at")]


def fill() -> dict[str, Any]:
    """Make the policy as it is at first, whatever it was. The line stays."""
    first = Policy()
    save_policy(changes={name: getattr(first, name) for name in _FIELDS}, actor="demo")
    return {}

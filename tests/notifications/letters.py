"""What Kafka brought, for tests: messages at their places, and the dead letters that came of them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from notifications.models import DeadLetter
from notifications.services.commands import Receive, commit_one
from notifications.services.outbox import Place

_offsets = count(1)


def bury(value: bytes | dict[str, Any]) -> DeadLetter:
    """The dead letter of a message that says nothing we know; a dict is the document of a notification."""
    if isinstance(value, dict):
        value = json.dumps({"type": "notification", "document": value}).encode()
    place = Place("wss", 0, next(_offsets))
    assert commit_one(Receive(place, value)) == "buried"
    return DeadLetter.objects.get(offset=place.offset)

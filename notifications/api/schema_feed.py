"""The body that is sent, in the OpenAPI document: made of the structs that read it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from notifications.protocol.feed import NewNotification, SubscriptionUpdate
from realtime.asyncapi import inlined

_KINDS: Final = {"notification": NewNotification, "update_subscription": SubscriptionUpdate}

_, _components = msgspec.json.schema_components(_KINDS.values(), ref_template="#/components/schemas/{name}")


def _envelope(kind: str, document: str) -> dict[str, Any]:
    schema = inlined({"components": {"schemas": _components}}, _components[document])
    return {
        "type": "object",
        "title": document,
        "properties": {"type": {"type": "string", "const": kind}, "document": schema},
        "required": ["type", "document"],
    }


FEED: Final = {"oneOf": [_envelope(kind, struct.__name__) for kind, struct in _KINDS.items()]}

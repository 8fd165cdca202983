"""The protocol's camelCase for members of bodies: ``seen_at`` here is ``seenAt`` there."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers


class CamelCase(serializers.Serializer[Any]):
    """A serializer whose members are named so; fields, their sources and methods keep their own names."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, field in super().get_fields().items():
            said = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
            if said != name:
                if isinstance(field, serializers.SerializerMethodField):
                    field.method_name = f"get_{name}"
                else:
                    field.source = field.source or name
            fields[said] = field
        return fields

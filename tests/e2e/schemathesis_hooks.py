"""What schemathesis should not try. Loaded by it, in its own process."""

import os
from collections import Counter
from typing import Any
from zlib import crc32

import schemathesis

from broadcast.rules import RESERVED_NAMES

# Each field is given a value of every wrong type; of those about this part, others for other fields.
ONE_IN = 1 if os.environ.get("EXAMPLES") else 3
_tried: Counter[str] = Counter()


@schemathesis.hook
def filter_path_parameters(context: Any, path_parameters: dict[str, Any]) -> bool:
    """Leave out the names of the site's own paths: ``/admin/emit`` is a path of the admin, no emit."""
    return str((path_parameters or {}).get("channel", "")).lower() not in RESERVED_NAMES


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out most of the wrong types for a field: the first is tried, and some that vary by the field."""
    made_for = case.meta.phase.data if case.meta else None
    description = getattr(made_for, "description", None) or ""
    if "Incorrect type" not in description:
        return True
    field = f"{case.operation.label} {description} {made_for.parameter} {made_for.location}"
    number = _tried[field]
    _tried[field] += 1
    return number == 0 or (number + crc32(field.encode())) % ONE_IN == 0

"""What schemathesis should not try. Loaded by it, in its own process."""

from typing import Any

import schemathesis

from broadcast.rules import RESERVED_NAMES


@schemathesis.hook
def filter_path_parameters(context: Any, path_parameters: dict[str, Any]) -> bool:
    """Leave out the names of the site's own paths: ``/admin/emit`` is a path of the admin, no emit."""
    return str((path_parameters or {}).get("channel", "")).lower() not in RESERVED_NAMES

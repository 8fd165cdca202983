"""System checks of the project: what would break in ways that are hard to trace back."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

import queue
from config import BASE_DIR


def queue_shadows_nothing(
    *, app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """``queue`` is the standard library's module, extended by our folder, which has no ``__init__.py``."""
    if (BASE_DIR / "queue" / "__init__.py").exists():
        return [
            Error(
                "queue/__init__.py exists: it would shadow the standard library's queue module.",
                hint="Remove the file; the folder works without it (see config/__init__.py).",
                id="foyer.E001",
            )
        ]
    if not hasattr(queue, "SimpleQueue") or str(BASE_DIR / "queue") not in getattr(queue, "__path__", []):
        return [
            Error(
                "The standard queue module was not extended by our folder.",
                hint="The package config must be imported before anything of ours.",
                id="foyer.E002",
            )
        ]
    return []

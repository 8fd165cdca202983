#!/usr/bin/env python
"""Command line of the project: ``serve``, ``demo``, ``migrate`` and Django's own commands."""

import gc
import os
import sys

# What is imported stays. To look for garbage among it at every turn takes an eighth of the time to start.
COLLECT_AFTER = 50_000


def main() -> None:
    gc.set_threshold(COLLECT_AFTER)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

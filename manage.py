#!/usr/bin/env python
"""Command line of the project: ``serve``, ``demo``, ``migrate`` and Django's own commands."""

import gc
import os
import sys

# What is imported stays, and is some 230 000 objects. To look for garbage among them, be it four times only,
# takes a seventh of the time to start. Commands that stay say how often themselves (`realtime.memory`).
COLLECT_AFTER = 1_000_000


def main() -> None:
    gc.set_threshold(COLLECT_AFTER)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

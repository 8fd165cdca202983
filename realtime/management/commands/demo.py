"""``manage.py demo``: fill the database with data to try things out, and print the credentials."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from realtime import demo


class Command(BaseCommand):
    help = (
        "Fill the database with demo data and print what one needs to use it. May be run again: the "
        "account 'admin' then gets a new password, and the API key 'demo' is replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there is any account")

    def handle(self, *args: Any, **options: Any) -> None:
        filled = {} if options["if_empty"] and not demo.is_empty() else demo.fill()
        if options["json"]:
            self.stdout.write(json.dumps(filled))
        elif filled:
            self._print(filled)
        else:
            self.stdout.write("Accounts are there already: no demo data was added.")

    def _print(self, filled: dict[str, Any]) -> None:
        self.stdout.write("Demo data is in the database. These are shown only now:\n")
        for name, value in filled.items():
            # Several things with names of their own: each on a line.
            items = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
            for item in items:
                self.stdout.write(f"  {name:<13} {_line(item)}")
        self.stdout.write("\nNew ones: manage.py demo (as JSON: manage.py demo --json)\n")


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_line(item) for item in value)
    return str(value)

"""``manage.py asyncapi``: print the AsyncAPI document of everything this installation speaks."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from realtime.views import asyncapi_document


class Command(BaseCommand):
    help = "Print the AsyncAPI 3.0 document of every WebSocket protocol this installation speaks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="localhost:8000", help="host and port written as the server's")
        parser.add_argument("--secure", action="store_true", help="the server is reached by wss")

    def handle(self, *args: Any, **options: Any) -> None:
        document = asyncapi_document(host=options["host"], secure=options["secure"])
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

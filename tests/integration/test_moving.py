"""Moving an installation from SQLite to PostgreSQL works as docs/operations.md has it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import BASE_DIR
from tests.components import PostgresServer

SHOW = """
from django.contrib.auth.models import User
from realtime.models import ApiKey
from ticketing.models import Journal, Ticket, TicketEvent
print(*User.objects.order_by("pk").values_list("username", flat=True))
print(ApiKey.objects.get().scopes.split(), Journal.objects.get().last_seq)
print(*Ticket.objects.order_by("pk").values_list("pk", "name", "state", "number", "staff"))
print(*TicketEvent.objects.order_by("pk").values_list("seq", "kind", "ticket", "staff", "table"))
"""


@pytest.mark.postgres
def test_the_documented_commands_take_everything_along(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    section = page.partition("From SQLite to PostgreSQL")[2].partition("```sh")[2].partition("```")[0]
    dump, migrate, load = re.findall(r"^manage\.py (.+)$", section, re.MULTILINE)

    def manage(*arguments: str, url: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data")}
        result = subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
            cwd=tmp_path,
            env={**environment, "DATABASE_URL": url} if url else environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    manage("migrate", "--verbosity", "0")
    manage("demo", "--json")
    before = manage("shell", "--verbosity", "0", "-c", SHOW)
    assert before.startswith("admin ")
    manage(*dump.split())
    url = postgres_server.create_database()
    manage(*migrate.split(), url=url)
    manage(*load.split(), url=url)
    assert manage("shell", "--verbosity", "0", "-c", SHOW, url=url) == before

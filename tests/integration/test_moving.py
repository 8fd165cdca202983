"""Moving an installation from SQLite to PostgreSQL works as docs/operations.md has it."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import BASE_DIR
from tests.components import PostgresServer
from tests.e2e.seeds import add_demo
from tests.e2e.servers import Seed

# Every table, by its number of rows; of these also what is in them.
SHOWN = {
    "auth_user": "username, password",
    "realtime_apikey": "prefix, scopes",
    "broadcast_channelpolicy": "channel, history_size",
    "ticketing_journal": "last_seq",
    "ticketing_ticket": "id, name, state, number, staff_id",
    "ticketing_ticketevent": "seq, kind, ticket_id, staff_id, table_id",
    "gateway_message": "id, content",
    "notifications_notification": "id, user_id, type, status",
}


@pytest.mark.postgres
def test_the_documented_commands_take_everything_along(
    postgres_server: PostgresServer, seed: Seed, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    page = (BASE_DIR / "docs" / "operations.md").read_text()
    section = page.partition("From SQLite to PostgreSQL")[2].partition("```sh")[2].partition("```")[0]
    dump, migrate, load = re.findall(r"^manage\.py (.+)$", section, re.MULTILINE)
    demo, _ = add_demo(seed, tmp_path_factory)
    demo.copy_to(tmp_path / "data")

    def manage(command: str, url: str = "") -> None:
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data")}
        result = subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *command.split()],
            cwd=tmp_path,
            env={**environment, "DATABASE_URL": url} if url else environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr

    manage(dump)
    url = postgres_server.create_database()
    manage(migrate, url)
    manage(load, url)
    with (
        closing(sqlite3.connect(tmp_path / "data" / "foyer.sqlite3")) as before,
        psycopg.connect(url) as after,
    ):
        tables = [name for (name,) in before.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in tables if not name.startswith("sqlite_")]
        assert set(SHOWN) <= set(tables)
        assert contents(after, tables) == contents(before, tables)


def contents(database: Any, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    def rows(what: str, table: str) -> list[tuple[Any, ...]]:
        return sorted(database.execute(f"SELECT {what} FROM {table}").fetchall(), key=repr)

    found = {table: rows("count(*)", table) for table in tables}
    return found | {f"{table} holds": rows(what, table) for table, what in SHOWN.items()}

"""Databases that servers of tests start from. Each is made once for all processes of the tests."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import BASE_DIR
from tests.e2e.channels import ADMIN_PASSWORD
from tests.e2e.servers import Seed, clean_environment, run_seed


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> tuple[Path, Any]:
    """The folder `name` and what `make` returned when it filled it: once for all processes of the tests.

    What it returns goes through JSON. Nobody may change what is in the folder.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, answer = base / name, base / f"{name}.json"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            folder.mkdir()
            answer.write_text(json.dumps(make(folder)))
    return folder, json.loads(answer.read_text())


def make_seed(factory: pytest.TempPathFactory) -> Seed:
    """The seeded SQLite database that most tests start from."""
    folder, made = made_once(factory, "seed", lambda folder: run_seed({"DATA_DIR": str(folder)}))
    return Seed(folder / "foyer.sqlite3", made["keys"], ADMIN_PASSWORD)


def add_to(seed: Seed, factory: pytest.TempPathFactory, name: str, *command: str) -> tuple[Seed, Any]:
    """`seed` with what a Python command adds to it, and what the command printed as JSON."""

    def make(folder: Path) -> Any:
        seed.copy_to(folder)
        result = subprocess.run(
            [sys.executable, *command],
            cwd=BASE_DIR,
            env=clean_environment({"DATA_DIR": str(folder)}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    folder, printed = made_once(factory, name, make)
    return Seed(folder / "foyer.sqlite3", seed.keys, seed.admin_password), printed


def add_demo(seed: Seed, factory: pytest.TempPathFactory) -> tuple[Seed, Any]:
    """`seed` with what ``manage.py demo`` adds."""
    return add_to(seed, factory, "demo", "manage.py", "demo", "--json")

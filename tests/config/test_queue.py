"""The folder ``queue/`` is importable and the standard library's ``queue`` stays what it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

import config
import queue
from config import BASE_DIR, checks, extend_standard_queue

PROBE = """
import queue, pathlib
import queue.apps
standard = pathlib.Path(queue.__file__)
assert standard.name == "queue.py" and "queue" not in standard.parent.name, standard
assert queue.Queue.__module__ == "queue" and queue.SimpleQueue().empty()
assert pathlib.Path(queue.apps.__file__) == pathlib.Path("queue/apps.py").resolve(), queue.apps.__file__
from concurrent.futures import ThreadPoolExecutor
from django.apps import apps
assert apps.get_app_config("queue").name == "queue"
import sys
print("both", *sorted({"aiokafka", "daphne", "redis"} & sys.modules.keys()))
"""

# How each entry point comes to import the project, up to where it would start to serve.
ENTRY_POINTS = {
    "manage.py": "import sys; sys.path.insert(0, '.'); import manage, os; "
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; import django; django.setup()",
    "queue first": "import queue; queue.Queue(); import sys; sys.path.insert(0, '.'); import os; "
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; import django; django.setup()",
    "daphne": "from daphne.cli import CommandLineInterface as C\n"
    "class Server:\n"
    "    abort_start = False\n"
    "    def __init__(self, **_): pass\n"
    "    def run(self): pass\n"
    "C.server_class = Server; C().run(['config.asgi:application'])",
    "uvicorn": "import uvicorn\n"
    "uvicorn.Server.run = lambda self, *_, **__: (self.config.load(), setattr(self, 'started', True))\n"
    "uvicorn.run('config.asgi:application', app_dir='.')",
}


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_both_are_there_whoever_imports_first(entry_point: str) -> None:
    result = subprocess.run(
        # -P: nothing is on the path but what the entry point itself puts there.
        [sys.executable, "-P", "-W", "error", "-c", f"{ENTRY_POINTS[entry_point]}\n{PROBE}"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    # What an installation without Redis and Kafka never uses is not loaded: it would start later.
    assert result.stdout.strip().endswith("both daphne" if entry_point == "daphne" else "both")


def test_both_are_there_under_pytest() -> None:
    import queue.apps as ours  # noqa: PLC0415

    assert queue.Queue(1).empty()
    assert Path(queue.__file__ or "").parent != BASE_DIR / "queue"
    assert Path(ours.__file__) == BASE_DIR / "queue" / "apps.py"


def test_the_guard_refuses_a_folder_that_would_shadow(tmp_path: Path) -> None:
    path_before = list(queue.__path__)
    (tmp_path / "__init__.py").touch()
    with pytest.raises(RuntimeError, match="would shadow the standard library's"):
        extend_standard_queue(tmp_path)
    assert list(queue.__path__) == path_before


def test_nothing_starts_with_the_file_there(tmp_path: Path) -> None:
    shutil.copytree(BASE_DIR / "config", tmp_path / "config")
    shutil.copytree(BASE_DIR / "queue", tmp_path / "queue")
    (tmp_path / "queue" / "__init__.py").touch()
    result = subprocess.run(
        [sys.executable, "-c", "import config"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "RuntimeError" in result.stderr
    assert "queue/__init__.py must not exist" in result.stderr


def test_the_system_check_is_registered_and_content() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("foyer.")] == []


def test_the_system_check_sees_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "BASE_DIR", tmp_path)
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "__init__.py").touch()
    assert [message.id for message in run_checks()] == ["foyer.E001"]


def test_the_system_check_sees_a_module_that_was_not_extended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "__path__", [])
    assert [message.id for message in run_checks()] == ["foyer.E002"]
    assert not (config.BASE_DIR / "queue" / "__init__.py").exists()

"""The operator's page tells the truth: settings, metrics, log events, files."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.conf import settings
from prometheus_client import REGISTRY

from config import BASE_DIR

PAGE = (BASE_DIR / "docs" / "operations.md").read_text()
# Read by a library, not by our settings.
OTHERS = {"PROMETHEUS_MULTIPROC_DIR"}


def documented() -> dict[str, str]:
    """Variable -> default, from the tables under "Settings"."""
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", section, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a variable is listed twice"
    return dict(rows)


def read_by_settings() -> Iterator[tuple[str, ast.expr | None]]:
    """``(variable, default)`` of each ``env.<type>("NAME", default=…)`` in config/settings.py."""
    for node in ast.walk(ast.parse((BASE_DIR / "config" / "settings.py").read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "env":
            name = ast.literal_eval(node.args[0])
            yield name, next((keyword.value for keyword in node.keywords if keyword.arg == "default"), None)


def test_every_variable_is_documented_and_no_other() -> None:
    assert set(documented()) == {name for name, _ in read_by_settings()} | OTHERS


@pytest.mark.parametrize(
    ("name", "default"), list(read_by_settings()), ids=[name for name, _ in read_by_settings()]
)
def test_every_variable_has_a_default_and_the_page_knows_it(name: str, default: ast.expr | None) -> None:
    assert default is not None, "an installation must start with nothing set"
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return  # it depends on something else; the page says on what
    shown = documented()[name]
    value = ",".join(value) if isinstance(value, list) else value
    if value == "":
        assert shown in ("empty", "none")
    elif isinstance(value, bool):
        assert shown == f"`{int(value)}`"
    else:
        assert shown == f"`{value:g}`" if isinstance(value, float) else shown == f"`{value}`"


def test_every_metric_is_documented_and_no_other() -> None:
    # Those of Kafka are there where it is read.
    import_module("notifications.metrics")
    kinds = {"counter": "_total"}
    ours = {
        family.name + kinds.get(family.type, "")
        for family in REGISTRY.collect()
        if family.name.startswith("foyer_")
    }
    assert set(re.findall(r"^\| `(foyer_[a-z_]+)` \|", PAGE, re.MULTILINE)) == ours


def test_every_log_event_it_names_is_written_somewhere() -> None:
    table = PAGE.partition("\n| event | level |")[2].partition("\n\n")[0]
    events = re.findall(r"`([a-z]+\.[a-z_]+)`", table)
    assert len(events) > 5
    source = "\n".join(
        path.read_text()
        for app in ("realtime", "broadcast", "ticketing", "queue", "gateway", "notifications")
        for path in (BASE_DIR / app).rglob("*.py")
    )
    assert [event for event in events if f'"{event}"' not in source] == []


def test_the_lockout_is_as_described() -> None:
    assert settings.AXES_FAILURE_LIMIT == 10
    assert settings.AXES_COOLOFF_TIME * 60 == 15
    assert "After ten wrong passwords" in PAGE
    assert "closed for 15 minutes" in PAGE

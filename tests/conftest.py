"""Fixtures and rules for every test.

A test that needs Redis, PostgreSQL or Chromium says so with a marker (``@pytest.mark.redis``) or by
using the fixture. Without the component it is skipped, and the skip names it; with REQUIRE_ALL=1,
as in continuous integration, every skip is a failure.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase
from django.test.utils import override_settings

from tests.components import COMPONENTS, PostgresServer, RedisServer, chromium_binary

REQUIRE_ALL = os.environ.get("REQUIRE_ALL", "") not in ("", "0")


def require(component: str) -> None:
    """Skip the running test if `component` (a marker's name) is not there."""
    find, what_is_missing = COMPONENTS[component]
    if not find():
        pytest.skip(what_is_missing)


# Those that start servers first, and the one with the longest file of the others: with several processes for
# the tests, the longest files must not come last.
_SLOW_FOLDERS = ("e2e", "integration", "browser", "ticketing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not set(_SLOW_FOLDERS) & set(item.path.parts))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for component in COMPONENTS:
        if item.get_closest_marker(component):
            require(component)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With REQUIRE_ALL a skip is a failure. An expected failure reports itself as skipped, but is none."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped and REQUIRE_ALL=1 forbids it: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session", autouse=True)
def _quick_password_hashes() -> Iterator[None]:
    """The real hash is slow on purpose; `tests/config` checks that it is the one in use."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


# Made with the database, and no test changes them.
_KEPT_TABLES = {"auth_permission", "django_content_type", "django_migrations"}


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """After a test with transactions of its own, empty the tables but for what takes long to make anew.

    Django empties all of them and then makes every permission of every model again.
    """

    def flush(_: TransactionTestCase) -> None:
        connection = connections["default"]
        tables = set(connection.introspection.django_table_names(only_existing=True)) - _KEPT_TABLES
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), list(tables)))

    with patch.object(TransactionTestCase, "_fixture_teardown", flush):
        yield


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis for the whole session. A test that stops it starts it again before it ends."""
    require("redis")
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for the whole session; ``create_database()`` gives each test its own database."""
    require("postgres")
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Chromium."""
    require("chromium")
    path = chromium_binary()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """A SQLite test database in a temporary folder: two test runs at once do not meet."""
    test_settings = connections["default"].settings_dict["TEST"]
    if test_settings.get("NAME"):
        test_settings["NAME"] = str(tmp_path_factory.mktemp("database") / Path(test_settings["NAME"]).name)

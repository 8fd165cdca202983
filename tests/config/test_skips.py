"""Missing components: skipped by name, and a failure where everything is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import BASE_DIR

SAMPLE = """
import pytest

@pytest.mark.redis
def test_by_marker(): ...

def test_by_fixture(postgres_server): ...

def test_without_components(): ...

@pytest.mark.xfail
def test_expected_to_fail(): assert False
"""


@pytest.fixture
def run_sample(tmp_path: Path):
    """Run the sample with the project's conftest, where no component can be found."""

    def run(require_all: str) -> subprocess.CompletedProcess[str]:
        conftest = "from tests.conftest import *\nfrom tests import components\n"
        conftest += "for name, (_, text) in components.COMPONENTS.items():\n"
        conftest += "    components.COMPONENTS[name] = (lambda: None, text)\n"
        (tmp_path / "conftest.py").write_text(conftest)
        (tmp_path / "test_sample.py").write_text(SAMPLE)
        command = [sys.executable, "-m", "pytest", "-c", str(BASE_DIR / "pyproject.toml")]
        command += ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:hypothesispytest"]
        return subprocess.run(
            [*command, "--rootdir", str(tmp_path), str(tmp_path)],
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "REQUIRE_ALL": require_all},
        )

    return run


def test_what_is_missing_is_skipped_by_name(run_sample) -> None:
    result = run_sample("")
    assert result.returncode == 0, result.stdout
    assert "redis-server is not installed" in result.stdout
    assert "PostgreSQL's server is not installed" in result.stdout
    assert "1 passed, 2 skipped, 1 xfailed" in result.stdout


def test_with_everything_required_a_skip_is_a_failure(run_sample) -> None:
    result = run_sample("1")
    assert result.returncode == 1, result.stdout
    assert "REQUIRE_ALL=1 forbids it: Skipped: redis-server is not installed" in result.stdout
    assert "skipped" not in result.stdout.splitlines()[-1]
    assert "1 passed" in result.stdout
    assert "1 xfailed" in result.stdout

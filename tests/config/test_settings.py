"""Settings by environment: what must refuse, what production looks like."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config import BASE_DIR

LONG_KEY = "k7" * 40 + "not-a-guess"


@pytest.fixture
def run_python(tmp_path: Path):
    """Run code or a manage.py command with the given environment and no other settings."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=BASE_DIR,
            env={**kept, "DATA_DIR": str(tmp_path / "data"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_debug_and_secret_key_it_refuses_to_start_and_says_why(run_python) -> None:
    result = run_python("manage.py", "check", DEBUG="0")
    assert result.returncode != 0
    assert "SECRET_KEY is not set and DEBUG is off" in result.stderr


def test_production_defaults_pass_the_deployment_check(run_python) -> None:
    result = run_python(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", DEBUG="0", SECRET_KEY=LONG_KEY
    )
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_plain_http_is_something_one_has_to_ask_for(run_python) -> None:
    show = "from config import settings as s; print(s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE)"
    environment = {"DEBUG": "0", "SECRET_KEY": LONG_KEY}
    assert run_python("-c", show, **environment).stdout.split() == ["True", "True"]
    assert run_python("-c", show, INSECURE_HTTP="1", **environment).stdout.split() == ["False", "False"]


def test_the_development_key_is_kept_private_and_the_same(run_python, tmp_path: Path) -> None:
    show = "from config import settings; print(settings.SECRET_KEY)"
    first, second = run_python("-c", show).stdout, run_python("-c", show).stdout
    assert first == second
    assert len(first.strip()) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be 'console' or 'json'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
    ],
)
def test_a_value_that_is_none_is_refused_by_name(run_python, name: str, value: str, complaint: str) -> None:
    result = run_python("manage.py", "check", **{name: value})
    assert result.returncode != 0
    assert complaint in result.stderr


def test_passwords_are_hashed_with_argon2(run_python) -> None:
    show = "from config import settings; print(settings.PASSWORD_HASHERS[0])"
    assert run_python("-c", show).stdout.strip() == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_redis_makes_the_layer_and_nothing_else_does(run_python) -> None:
    show = "from config import settings; print(sorted(settings.CHANNEL_LAYERS))"
    assert run_python("-c", show).stdout.strip() == "[]"
    assert run_python("-c", show, REDIS_URL="redis://127.0.0.1:1/0").stdout.strip() == "['default']"


def test_a_postgresql_address_gives_a_pool(run_python) -> None:
    show = "from config import settings; d = settings.DATABASES['default']; print(d['ENGINE'], d['OPTIONS'])"
    result = run_python("-c", show, DATABASE_URL="postgresql://u:p@127.0.0.1:1/d", DATABASE_POOL_SIZE="3")
    assert result.stdout.startswith("django.db.backends.postgresql")
    assert "'max_size': 3" in result.stdout

"""Demo data: repeatable, and what is printed works."""

import json

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory

from realtime import apikeys, demo
from realtime.catalog import Service
from realtime.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget() -> None:
    apikeys._cache.clear()


def printed(capsys: pytest.CaptureFixture[str], **options: bool) -> str:
    call_command("demo", **options)
    return capsys.readouterr().out


@pytest.mark.parametrize("runs", [1, 2])
def test_what_it_prints_works_at_each_run(capsys, rf: RequestFactory, runs: int) -> None:
    for _ in range(runs):
        output = json.loads(printed(capsys, json=True))
    user = authenticate(rf.post("/"), **output["admin"])
    assert user is not None
    assert user.is_superuser
    assert user.is_staff
    grant = apikeys.get_grant_in_thread(output["api_key"])
    assert grant is not None
    for scope in ("broadcast:emit", "broadcast:listen", "broadcast:manage"):
        assert grant.allows(scope)
    assert User.objects.filter(username="admin").count() == 1
    assert ApiKey.objects.count() == 1


def test_json_is_exactly_one_object(capsys) -> None:
    output = printed(capsys, json=True)
    assert output.count("\n") == 1
    assert isinstance(json.loads(output), dict)


def test_it_lifts_a_lockout_of_its_account(capsys, rf: RequestFactory, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    printed(capsys)
    for _ in range(3):
        authenticate(rf.post("/admin/login/"), username="admin", password="wrong")
    output = json.loads(printed(capsys, json=True))
    assert authenticate(rf.post("/admin/login/"), **output["admin"]) is not None


def test_for_people_it_prints_the_same_in_lines(capsys) -> None:
    output = printed(capsys)
    assert "username: admin" in output
    assert "api_key" in output


def test_if_empty_leaves_a_used_database_alone(capsys) -> None:
    assert "admin" in json.loads(printed(capsys, json=True, if_empty=True))
    password = User.objects.get(username="admin").password
    assert json.loads(printed(capsys, json=True, if_empty=True)) == {}
    assert "no demo data was added" in printed(capsys, if_empty=True)
    assert User.objects.get(username="admin").password == password


def test_services_add_theirs(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    class WithDemo:
        scopes = (("sample:use", "use it"), ("sample:use:a*", "use some"))

        def load(self, attribute: str):
            return lambda: {"tables": [0, 1]} if attribute == "demo" else None

    monkeypatch.setattr(demo, "services", lambda: [WithDemo()])
    output = json.loads(printed(capsys, json=True))
    assert output["tables"] == [0, 1]
    assert ApiKey.objects.get().scope_list == ["sample:use"]
    assert "tables        0, 1" in printed(capsys)


def test_a_failing_service_leaves_nothing_half_done(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, object]:
        raise RuntimeError("no")

    monkeypatch.setattr(Service, "load", lambda self, attribute: fail if attribute == "demo" else None)
    with pytest.raises(RuntimeError):
        printed(capsys)
    assert not User.objects.exists()
    assert not ApiKey.objects.exists()

"""Signing in to the desk: with a password, with the site's session, and out again."""

import json
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.middleware.csrf import _get_new_csrf_string

from realtime import http_limits, http_login
from realtime.http_api import MAX_BODY_BYTES
from realtime.http_login import LOGIN_BURST, LoginLimit
from tests.ticketing.callers import PASSWORD, Caller, accepted, account, clerk, logged_in, refused
from tests.ticketing.desk import Desk
from ticketing.services.tokens import staff_of_token


@pytest.fixture(autouse=True)
def _no_attempts_before(monkeypatch):
    monkeypatch.setattr(http_login, "limit", LoginLimit())


@pytest.fixture
def ana(desk: Desk) -> User:
    """Ana's account, with a password."""
    user: User = desk.ana.user
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(username: str = "ana", password: str = PASSWORD) -> HttpResponse:
    return Caller().post("login", {"username": username, "password": password})


# --- With a password ----------------------------------------------------------------------------------


def test_a_password_gives_a_token(desk: Desk, ana: User):
    response = sign_in()
    answer = accepted(response)
    assert (answer["success"], answer["staff"]) == (True, {"id": desk.ana.pk, "name": "Ana"})
    login = staff_of_token(answer["token"])
    assert login is not None
    assert login.staff_id == desk.ana.pk
    assert abs((ana.auth_token_set.get().expiry.timestamp()) - _timestamp(answer["expires_at"])) < 1
    ana.refresh_from_db()
    assert ana.last_login is not None
    accepted(Caller(Authorization=f"Token {answer['token']}").get("tables"))


def _timestamp(text: str) -> float:
    from datetime import datetime  # noqa: PLC0415

    return datetime.fromisoformat(text).timestamp()


def test_signing_in_starts_no_session(ana: User):
    response = sign_in()
    assert not response.cookies
    assert not Session.objects.exists()
    assert AccessLog.objects.get().username == "ana"


def test_a_wrong_password(ana: User):
    for name, password in (
        ("ana", "wrong"),
        ("nobody", PASSWORD),
        ("Ana", PASSWORD),
        ("ana", f"{PASSWORD} "),
    ):
        response = sign_in(name, password)
        refused(response, 401)
        assert response["WWW-Authenticate"].startswith("Token ")
    ana.is_active = False
    ana.save()
    refused(sign_in(), 401)
    assert not ana.auth_token_set.exists()


def test_an_account_that_is_no_staff(desk: Desk, ana: User):
    account("otto")
    refused(sign_in("otto"), 403)
    desk.ana.is_active = False
    desk.ana.save()
    refused(sign_in(), 403)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "ana"},
        {"username": "ana", "password": ""},
        {"username": "ana", "password": 5},
        {"username": ["ana"], "password": PASSWORD},
        {"username": "a\x00", "password": PASSWORD},
        {"username": "a" * 151, "password": PASSWORD},
        {"username": "ana", "password": "x" * 1001},
        b"{",
        b"[]",
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_wrong_body_is_no_failure_of_anybody(ana: User, body: Any):
    refused(Caller().post("login", body), 400)
    assert not AccessAttempt.objects.exists()


def test_other_bodies(ana: User):
    response = Caller().client.post("/api/ticketing/login", {"username": "ana", "password": PASSWORD})
    refused(response, 415)
    refused(Caller().post("login", b" " * (MAX_BODY_BYTES + 1)), 413)


def test_credentials_of_another_kind_do_not_disturb(desk: Desk, ana: User):
    old = Caller(Authorization="Token of-yesterday")
    accepted(old.post("login", {"username": "ana", "password": PASSWORD}))
    otto = account("otto")
    accepted(otto.post("login", {"username": "ana", "password": PASSWORD}))
    assert User.objects.get(pk=otto.client.session["_auth_user_id"]).username == "otto"


# --- Guessing -----------------------------------------------------------------------------------------


def test_an_account_is_locked_out_after_some_failures(ana: User, settings):
    settings.AXES_FAILURE_LIMIT = 3
    refused(sign_in(password="wrong"), 401)
    refused(sign_in(password="wrong"), 401)
    for password in ("wrong", PASSWORD):
        response = sign_in(password=password)
        refused(response, 429)
        assert response["Retry-After"] == "900"
    # The same counter as at the site's other http_login.
    assert AccessAttempt.objects.get().failures_since_start >= 3
    assert (
        "locked"
        in Caller().client.post("/admin/login/", {"username": "ana", "password": PASSWORD}).content.decode()
    )


def test_success_takes_failures_back(ana: User, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        refused(sign_in(password="wrong"), 401)
        refused(sign_in(password="wrong"), 401)
        accepted(sign_in())


def test_an_address_may_try_only_so_often(ana: User, monkeypatch):
    hashed: list[str] = []
    monkeypatch.setattr(
        "realtime.http_login.authenticate", lambda *_args, **fields: hashed.append(fields["username"])
    )
    for number in range(LOGIN_BURST):
        refused(sign_in(f"user{number}"), 401)
    response = sign_in("ana")
    refused(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 3
    assert len(hashed) == LOGIN_BURST
    # The body is not looked at either, and others are not concerned.
    refused(Caller().post("login", b"{"), 429)
    elsewhere = Caller()
    elsewhere.client.defaults["REMOTE_ADDR"] = "10.0.0.9"
    refused(elsewhere.post("login", {"username": "ana", "password": PASSWORD}), 401)


def test_attempts_are_allowed_again_with_time(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(http_limits.time, "monotonic", lambda: now_s[0])
    limit = LoginLimit()
    assert [limit.take("10.0.0.1") for _ in range(LOGIN_BURST)] == [0] * LOGIN_BURST
    wait_s = limit.take("10.0.0.1")
    assert wait_s > 0
    now_s[0] += wait_s
    assert limit.take("10.0.0.1") == 0


# --- With the session, and out again ----------------------------------------------------------------------


def test_the_session_gives_a_token_of_ones_own(desk: Desk, ana: User):
    caller = logged_in(ana)
    answer = accepted(caller.post("token"), 201)
    assert answer["staff"] == {"id": desk.ana.pk, "name": "Ana"}
    login = staff_of_token(answer["token"])
    assert login is not None
    assert login.staff_id == desk.ana.pk


def test_a_token_takes_session_and_csrf_token(desk: Desk, ana: User):
    caller = logged_in(ana, enforce_csrf_checks=True)
    assert "CSRF" in refused(caller.post("token"), 403)["error"]
    secret = _get_new_csrf_string()
    caller.client.cookies["csrftoken"] = secret
    accepted(caller.post("token", **{"X-CSRFToken": secret}), 201)
    # Nothing else lets one in here: a token is not to make another, nor a key somebody's.
    response = clerk(desk.ana).post("token")
    refused(response, 401)
    assert response["WWW-Authenticate"]
    refused(Caller().post("token"), 401)


def test_a_session_of_nobody_at_the_desk(desk: Desk, ana: User):
    refused(account("otto").post("token"), 403)
    caller = logged_in(ana)
    desk.ana.is_active = False
    desk.ana.save()
    refused(caller.post("token"), 403)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    refused(caller.post("token"), 401)


def test_signing_out_ends_this_token_alone(desk: Desk):
    here, there = clerk(desk.ana), clerk(desk.ana)
    assert json.loads(here.post("logout").content) == {"success": True}
    refused(here.get("tables"), 401)
    refused(here.post("logout"), 401)
    accepted(there.get("tables"))

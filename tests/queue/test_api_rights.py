"""Who may do what at the API under ``/api/queue/``: every operation, every kind of caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from queue.api.urls import urlpatterns
from tests.queue.callers import ROOT, Caller, accepted, account, logged_in, permissions, program, refused

pytestmark = pytest.mark.django_db

READ, REPORT, MANAGE = "queue:read", "queue:report", "queue:manage"
SCOPES = {READ, REPORT, MANAGE}
TICKET, SESSION = "nobody-has-this1", "s_nobody-has-this1"


@dataclass(frozen=True)
class Operation:
    """`scopes` each let a key in, `permission` an account of the admin."""

    method: str
    path: str
    scopes: frozenset[str]
    permission: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def ask(self, caller: Caller) -> Any:
        return caller.send(self.method, self.path, {} if self.method in ("POST", "PATCH", "PUT") else None)


def operation(method: str, path: str, permission: str, *scopes: str) -> Operation:
    return Operation(method, path, frozenset({MANAGE, *scopes}), permission)


# What these ids name need not be there: whoever is let in is then told so.
OPERATIONS = [
    operation("GET", "stats", "view_line", READ),
    operation("GET", "policy", "view_policy", READ),
    operation("PATCH", "policy", "change_policy"),
    operation("GET", "occupancy", "view_line", READ, REPORT),
    operation("PUT", "occupancy", "change_line", REPORT),
    operation("DELETE", "occupancy", "change_line", REPORT),
    operation("GET", "tickets", "view_ticket", READ),
    operation("GET", f"tickets/{TICKET}", "view_ticket", READ),
    operation("DELETE", f"tickets/{TICKET}", "change_ticket"),
    operation("POST", f"tickets/{TICKET}/admit", "change_ticket"),
    operation("POST", f"tickets/{TICKET}/move-to-front", "change_ticket"),
    operation("GET", f"tickets/{TICKET}/log", "view_logentry", READ),
    operation("GET", f"tickets/{TICKET}/overtaken-by", "view_logentry", READ),
    operation("GET", "sessions", "view_session", READ, REPORT),
    operation("POST", "sessions/heartbeats", "change_session", REPORT),
    operation("GET", f"sessions/{SESSION}", "view_session", READ, REPORT),
    operation("DELETE", f"sessions/{SESSION}", "change_session", REPORT),
    operation("POST", f"sessions/{SESSION}/heartbeat", "change_session", REPORT),
    operation("GET", "never-waits", "view_neverwaits", READ),
    operation("POST", "never-waits", "add_neverwaits"),
    operation("DELETE", "never-waits", "delete_neverwaits"),
    operation("GET", "log", "view_logentry", READ),
]
ALL_PERMISSIONS = tuple(sorted({one.permission for one in OPERATIONS}))


def test_every_operation_is_in_the_table() -> None:
    known = {(one.method, one.path.replace(SESSION, "<>").replace(TICKET, "<>")) for one in OPERATIONS}
    routes = set()
    for pattern in urlpatterns:
        path = "/".join("<>" if "<" in part else part for part in str(pattern.pattern).split("/"))
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        handled = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS"}
        assert handled == set(view.rights), path
        routes |= {(method, path) for method in handled}
    assert known == routes


@pytest.mark.parametrize("one", OPERATIONS, ids=str)
def test_who_may(one: Operation) -> None:
    # A pattern allows some subjects; there are none here, so it allows nothing.
    callers = {scope: program(scope) for scope in SCOPES} | {
        "narrow": program(*(f"{scope}:*" for scope in SCOPES)),
        "foreign": program("ticketing:manage", "broadcast:manage"),
        "admin": account("otto"),
        "user": account("una", *ALL_PERMISSIONS, is_staff=False),
    }
    refused(one.ask(Caller()), 401)
    allowed = {name for name, caller in callers.items() if one.ask(caller).status_code not in (401, 403)}
    assert allowed == one.scopes
    otto = User.objects.get(username="otto")
    otto.user_permissions.set(permissions(*ALL_PERMISSIONS).exclude(codename=one.permission))
    refused(one.ask(callers["admin"]), 403)
    otto.user_permissions.set(permissions(one.permission))
    assert one.ask(callers["admin"]).status_code not in (401, 403)


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Bearer", "Token abc", "Basic YTpi"])
def test_credentials_that_are_none(authorization: str) -> None:
    response = Caller(Authorization=authorization).get("stats")
    refused(response, 401)
    assert "WWW-Authenticate" in response


def test_a_session_changes_nothing_without_its_csrf_token() -> None:
    account("otto", "change_policy")
    caller = logged_in(User.objects.get(username="otto"), enforce_csrf_checks=True)
    assert "CSRF" in refused(caller.patch("policy", {"paused": True}), 403)["error"]


def test_who_did_it_is_in_the_log() -> None:
    accepted(account("otto", "change_policy").patch("policy", {"paused": True}))
    (entry,) = accepted(program(READ).get("log"))["entries"]
    assert entry["note"] == "paused=True by otto"


def test_what_a_method_takes_is_told_to_those_who_may() -> None:
    assert program(READ).send("OPTIONS", "tickets").status_code == 200
    refused(program(REPORT).send("OPTIONS", "tickets"), 403)
    assert Client().options(f"{ROOT}tickets").status_code == 401

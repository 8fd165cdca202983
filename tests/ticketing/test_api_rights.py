"""Who may do what at the API under ``/api/ticketing/``: every operation, every kind of caller."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.ticketing.callers import (
    ROOT,
    Caller,
    accepted,
    account,
    clerk,
    logged_in,
    permissions,
    program,
    refused,
)
from tests.ticketing.desk import Desk
from ticketing.api.urls import urlpatterns
from ticketing.models import Ticket
from ticketing.services.tickets import complete_ticket

READ, CREATE, MANAGE = "ticketing:read", "ticketing:create", "ticketing:manage"
SCOPES = {READ, CREATE, MANAGE}


@dataclass(frozen=True)
class Operation:
    """`scopes` each let a key in, `permission` an account of the admin, `staff` is whether a token does."""

    method: str
    path: str
    scopes: frozenset[str] = field(default=frozenset({MANAGE}))
    permission: str = ""
    staff: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def ask(self, caller: Caller) -> Any:
        return caller.send(self.method, self.path, {} if self.method in ("POST", "PATCH") else None)


def operation(method: str, path: str, permission: str, *scopes: str, staff: bool = False) -> Operation:
    return Operation(method, path, frozenset({MANAGE, *scopes}), permission, staff)


def only_staff(path: str) -> Operation:
    return Operation("POST", path, frozenset(), "", staff=True)


# What these ids name need not be there: whoever is let in is then told so.
OPERATIONS = [
    operation("GET", "tickets", "view_ticket", READ, staff=True),
    operation("POST", "tickets", "add_ticket", CREATE),
    operation("GET", "tickets.csv", "view_ticket", READ),
    operation("GET", "tickets/77", "view_ticket", READ, staff=True),
    *(
        operation("POST", f"tickets/77/{action}", "change_ticket", staff=True)
        for action in ("complete", "cancel", "no-show", "release", "transfer")
    ),
    only_staff("tickets/77/claim"),
    only_staff("tickets/77/recall"),
    only_staff("next"),
    operation("GET", "tables", "view_table", READ, staff=True),
    operation("POST", "tables", "add_table"),
    operation("GET", "tables/1", "view_table", READ, staff=True),
    operation("PATCH", "tables/1", "change_table"),
    operation("POST", "tables/1/pause", "change_table", staff=True),
    operation("POST", "tables/1/resume", "change_table", staff=True),
    operation("POST", "tables/1/free", "change_table"),
    operation("GET", "staff", "view_staff"),
    operation("POST", "staff", "add_staff"),
    operation("GET", "staff/77", "view_staff"),
    operation("PATCH", "staff/77", "change_staff"),
    operation("POST", "staff/77/tokens", "change_staff"),
    operation("DELETE", "staff/77/tokens", "change_staff"),
    operation("GET", "visitors", "view_visitor"),
    operation("GET", "visitors/77", "view_visitor"),
    operation("DELETE", "visitors/77", "delete_visitor"),
    operation("GET", "devices", "view_device"),
    operation("POST", "devices", "add_device"),
    operation("GET", "devices/77", "view_device"),
    operation("PATCH", "devices/77", "change_device"),
    operation("DELETE", "devices/77", "delete_device"),
    operation("POST", "devices/77/token", "change_device"),
    operation("GET", "stats", "view_deskfigures", READ, staff=True),
    only_staff("logout"),
]


@pytest.fixture
def callers(desk: Desk) -> dict[str, Caller]:
    """Programs by their only scope, and others who have no rights but those of their kind."""
    keys = {scope: program(scope) for scope in SCOPES}
    # A pattern allows some subjects; there are none here, so it allows nothing.
    keys |= {"narrow": program(*(f"{scope}:*" for scope in SCOPES)), "foreign": program("broadcast:manage")}
    return keys | {
        "staff": clerk(desk.ana),
        "admin": account("otto"),
        "user": account("una", *ALL_PERMISSIONS, is_staff=False),
    }


ALL_PERMISSIONS = tuple(sorted({one.permission for one in OPERATIONS} - {""}))


def test_staff_see_open_tickets_and_what_they_did_today(desk: Desk):
    waiting, served, own, old, others = (desk.ticket(name) for name in ("Wat", "Sam", "Own", "Old", "Oth"))
    for staff, table, tickets in ((desk.ana, 1, (own, old)), (desk.ben, 2, (served, others))):
        desk.pick(staff, table)
        for ticket in tickets:
            desk.claim(staff, ticket)
    for staff, ticket in ((desk.ana, own), (desk.ana, old), (desk.ben, others)):
        complete_ticket(ticket_id=ticket, staff_id=staff.pk)
    Ticket.objects.filter(pk=old).update(day=date(2026, 1, 1))
    ana = clerk(desk.ana)
    assert {row["id"] for row in accepted(ana.get("tickets"))["results"]} == {waiting, served, own}
    assert accepted(ana.get("tickets?q=oth"))["results"] == []
    for ticket, found in ((waiting, True), (served, True), (own, True), (old, False), (others, False)):
        assert (ana.get(f"tickets/{ticket}").status_code == 200) is found
    assert accepted(program(READ).get("tickets"))["count"] == 5


def test_every_operation_is_in_the_table():
    # Signing in is open to all; making one's own token takes the session. Both are in test_login.
    known = {one.path.replace("77", "<id>").replace("tables/1", "tables/<n>") for one in OPERATIONS}
    routes = {str(pattern.pattern) for pattern in urlpatterns} - {"login", "token"}
    routes = {
        "/".join("<n>" if "number" in part else "<id>" if "<" in part else part for part in route.split("/"))
        for route in routes
    }
    assert known == routes
    for pattern in urlpatterns:
        rights = getattr(pattern.callback.view_class, "rights", {})  # type: ignore[attr-defined]
        methods = {method for method in pattern.callback.view_class.http_method_names if method != "options"}
        handled = {name.upper() for name in methods if hasattr(pattern.callback.view_class, name)} - {"HEAD"}
        if str(pattern.pattern) not in ("login", "token"):
            assert handled == set(rights), pattern


@pytest.mark.parametrize("one", OPERATIONS, ids=str)
def test_who_may(one: Operation, callers: dict[str, Caller]):
    refused(one.ask(Caller()), 401)
    allowed = {name for name, caller in callers.items() if one.ask(caller).status_code not in (401, 403)}
    # The token comes last: signing out ends it.
    assert allowed == one.scopes | ({"staff"} if one.staff else set())
    permission = permissions(one.permission)
    User.objects.get(username="otto").user_permissions.set(permission)
    assert (one.ask(callers["admin"]).status_code not in (401, 403)) == bool(one.permission)
    others = permissions(*ALL_PERMISSIONS).exclude(codename=one.permission)
    User.objects.get(username="otto").user_permissions.set(others)
    refused(one.ask(callers["admin"]), 403)


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer nonsense",
        "Bearer abcdefgh.abcdefghabcdefghabcdefghabcdefgh",
        "Token",
        "Token ",
        "Token nonsense",
        "Token " + "a" * 64,
        "Token " + "a" * 10_000,
        "Token a b",
        "Token \xff\xfe\x80",
        "token \u0661",
    ],
    ids=repr,
)
def test_credentials_that_are_none(desk: Desk, authorization: str):
    response = Caller(Authorization=authorization).get("tables")
    refused(response, 401)
    assert "WWW-Authenticate" in response


def test_another_scheme_is_as_none(desk: Desk):
    refused(Caller(Authorization="Basic YTpi").get("tables"), 401)


def test_a_token_ends_with_its_time_its_account_and_its_staff(desk: Desk, caplog):
    for end in (
        lambda: desk.ana.user.auth_token_set.update(expiry="2020-01-01T00:00:00Z"),
        lambda: User.objects.filter(pk=desk.ana.user_id).update(is_active=False),
        lambda: type(desk.ana).objects.filter(pk=desk.ana.pk).update(is_active=False),
        lambda: desk.ana.user.auth_token_set.all().delete(),
    ):
        User.objects.filter(pk=desk.ana.user_id).update(is_active=True)
        type(desk.ana).objects.filter(pk=desk.ana.pk).update(is_active=True)
        ana = clerk(desk.ana)
        accepted(ana.get("tables"))
        end()
        refused(ana.get("tables"), 401)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_a_session_changes_nothing_without_its_csrf_token(desk: Desk):
    account("otto", "add_table")
    otto = User.objects.get(username="otto")
    caller = logged_in(otto, enforce_csrf_checks=True)
    body = refused(caller.post("tables", {"number": 9}), 403)
    assert "CSRF" in body["error"]
    refused(caller.get("tables"), 403)  # reading takes a permission that Otto has not
    accepted(account("ina", "view_table").get("tables"))


def test_a_token_in_a_session_acts_as_its_staff(desk: Desk):
    """Whoever sends a key or a token is what that says, whatever the browser's session is."""
    admin = User.objects.create_superuser("root", password="a-long-enough-password")
    caller = logged_in(admin)
    desk.pick(desk.ana, 1)
    ticket = desk.ticket()
    called = accepted(caller.post("next", Authorization=clerk(desk.ana).headers["Authorization"]))
    assert (called["id"], called["staff"]["name"]) == (ticket, "Ana")
    refused(caller.get("staff", Authorization=program(READ).headers["Authorization"]), 403)


def test_what_a_method_takes_is_told_to_those_who_may(desk: Desk):
    response = program(MANAGE).send("OPTIONS", "tickets")
    assert response.status_code == 200
    refused(program(READ).send("OPTIONS", "staff"), 403)
    assert Client().options(f"{ROOT}tickets").status_code == 401

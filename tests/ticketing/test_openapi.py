"""The desk's API in the OpenAPI document, with every answer it gives."""

import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from jsonschema import Draft202012Validator

from realtime import http_login
from realtime.http_csv import csv_response
from tests.ticketing.callers import PASSWORD, ROOT, Caller, clerk, logged_in, program
from tests.ticketing.desk import Desk
from ticketing.api.urls import urlpatterns
from ticketing.models import Ticket
from ticketing.selectors.tickets import CSV_COLUMNS
from ticketing.services.devices import create_device


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    response = Client().get("/api/schema/?format=json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path (below the root), those of this service."""
    return {
        (method, path.removeprefix(ROOT)): operation
        for path, item in schema["paths"].items()
        if path.startswith(ROOT)
        for method, operation in item.items()
    }


def template(path: str) -> str:
    """The document's path for an address: ``tickets/{ticket_id}/claim`` for ``tickets/7/claim``."""
    names = {"tickets": "ticket_id", "tables": "number", "visitors": "visitor_id", "devices": "device_id"}
    path = path.partition("?")[0]
    return re.sub(r"(\w+)/\d+", lambda found: f"{found[1]}/{{{names.get(found[1], 'staff_id')}}}", path)


def test_every_operation_is_there(schema: dict[str, Any]):
    routes = set()
    for pattern in urlpatterns:
        path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        routes |= {
            (method, path) for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)
        }
    assert set(operations(schema)) == routes


def test_every_operation_has_words_and_a_name_of_its_own(schema: dict[str, Any]):
    names = [operation["operationId"] for operation in operations(schema).values()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["tags"] for operation in operations(schema).values())


def test_every_parameter_and_member_has_words(schema: dict[str, Any]):
    for where, operation in operations(schema).items():
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (where, parameter["name"])


def test_every_operation_tells_the_errors_it_can_give(schema: dict[str, Any]):
    for (method, path), operation in operations(schema).items():
        statuses = set(operation["responses"])
        assert {"401", "403", "405", "503"} <= statuses, (method, path)
        if path != "tickets.csv":
            assert "406" in statuses, (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, (method, path)
        if "{" in path:
            assert "404" in statuses, (method, path)
        if method == "get" and any(
            parameter["in"] == "query" for parameter in operation.get("parameters", [])
        ):
            assert "400" in statuses, (method, path)
        if method == "post" and ("tickets/" in path or path == "next" or "tables/" in path):
            assert "409" in statuses, (method, path)
        if path == "login":
            assert "429" in statuses


def test_every_body_has_an_example(schema: dict[str, Any]):
    for where, operation in operations(schema).items():
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], where


def test_how_to_authenticate_is_said(schema: dict[str, Any]):
    schemes = schema["components"]["securitySchemes"]
    assert schemes["staffToken"]["in"] == "header"
    for (_, path), operation in operations(schema).items():
        named = {name for one in operation["security"] for name in one}
        if path == "login":
            assert operation["security"] == [{}]
        elif path == "token":
            assert named == {"cookieAuth"}
        else:
            assert named == {"apiKey", "staffToken", "cookieAuth"}, path


def test_paths_are_told_apart():
    assert template("tickets/7/claim") == "tickets/{ticket_id}/claim"
    assert template("staff/7/tokens") == "staff/{staff_id}/tokens"
    assert template("tables/0") == "tables/{number}"


def check(schema: dict[str, Any], method: str, path: str, response: HttpResponse) -> int:
    """That the answer is as described; gives its status."""
    declared = operations(schema)[method, template(path)]["responses"]
    assert str(response.status_code) in declared, (method, path, response.status_code, response.content)
    content = declared[str(response.status_code)].get("content")
    assert (content is None) == (not response.content)
    if content is not None:
        answer = content["application/json"]["schema"]
        validator = Draft202012Validator({**answer, "components": schema["components"]})
        validator.validate(json.loads(response.content))
    return response.status_code


def test_what_is_answered_fits(schema: dict[str, Any], desk: Desk, monkeypatch):
    monkeypatch.setattr(http_login, "limit", http_login.LoginLimit())
    desk.ana.user.set_password(PASSWORD)
    desk.ana.user.save()
    desk.pick(desk.ana, 1)
    desk.pick(desk.ben, 2)
    manager, ana, browser = program("ticketing:manage"), clerk(desk.ana), logged_in(desk.ana.user)
    ada, bob = desk.ticket("Ada"), desk.ticket("Bob")
    visitor, door = Ticket.objects.get(pk=ada).visitor_id, create_device(kind="display", name="Door")[0].pk
    cyd, password = {"email": "cyd@example.org", "name": "Cyd"}, {"username": "ana", "password": PASSWORD}
    reader = program("ticketing:read")
    asked: list[tuple[Caller, str, str, Any, int]] = [
        (manager, "post", "tickets", cyd, 201),
        (manager, "post", "tickets", cyd | {"request_key": "request-0001"}, 201),
        (manager, "post", "tickets", cyd | {"request_key": "request-0001"}, 200),
        (manager, "post", "tickets", {"email": "x", "name": ""}, 400),
        (manager, "post", "tickets", cyd | {"email": "x"}, 400),
        (manager, "get", "tickets", None, 200),
        (manager, "get", "tickets?state=x", None, 400),
        (manager, "get", f"tickets/{ada}", None, 200),
        (manager, "get", "tickets/77", None, 404),
        (ana, "post", "next", None, 200),
        (ana, "post", f"tickets/{ada}/claim", None, 409),
        (ana, "post", f"tickets/{bob}/claim", None, 200),
        (ana, "post", f"tickets/{ada}/recall", None, 200),
        (ana, "post", f"tickets/{ada}/transfer", {"table": 2}, 200),
        (ana, "post", f"tickets/{ada}/transfer", {"table": "2"}, 400),
        (manager, "get", "tables", None, 200),
        (ana, "post", f"tickets/{bob}/release", None, 200),
        (manager, "post", f"tickets/{ada}/no-show", None, 200),
        (manager, "post", f"tickets/{bob}/cancel", None, 200),
        (manager, "post", f"tickets/{bob}/complete", None, 409),
        (manager, "post", "tickets/77/complete", None, 404),
        (Caller(), "post", "next", None, 401),
        (manager, "post", "next", None, 403),
        (manager, "get", "tables/1", None, 200),
        (manager, "post", "tables", {"number": 7}, 201),
        (manager, "post", "tables", {"number": 7}, 409),
        (manager, "patch", "tables/7", {"is_active": False}, 200),
        (ana, "post", "tables/1/pause", None, 200),
        (ana, "post", "tables/1/resume", None, 200),
        (manager, "post", "tables/1/free", None, 200),
        (manager, "post", "tables/1/free", None, 409),
        (manager, "get", "staff", None, 200),
        (manager, "get", f"staff/{desk.ana.pk}", None, 200),
        (manager, "post", "staff", {"username": "x", "name": "X"}, 409),
        (manager, "post", "staff", {"username": "x"}, 400),
        (manager, "patch", f"staff/{desk.ben.pk}", {"name": "Benjamin"}, 200),
        (manager, "post", f"staff/{desk.ben.pk}/tokens", {"expires_in_s": None}, 201),
        (manager, "post", f"staff/{desk.ben.pk}/tokens", None, 201),
        (manager, "delete", f"staff/{desk.ben.pk}/tokens", None, 204),
        (manager, "get", "visitors", None, 200),
        (manager, "get", f"visitors/{visitor}", None, 200),
        (manager, "delete", f"visitors/{visitor}", None, 200),
        (manager, "delete", f"visitors/{visitor}", None, 404),
        (manager, "post", "devices", {"kind": "kiosk", "name": "Hall"}, 201),
        (manager, "get", "devices", None, 200),
        (manager, "get", f"devices/{door}", None, 200),
        (manager, "patch", f"devices/{door}", {"is_active": False}, 200),
        (manager, "post", f"devices/{door}/token", None, 201),
        (manager, "delete", f"devices/{door}", None, 204),
        (reader, "get", "devices", None, 403),
        (manager, "get", "stats", None, 200),
        (manager, "get", "stats?from=x", None, 400),
        (Caller(), "post", "login", password, 200),
        (Caller(), "post", "login", password | {"password": "x"}, 401),
        (browser, "post", "token", None, 201),
        (ana, "post", "logout", None, 200),
        (ana, "post", "logout", None, 401),
    ]
    for caller, method, path, body, status in asked:
        response = caller.send(method.upper(), path, body)
        assert check(schema, method, path, response) == status, (method, path, response.content)
    seen = {(method, template(path)) for _, method, path, _, _ in asked} | {("get", "tickets.csv")}
    assert seen == set(operations(schema))


def test_the_file_is_described(schema: dict[str, Any]):
    described = operations(schema)["get", "tickets.csv"]["responses"]["200"]["content"]
    assert list(described) == ["text/csv"]
    assert csv_response("x.csv", CSV_COLUMNS, [])["Content-Type"].startswith("text/csv")

"""The queue's API in the OpenAPI document, with every answer it gives."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from jsonschema import Draft202012Validator

from config import BASE_DIR
from queue.api.urls import urlpatterns
from queue.models import Session
from tests.queue.callers import ROOT, Caller, program
from tests.queue.line import LineOfTests


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
    """The document's path for an address: ``tickets/{ticket_id}/log`` for ``tickets/…/log``."""
    path = re.sub(r"sessions/s_[\w-]{16}", "sessions/{session_id}", path.partition("?")[0])
    return re.sub(r"tickets/[\w-]{16}", "tickets/{ticket_id}", path)


def test_every_operation_is_there_with_words_and_a_name_of_its_own(schema: dict[str, Any]) -> None:
    routes = set()
    for pattern in urlpatterns:
        path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        routes |= {(method.lower(), path) for method in view.rights}
    described = operations(schema)
    assert set(described) == routes
    assert len({one["operationId"] for one in described.values()}) == len(described)
    for where, one in described.items():
        assert one["summary"], where
        assert one["tags"], where
        assert {name for way in one["security"] for name in way} == {"apiKey", "cookieAuth"}, where
        for parameter in one.get("parameters", []):
            assert parameter.get("description"), (where, parameter["name"])


def test_every_operation_tells_the_errors_it_can_give(schema: dict[str, Any]) -> None:
    for (method, path), one in operations(schema).items():
        statuses = set(one["responses"])
        assert {"401", "403", "405", "406", "503"} <= statuses, (method, path)
        if "requestBody" in one:
            assert {"400", "413", "415"} <= statuses, (method, path)
            assert one["requestBody"]["content"]["application/json"]["examples"], (method, path)
        if "{" in path:
            assert "404" in statuses, (method, path)
            assert ("409" in statuses) == (method != "get"), (method, path)
        if any(parameter["in"] == "query" for parameter in one.get("parameters", [])):
            assert "400" in statuses, (method, path)


def test_the_page_of_the_protocol_has_every_path_with_its_methods() -> None:
    page = "\n".join(path.read_text() for path in (BASE_DIR / "docs" / "protocols").glob("queue*.md"))
    rows = re.findall(r"^\| `([a-z/<>A-Z-]+)` \| ([A-Z, ]+) \|", page, re.MULTILINE)
    told = {(re.sub("<\\w+>", "<>", path), frozenset(methods.split(", "))) for path, methods in rows}
    assert told == {
        (
            re.sub("<[^>]+>", "<>", str(pattern.pattern)),
            frozenset(pattern.callback.view_class.rights),  # type: ignore[attr-defined]
        )
        for pattern in urlpatterns
    }


def test_bodies_take_no_members_but_their_own(schema: dict[str, Any]) -> None:
    for where, one in operations(schema).items():
        if "requestBody" in one:
            name = one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            body = schema["components"]["schemas"][name]
            assert body["additionalProperties"] is False, where


def test_the_document_and_the_api_agree_on_what_may_be_empty(schema: dict[str, Any]) -> None:
    body = schema["components"]["schemas"]["PatchedPolicyChangeRequest"]
    validator = Draft202012Validator(body)
    for good in ({}, {"message": ""}, {"message": "Soon."}, {"capacity": 0}):
        validator.validate(good)
    for bad in ({"message": "\x00"}, {"capacity": -1}, {"capcity": 1}, {"paused": None}):
        assert not validator.is_valid(bad), bad


def check(schema: dict[str, Any], method: str, path: str, response: HttpResponse) -> int:
    """That the answer is as described, and has no member that is not; gives its status."""
    declared = operations(schema)[method, template(path)]["responses"]
    assert str(response.status_code) in declared, (method, path, response.status_code, response.content)
    content = declared[str(response.status_code)].get("content")
    assert (content is None) == (not response.content)
    if content is not None:
        answer, body = content["application/json"]["schema"], json.loads(response.content)
        Draft202012Validator({**answer, "components": schema["components"]}).validate(body)
        if "$ref" in answer and response.status_code < 300:
            members = schema["components"]["schemas"][answer["$ref"].rpartition("/")[2]]["properties"]
            assert set(body) <= set(members)
    return response.status_code


@pytest.mark.django_db
def test_what_is_answered_fits(schema: dict[str, Any]) -> None:
    line = LineOfTests()
    line.policy(capacity=2)
    line.join(*"abcdef")
    line.enter("a")
    manager, reporter = program("queue:manage"), program("queue:report")
    b, c, d, e = (f"tickets/{line.ticket(client).ticket_id}" for client in "bcde")
    nobody = "tickets/nobody-has-this1"
    session, no_session = f"sessions/{Session.objects.get().session_id}", "sessions/s_nobody-has-this1"
    asked: list[tuple[Caller, str, str, Any, int]] = [
        (manager, "get", "stats", None, 200),
        (Caller(), "get", "stats", None, 401),
        (reporter, "get", "stats", None, 403),
        (manager, "get", "policy", None, 200),
        (manager, "patch", "policy", {"message": ""}, 200),
        (manager, "patch", "policy", {"capacity": "2"}, 400),
        (manager, "get", "policy", None, 200),
        (reporter, "get", "occupancy", None, 200),
        (reporter, "put", "occupancy", {"occupied": 2, "measuredAt": "2026-01-01T00:00:00Z"}, 200),
        (reporter, "put", "occupancy", {}, 400),
        (manager, "get", "stats", None, 200),
        (reporter, "delete", "occupancy", None, 204),
        (manager, "get", "tickets", None, 200),
        (manager, "get", "tickets?state=x", None, 400),
        (manager, "get", c, None, 200),
        (manager, "get", nobody, None, 404),
        (manager, "post", f"{d}/admit", None, 200),
        (manager, "post", f"{d}/admit", None, 409),
        (manager, "post", f"{nobody}/admit", None, 404),
        (manager, "post", f"{e}/move-to-front", None, 200),
        (manager, "post", f"{b}/move-to-front", None, 409),
        (manager, "get", f"{c}/log", None, 200),
        (manager, "get", f"{c}/log?limit=0", None, 400),
        (manager, "get", f"{c}/overtaken-by", None, 200),
        (manager, "get", f"{nobody}/overtaken-by", None, 404),
        (manager, "delete", c, None, 204),
        (manager, "delete", c, None, 409),
        (manager, "get", c, None, 200),
        (manager, "get", "sessions", None, 200),
        (manager, "get", "sessions?alive=x", None, 400),
        (manager, "get", session, None, 200),
        (manager, "get", no_session, None, 404),
        (reporter, "post", f"{session}/heartbeat", None, 200),
        (reporter, "post", "sessions/heartbeats", {"ids": ["x"]}, 200),
        (reporter, "post", "sessions/heartbeats", {"ids": "x"}, 400),
        (reporter, "delete", session, None, 204),
        (reporter, "delete", session, None, 409),
        (reporter, "post", f"{session}/heartbeat", None, 409),
        (manager, "get", session, None, 200),
        (manager, "post", "never-waits", {"clientId": "ines"}, 201),
        (manager, "post", "never-waits", {"clientId": "ines"}, 200),
        (manager, "post", "never-waits", {"clientId": ""}, 400),
        (manager, "get", "never-waits", None, 200),
        (manager, "delete", "never-waits?id=ines", None, 204),
        (manager, "delete", "never-waits?id=ines", None, 404),
        (manager, "delete", "never-waits", None, 400),
        (manager, "get", "log", None, 200),
    ]
    for caller, method, path, body, status in asked:
        response = caller.send(method.upper(), path, body)
        assert check(schema, method, path, response) == status, (method, path, response.content)
    assert {(method, template(path)) for _, method, path, _, _ in asked} == set(operations(schema))

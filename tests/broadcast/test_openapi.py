"""Both doors are in the OpenAPI document, with every answer they give."""

import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from broadcast.api.urls import urlpatterns
from config.openapi import ApiKeyScheme
from tests.broadcast.doors import Door, make_policy

DOCUMENT_ROUTES = {"emit": {"get", "post"}, "listen": {"get"}, "history": {"get"}, "members": {"get"}}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    response = Client().get("/api/schema/?format=json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path, those of this service."""
    ours = re.compile(r"/api/broadcast/|/\{channel\}/")
    return {
        (method, path): operation
        for path, item in schema["paths"].items()
        if ours.match(path)
        for method, operation in item.items()
    }


async def test_every_route_is_there(schema: dict[str, Any]):
    paths = {path for _, path in operations(schema)}
    own = {
        "/api/broadcast/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in urlpatterns
    }
    assert paths == own | {f"/{{channel}}/{name}" for name in DOCUMENT_ROUTES}
    for name, methods in DOCUMENT_ROUTES.items():
        assert {m for m, path in operations(schema) if path == f"/{{channel}}/{name}"} == methods


async def test_every_operation_has_words_and_a_name_of_its_own(schema: dict[str, Any]):
    names = [operation["operationId"] for operation in operations(schema).values()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["tags"] for operation in operations(schema).values())


async def test_every_operation_tells_the_errors_it_can_give(schema: dict[str, Any]):
    for (method, path), operation in operations(schema).items():
        statuses = set(operation["responses"])
        assert {"401", "403", "405", "503"} <= statuses, (method, path)
        if "requestBody" in operation and path.startswith("/api/"):
            assert {"400", "413", "415"} <= statuses, (method, path)
        if "{" in path:
            assert "404" in statuses, (method, path)
        if path.endswith(("/emit", "/events")) and (method == "post" or path.endswith("/emit")):
            assert {"400", "408", "413", "429"} <= statuses, (method, path)


async def test_how_to_authenticate_is_said(schema: dict[str, Any]):
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert ApiKeyScheme.name == "apiKey"
    for (_, path), operation in operations(schema).items():
        assert {"apiKey": []} in operation["security"], path
        # Only what a channel's policy can open is said to need nothing.
        opened = path.startswith("/{channel}/") or path.endswith(("/events", "/members"))
        assert ({} in operation["security"]) == opened, path


async def test_what_is_answered_fits(schema: dict[str, Any], door: Door, settings):
    settings.BROADCAST_OPEN = True
    settings.BROADCAST_ACK_TIMEOUT_S = 0.1
    await make_policy("lobby", emit="open", history_size=5)
    await make_policy("closed", emit="closed")
    kitchen = Door(door.site, door.name, "closed")
    prefix = "/{channel}/" if door.name == "document" else "/api/broadcast/channels/{channel}/"
    emit = prefix + ("emit" if door.name == "document" else "events")
    history = prefix + ("history" if door.name == "document" else "events")
    for method, path, response in (
        ("post", emit, await door.emit({"a": 1})),
        ("post", emit, await door.emit({"a": 1}, require_ack=True)),
        ("post", emit, await door.emit({})),
        ("post", emit, await kitchen.emit(1)),
        ("get", history, await door.history()),
        ("get", history, await door.history(limit="x")),
        ("get", prefix + "members", await door.members()),
    ):
        declared = schema["paths"][path][method]["responses"][str(response.status_code)]
        answer = declared["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**answer, "components": schema["components"]})
        validator.validate(response.json())

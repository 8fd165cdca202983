"""The AsyncAPI document is made from the structs and holds together."""

import json
import re
from typing import Any, ClassVar

import msgspec
import pytest
from django.core.management import call_command
from django.test import Client

from realtime import views
from realtime.asyncapi import (
    TEXT,
    Channel,
    Parameter,
    ServiceChannels,
    build_document,
    inlined,
    readable_channels,
    text_line,
)
from realtime.close_codes import CloseCode


class Inner(msgspec.Struct, frozen=True):
    """A part of another."""

    name: str
    next: "Inner | None" = None


class Ask(msgspec.Struct, frozen=True):
    """Ask for something.

    More about
    asking.
    """

    type: ClassVar[str] = "ASK:NOW"
    what: str
    inner: Inner


class Answer(msgspec.Struct, frozen=True):
    """Given to those who ask."""

    value: int


def enveloped(struct: type[msgspec.Struct], payload: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"payload": payload}, "x-struct": struct.__name__}


SAMPLE = ServiceChannels(
    label="sample",
    channels=(
        Channel(
            name="talk",
            address="/{room}/talk",
            title="Talk",
            summary="Ask and be answered.",
            parameters={"room": Parameter(description="The room.", examples=("lobby",))},
            query={"since": Parameter(description="From where.", schema={"type": "string", "maxLength": 40})},
            client_messages=(Ask,),
            server_messages=(Answer,),
            wire=enveloped,
            examples={"ASK:NOW": ({"payload": {"what": "time"}},)},
            security=("apiKey",),
            close_codes=(CloseCode.POLICY_VIOLATION, CloseCode.SLOW_CLIENT),
        ),
    ),
)


@pytest.fixture
def document() -> dict[str, Any]:
    return build_document([SAMPLE], title="Test", version="1", host="example.org", secure=True)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [value["$ref"]] if "$ref" in value else [r for v in value.values() for r in references(v)]
    return [r for item in value for r in references(item)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = references(document)
    assert len(found) > 6
    for reference in found:
        target: Any = document
        for key in reference.removeprefix("#/").split("/"):
            target = target[key]


def test_component_names_are_what_asyncapi_allows(document: dict[str, Any]) -> None:
    for section in document["components"].values():
        assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in section)


def test_the_server_receives_what_clients_send(document: dict[str, Any]) -> None:
    receive, send = document["operations"]["sample.talk.receive"], document["operations"]["sample.talk.send"]
    assert (receive["action"], send["action"]) == ("receive", "send")
    assert receive["messages"] == [{"$ref": "#/channels/sample.talk/messages/Ask"}]
    assert send["messages"] == [{"$ref": "#/channels/sample.talk/messages/Answer"}]
    assert receive["security"] == [{"$ref": "#/components/securitySchemes/apiKey"}]


def test_a_message_is_its_struct_in_its_wire_form(document: dict[str, Any]) -> None:
    message = document["components"]["messages"]["sample.talk.Ask"]
    assert (message["name"], message["summary"]) == ("ASK:NOW", "Ask for something.")
    assert message["description"] == "More about\nasking."
    assert message["payload"]["x-struct"] == "Ask"
    assert message["examples"] == [{"payload": {"payload": {"what": "time"}}}]
    assert document["components"]["messages"]["sample.talk.Answer"]["name"] == "Answer"
    assert document["components"]["schemas"]["sample.Ask"]["required"] == ["what", "inner"]


def test_addresses_parameters_and_close_codes_are_told(document: dict[str, Any]) -> None:
    channel = document["channels"]["sample.talk"]
    assert channel["address"] == "/{room}/talk"
    assert channel["parameters"] == {"room": {"description": "The room.", "examples": ["lobby"]}}
    query = channel["bindings"]["ws"]["query"]["properties"]
    assert query == {"since": {"description": "From where.", "type": "string", "maxLength": 40}}
    assert [code["code"] for code in channel["x-close-codes"]] == [1008, 4410]
    assert document["servers"] == {"foyer": {"host": "example.org", "protocol": "wss"}}


def test_where_some_come_without_security_none_is_claimed() -> None:
    channel = Channel(
        name="open",
        address="/open",
        title="Open",
        summary="Open.",
        client_messages=(Answer,),
        security=("apiKey", ""),
    )
    service = ServiceChannels(label="sample", channels=(channel,))
    document = build_document([service], title="Test", version="1", host="h", secure=False)
    assert "security" not in document["operations"]["sample.open.receive"]
    assert "sample.open.send" not in document["operations"]
    assert document["components"]["messages"]["sample.open.Answer"]["payload"] == {
        "$ref": "#/components/schemas/sample.Answer"
    }


def as_line(struct: type[msgspec.Struct], payload: dict[str, Any]) -> dict[str, Any]:
    return text_line("ask {what} {inner}", r"ask [a-z]+ \{.*\}", payload)


def test_lines_of_text_are_told_with_what_stands_in_them() -> None:
    channel = Channel(
        name="lines",
        address="/lines",
        title="Lines",
        summary="Lines.",
        client_messages=(Ask,),
        wire=as_line,
        examples={"ASK:NOW": ('ask time {"name":"\u00e9"}',)},
        content_type=TEXT,
        security=("badge",),
    )
    badge = {"type": "httpApiKey", "in": "query", "name": "badge"}
    service = ServiceChannels(label="sample", channels=(channel,), security_schemes={"badge": badge})
    document = build_document([service], title="Test", version="1", host="h", secure=False)
    message = document["components"]["messages"]["sample.lines.Ask"]
    assert message["contentType"] == "text/plain"
    assert message["payload"] == {
        "type": "string",
        "pattern": r"^ask [a-z]+ \{.*\}$",
        "x-line": "ask {what} {inner}",
        "x-arguments": {"$ref": "#/components/schemas/sample.Ask"},
    }
    assert document["components"]["securitySchemes"]["badge"] == badge
    (readable,) = readable_channels(document)
    assert readable["client_messages"][0]["examples"] == ['ask time {"name":"\u00e9"}']
    assert text_line("stop", "stop") == {"type": "string", "pattern": "^stop$", "x-line": "stop"}


def test_the_same_message_may_look_different_on_two_channels() -> None:
    common = {"title": "T", "summary": "S", "server_messages": (Answer,)}
    service = ServiceChannels(
        label="sample",
        channels=(
            Channel(name="one", address="/one", wire=enveloped, **common),
            Channel(name="two", address="/two", **common),
        ),
    )
    messages = build_document([service], title="Test", version="1", host="h", secure=False)["components"][
        "messages"
    ]
    assert "x-struct" in messages["sample.one.Answer"]["payload"]
    assert "x-struct" not in messages["sample.two.Answer"]["payload"]


def test_a_page_gets_references_followed_and_recursion_stopped(document: dict[str, Any]) -> None:
    (channel,) = readable_channels(document)
    (ask,) = channel["client_messages"]
    schema = json.loads(ask["schema"])["properties"]["payload"]
    inner = schema["properties"]["inner"]
    assert inner["properties"]["name"] == {"type": "string"}
    assert {"$ref": "#/components/schemas/sample.Inner"} in inner["properties"]["next"]["anyOf"]
    assert json.loads(ask["examples"][0]) == {"payload": {"what": "time"}}
    assert channel["parameters"][0]["name"] == "room"
    assert channel["query"][0]["name"] == "since"
    assert inlined(document, [1, "text"]) == [1, "text"]


class TestServed:
    def test_a_program_gets_json_and_a_browser_a_page(self, client: Client) -> None:
        assert client.get("/api/asyncapi/").json()["asyncapi"] == "3.0.0"
        assert (
            client.get("/api/asyncapi/", headers={"accept": "application/json"}).json()["asyncapi"] == "3.0.0"
        )
        page = client.get("/api/asyncapi/", headers={"accept": "text/html,*/*;q=0.8"})
        assert page["Content-Type"].startswith("text/html")
        assert "Accept" in page["Vary"]

    def test_the_address_can_decide_instead(self, client: Client) -> None:
        as_browser = {"accept": "text/html"}
        assert client.get("/api/asyncapi/?format=json", headers=as_browser).json()["asyncapi"] == "3.0.0"
        assert "html" in client.get("/api/asyncapi/?format=html")["Content-Type"]

    def test_the_document_names_the_host_that_was_asked(self, client: Client) -> None:
        document = client.get("/api/asyncapi/", secure=True, headers={"host": "foyer.example:8443"}).json()
        assert document["servers"]["foyer"] == {"host": "foyer.example:8443", "protocol": "wss"}

    def test_the_command_prints_the_same(self, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("asyncapi", host="testserver")
        assert json.loads(capsys.readouterr().out) == client.get("/api/asyncapi/").json()

    def test_every_service_with_channels_is_in_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class WithChannels:
            def load(self, attribute: str) -> ServiceChannels | None:
                return SAMPLE if attribute == "asyncapi" else None

        class Without:
            def load(self, attribute: str) -> None:
                return None

        monkeypatch.setattr(views, "services", lambda: [WithChannels(), Without()])
        assert list(views.asyncapi_document(host="h", secure=False)["channels"]) == ["sample.talk"]

"""The OpenAPI document and its page."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from config import openapi


def test_the_document_is_valid_and_warns_of_nothing(tmp_path) -> None:
    """Of all services: that no name stands for two things, and that everything has a type, are warnings."""
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))
    assert "openapi: 3" in (tmp_path / "schema.yml").read_text()


def test_anyone_may_read_it_and_it_knows_api_keys(client: Client) -> None:
    response = client.get("/api/schema/?format=json")
    assert response.status_code == 200
    schema = response.json()
    assert schema["info"]["title"] == "Foyer"
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_services_add_what_is_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def load(self, attribute: str):
            assert attribute == "openapi"
            return lambda schema: schema["paths"].update({"/plain": {}})

    class Nothing:
        def load(self, attribute: str) -> None:
            return None

    monkeypatch.setattr(openapi, "services", lambda: [Plain(), Nothing()])
    assert openapi.add_service_routes({"paths": {}}, generator=None) == {"paths": {"/plain": {}}}


def test_the_page_holds_no_script_or_style_of_its_own_and_none_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    for tag in re.findall(r"<script[^>]*>", page):
        assert 'src="/' in tag
    assert "<style" not in page
    assert "//" not in page.replace("<!doctype html>", "")


def test_every_file_the_page_loads_is_there(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(files) >= 4
    for file in files:
        response = client.get(file)
        assert response.status_code == 200, file
        assert response.content


def test_its_script_asks_no_other_host(client: Client) -> None:
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert '"validatorUrl": null' in script.content.decode()

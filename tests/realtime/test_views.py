"""Pages about the installation and the forms an error takes."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from django.urls import path

from realtime import health, views
from realtime.catalog import services

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"accept": "application/json"}


def raising(error: Exception):
    def view(request):
        raise error

    return view


urlpatterns = [
    path("400", raising(SuspiciousOperation("odd"))),
    path("403", raising(PermissionDenied())),
    path("500", raising(RuntimeError("secret detail"))),
    path("form", lambda request: None),
]
handler400, handler403 = "realtime.views.bad_request", "realtime.views.permission_denied"
handler404, handler500 = "realtime.views.not_found", "realtime.views.server_error"


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("text/html,*/*;q=0.8", False),
        ("text/html", False),
        ("application/json", True),
        ("*/*", True),
        ("application/json;q=0.5, text/html;q=0.4", True),
        ("image/png", True),
    ],
)
def test_programs_and_browsers_are_told_apart(rf: RequestFactory, accept: str, json: bool) -> None:
    assert views.prefers_json(rf.get("/", headers={"accept": accept})) is json


@pytest.mark.django_db(transaction=True)
def test_the_landing_page_names_every_service_and_where_to_go(client: Client) -> None:
    page = client.get("/").content.decode()
    for service in services():
        assert service.title in page
        assert service.page_url in page
    for link in ("/admin/", "/api/docs/", "/api/asyncapi/"):
        assert f'href="{link}"' in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["ok", "down"])
def test_the_landing_page_knows_the_state(
    client: Client, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(health, "_bus_state", lambda: state)
    context = client.get("/").context
    assert context["ready"] is (state == "ok")
    assert {entry["state"] for entry in context["services"]} == {"running" if state == "ok" else "degraded"}


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", [400, 403, 404, 500])
class TestErrors:
    @pytest.fixture(autouse=True)
    def as_in_production(self, settings, client: Client) -> None:
        settings.DEBUG = False
        client.raise_request_exception = False

    def test_a_browser_gets_a_page(self, client: Client, status: int) -> None:
        response = client.get(f"/{status}", headers=BROWSER)
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")
        assert f"Error {status}" in response.content.decode()
        assert "Accept" in response["Vary"]
        assert "Content-Security-Policy" in response

    def test_a_program_gets_json_of_one_form(self, client: Client, status: int) -> None:
        response = client.get(f"/{status}", headers=PROGRAM)
        assert response.status_code == status
        assert list(response.json()) == ["success", "error"]
        assert response.json()["success"] is False
        assert "secret" not in response.content.decode()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("headers", [BROWSER, PROGRAM], ids=["browser", "program"])
def test_a_form_without_its_token_is_refused_in_the_same_forms(headers: dict[str, str]) -> None:
    response = Client(enforce_csrf_checks=True).post("/form", headers=headers)
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/html" if headers is BROWSER else "application/json")

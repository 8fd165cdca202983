"""Middleware of the site (the content security policies are tested with the admin)."""

import pytest
from django.test import AsyncClient, Client


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_address_gets_the_same_page_with_debug_on_and_off(settings, debug: bool) -> None:
    settings.DEBUG = debug
    page = Client().get("/nowhere", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "Error 404" in page.content.decode()
    assert "urlpatterns" not in page.content.decode()
    assert Client().get("/nowhere").json()["success"] is False


@pytest.mark.django_db
def test_a_view_that_finds_nothing_answers_in_its_own_words(settings, admin_client: Client) -> None:
    settings.DEBUG = True
    response = Client().get("/api/broadcast/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("application/json")


class TestStaticFiles:
    path = "/static/realtime/foyer.css"

    async def test_a_file_is_answered_whole_and_without_a_warning_under_asgi(
        self, async_client: AsyncClient
    ) -> None:
        response = await async_client.get(self.path)
        assert response.status_code == 200
        assert not response.streaming
        assert response["Content-Type"].startswith("text/css")
        assert int(response["Content-Length"]) == len(response.content) > 1000

    async def test_a_file_the_browser_has_is_not_sent_again(self, async_client: AsyncClient) -> None:
        first = await async_client.get(self.path)
        again = await async_client.get(self.path, headers={"if-modified-since": first["Last-Modified"]})
        assert again.status_code == 304
        assert again.content == b""

    async def test_a_part_of_a_file(self, async_client: AsyncClient) -> None:
        part = await async_client.get(self.path, headers={"range": "bytes=0-9"})
        assert part.status_code == 206
        assert len(part.content) == 10

    @pytest.mark.parametrize(
        "path", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static//etc/passwd"]
    )
    async def test_nothing_outside_is_served(self, async_client: AsyncClient, path: str) -> None:
        assert (await async_client.get(path)).status_code == 404

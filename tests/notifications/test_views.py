"""The inbox page, as HTML. In a browser: tests/browser/test_inbox_*.py."""

import json
import re

import pytest
from django.test import Client

from config import BASE_DIR

STATIC = BASE_DIR / "notifications" / "static" / "notifications"


@pytest.fixture
def html(client: Client) -> str:
    return client.get("/notifications/").content.decode()


# No mark: a page that asks the database for something fails here.
def test_the_page_opens_without_the_database_and_nothing_can_be_posted_to_it(client: Client) -> None:
    response = client.get("/notifications/")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert client.post("/notifications/").status_code == 405
    assert client.get("/notifications")["Location"] == "/notifications/"


def test_it_tells_its_script_what_it_needs(html: str) -> None:
    match = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', html)
    assert match
    assert json.loads(match[1]) == {"socketPath": "/notifications/", "apiPath": "/api/v1/"}
    # As the API has them: what is typed is never too long for it.
    limits = dict(re.findall(r'name="(\w+)"[^>]*maxlength="(\d+)"', html))
    assert limits == {"username": "150", "displayName": "80", "password": "128"}


def test_it_holds_no_script_and_no_style_of_its_own(html: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all(
        "src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", html)
    )
    assert "needs JavaScript" in html.partition("<noscript>")[2].partition("</noscript>")[0]


def test_what_others_sent_becomes_text_and_never_markup() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()), (
            path
        )


def test_its_script_asks_for_elements_that_there_are(html: str) -> None:
    scripts = "\n".join(path.read_text() for path in STATIC.glob("*.js"))
    asked = set(re.findall(r'\belement\("([\w-]+)"\)', scripts))
    assert len(asked) > 15
    assert asked <= set(re.findall(r'\sid="([\w-]+)"', html))

"""The page for people who wait, as HTML. In a browser: tests/browser/test_queue_page.py."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from config import BASE_DIR

STATIC = BASE_DIR / "queue" / "static" / "queue"
TEMPLATES = BASE_DIR / "templates" / "queue"


@pytest.fixture
def html(client: Client, settings) -> str:
    """The page of an installation with all that can be set."""
    settings.QUEUE_LANGUAGES = ["de", "en"]
    settings.QUEUE_NEXT_URL = "https://game.example.org/?a=1&b=</script>"
    return client.get("/queue/").content.decode()


# No mark: a page that asks the database for something fails here.
def test_the_page_opens_without_the_database(client: Client) -> None:
    response = client.get("/queue/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"] == "text/html; charset=utf-8"


def test_it_tells_its_script_what_it_needs(html: str) -> None:
    match = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', html)
    assert match
    assert json.loads(match[1]) == {
        "languages": ["de", "en"],
        "socketPath": "/queue/",
        "healthPath": "/readyz",
        "nextUrl": "https://game.example.org/?a=1&b=</script>",
    }


def test_nothing_can_be_posted_to_it_and_its_name_is_whole(client: Client) -> None:
    assert client.post("/queue/").status_code == 405
    assert client.get("/queue")["Location"] == "/queue/"


def test_it_holds_no_script_and_no_style_of_its_own(html: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all(
        "src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", html)
    )


def test_without_javascript_it_says_what_is_missing(html: str) -> None:
    noscript = html.partition("<noscript>")[2].partition("</noscript>")[0]
    assert [language in noscript for language in ("needs JavaScript", 'lang="de"', 'lang="ar"')] == [True] * 3


def test_words_are_asked_for_by_names_that_there_are() -> None:
    """None is misspelt or left over. That all files have the same: tests/browser/test_queue_look.py."""
    english = (STATIC / "words" / "en.js").read_text()
    known = set(re.findall(r"^    (\w+): ", english, re.MULTILINE))
    sources = [*STATIC.glob("*.js"), *Path(TEMPLATES).glob("*.html")]
    used = "\n".join(path.read_text() for path in sources if not path.name.startswith("admin"))
    asked = set(re.findall(r"wait\.(\w+)[\"`]", used)) - {"$"}
    assert len(asked) > 30
    assert asked <= known
    # Some are asked for by the name of a state, or by a band's: those stand in quotes without their block.
    by_name = set(re.findall(r"\"(\w+)\"", used)) | {
        f"estimate{kind}{unit}" for kind in ("", "UpTo") for unit in ("Minutes", "Hours")
    }
    assert known - asked - by_name == set()

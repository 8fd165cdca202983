"""Settings of the page that say nothing sensible are refused by name."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from queue.checks import page_settings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://localhost:8000",
        "https://game.example.org/play?from=queue",
        "https://münchen.example/",
        "http://[::1]:8080/",
    ],
)
def test_addresses_that_people_can_be_sent_to(settings, url: str) -> None:
    settings.QUEUE_NEXT_URL = url
    assert page_settings() == []


@pytest.mark.parametrize(
    "url",
    [
        "game.example.org",
        "/play",
        "//game.example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://game.example.org/",
        "https://",
        "https://:443/",
        "https://game.example.org:port/",
        "https://[::1/",
        "https://game.example.org/#/play",
        "https://game.example.org/#",
    ],
)
def test_addresses_that_nobody_can_be_sent_to_with_a_token(settings, url: str) -> None:
    settings.QUEUE_NEXT_URL = url
    assert [error.id for error in page_settings()] == ["queue.E002"]


@pytest.mark.parametrize(
    ("languages", "complaint"), [(["en", "tlh"], "no words for: tlh"), ([], "no words for: any language")]
)
def test_a_language_without_words_is_refused_by_every_command(settings, languages, complaint) -> None:
    settings.QUEUE_LANGUAGES = languages
    with pytest.raises(SystemCheckError, match=complaint):
        call_command("check")

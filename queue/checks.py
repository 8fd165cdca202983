"""Are the page's settings such that it can work? Registered in queue.apps, run by every command."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error


def page_settings(**_kwargs: Any) -> list[CheckMessage]:
    """An error for each setting that says nothing sensible, by the variable's name."""
    found: list[CheckMessage] = []
    unknown = [code for code in settings.QUEUE_LANGUAGES if not finders.find(f"queue/words/{code}.js")]
    if unknown or not settings.QUEUE_LANGUAGES:
        found.append(
            Error(
                f"QUEUE_LANGUAGES has no words for: {', '.join(unknown) or 'any language'}.",
                hint="Each language is a file in queue/static/queue/words/.",
                id="queue.E001",
            )
        )
    if settings.QUEUE_NEXT_URL and not _leads_on(settings.QUEUE_NEXT_URL):
        found.append(
            Error(
                f"QUEUE_NEXT_URL is {settings.QUEUE_NEXT_URL!r}, where nobody can be sent with a token.",
                hint="Use a whole http:// or https:// address without a fragment (#…).",
                id="queue.E002",
            )
        )
    return found


def _leads_on(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "#" not in url

"""Are the desk's settings such that it can work? Registered in ticketing.apps, run by every command."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error


def desk_settings(**_kwargs: Any) -> list[CheckMessage]:
    """An error for each setting that says nothing sensible, by the variable's name."""
    found: list[CheckMessage] = []
    try:
        ZoneInfo(settings.TICKETING_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(
            Error(
                f"TICKETING_TIME_ZONE is {settings.TICKETING_TIME_ZONE!r}, which is no time zone.",
                hint="Use a name such as Europe/Berlin.",
                id="ticketing.E001",
            )
        )
    if not re.fullmatch("[A-Z]{0,3}", settings.TICKETING_PREFIX):
        found.append(
            Error(
                f"TICKETING_PREFIX is {settings.TICKETING_PREFIX!r}.",
                hint="Use up to three letters A to Z, or none.",
                id="ticketing.E002",
            )
        )
    unknown = [
        code for code in settings.TICKETING_LANGUAGES if not finders.find(f"ticketing/words/{code}.js")
    ]
    if unknown or not settings.TICKETING_LANGUAGES:
        found.append(
            Error(
                f"TICKETING_LANGUAGES has no words for: {', '.join(unknown) or 'any language'}.",
                hint="Each language is a file in ticketing/static/ticketing/words/.",
                id="ticketing.E003",
            )
        )
    return found

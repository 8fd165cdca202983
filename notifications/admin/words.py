"""How the pages of the notifications write texts, JSON and links."""

from __future__ import annotations

from typing import Final

import msgspec
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from realtime.admin_times import NONE

# Two lines on a phone.
MAX_SHORT_CHARACTERS: Final = 60


def sent_url(sent_id: int) -> str:
    """The page of something that was sent."""
    return reverse("admin:notifications_sent_change", args=[sent_id])


def notifications_url(**filters: object) -> str:
    """The list of notifications, of one ``user`` or of what was ``sent``."""
    return reverse("admin:notifications_notification_changelist", query=filters)


def link(url: str, words: str) -> SafeString:
    """Names may be in any script and of any length."""
    return format_html(
        '<a class="text-link" href="{}"><bdi style="overflow-wrap: anywhere">{}</bdi></a>', url, words
    )


def unbroken(words: str) -> SafeString:
    """On one line: browsers would tear a date apart at its hyphens."""
    return format_html('<span class="whitespace-nowrap">{}</span>', words)


def in_short(text: str) -> SafeString:
    """The first characters."""
    short = text if len(text) <= MAX_SHORT_CHARACTERS else text[: MAX_SHORT_CHARACTERS - 1] + "…"
    return format_html('<bdi style="overflow-wrap: anywhere">{}</bdi>', short or NONE)


def whole(text: str) -> SafeString:
    """All of it, as it was written."""
    return format_html('<p dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</p>', text)


def indented(json_text: str | bytes) -> str:
    """JSON text, one value a line."""
    text = json_text if isinstance(json_text, bytes) else json_text.encode()
    return msgspec.json.format(text, indent=2).decode()


def data_words(json_text: str) -> SafeString:
    """What is for programs; a dash for nothing."""
    return unbroken(NONE) if json_text == "null" else code(indented(json_text))


def code(text: str) -> SafeString:
    """Read by programs, or written by them."""
    return format_html('<pre dir="ltr" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)

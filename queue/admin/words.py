"""How the queue's pages of the admin say things."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from queue import rules
from realtime.admin_times import NONE, duration


def breakable(identifier: str) -> SafeString:
    """An id of a client: any characters, and up to 128 of them without a space."""
    return format_html('<bdi style="overflow-wrap: anywhere">{}</bdi>', identifier)


def spread(estimate: rules.Estimate) -> str:
    """``4 min 10 s (half of them 3 min 20 s to 5 min 02 s)``; the mean alone where both ends are the same."""
    mean, low, high = (duration(each) for each in (estimate.mean_s, estimate.low_s, estimate.high_s))
    return mean if low == high else f"{mean} (half of them {low} to {high})"


def since(at: datetime | None) -> str:
    """``17:42:40``, and ``2026-03-29 17:42`` where that is not today; in UTC."""
    if at is None:
        return NONE
    today = at.date() == timezone.now().date()
    return f"{at:%H:%M:%S}" if today else f"{at:%Y-%m-%d %H:%M}"


def unbroken(words: str) -> SafeString:
    """In one line of a narrow column: a date has hyphens."""
    return format_html('<span class="whitespace-nowrap">{}</span>', words)

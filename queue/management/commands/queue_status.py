"""``manage.py queue_status``: the line, for somebody who looks after it on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.fields import DateTimeField

from queue.api.answers import LineStatsSerializer
from queue.rules import Estimate
from queue.selectors.line import LineView
from queue.selectors.status import Status, get_status, last_entered_at


class Command(BaseCommand):
    help = "Show the login queue: who waits, how full the main server is, and who says so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs, one line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Thirteen queries at most. Raises CommandError where the database does not answer: exit status 1."""
        try:
            status, entered_at = get_status(), last_entered_at()
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(status, entered_at)))
            return
        for title, text in rows(status, entered_at, timezone.now()):
            self.stdout.write(f"{title:<14}{text}")


def as_json(status: Status, entered_at: datetime | None) -> dict[str, Any]:
    """What ``GET /api/queue/stats`` answers, and besides ``away`` and ``lastEnteredAt``."""
    return {
        **LineStatsSerializer(status).data,
        "away": status.view.waiting - status.view.active,
        "lastEnteredAt": entered_at and DateTimeField().to_representation(entered_at),
    }


def rows(status: Status, entered_at: datetime | None, now: datetime) -> Iterator[tuple[str, str]]:
    """What is shown, line by line: a title and a text."""
    view = status.view
    yield "Queue", _switches(view)
    yield (
        "Main server",
        f"{view.occupied:,} of {view.policy.capacity:,} places taken, {_who_says(status, now)}",
    )
    if view.failing:
        yield "", "FAILING: the last login met a server that does not work; one is sent at a time"
    yield (
        "Line",
        f"{view.waiting:,} waiting: {view.active:,} connected, {view.waiting - view.active:,} away",
    )
    yield "Logging in", f"{view.logging_in:,}"
    head = f"head {view.head:,}" if view.waiting else "nobody waits"
    yield "Positions", f"{head}, last given {view.tail:,}"
    yield "Mean wait", in_words(view.avg_wait_ms / 1_000)
    yield "Who comes now", _expected(status.estimate, view)
    yield "Last let in", "nobody yet" if entered_at is None else _ago(entered_at, now)


def _switches(view: LineView) -> str:
    if view.policy.paused:
        return "PAUSED: nobody is let in"
    if not view.policy.enabled:
        return "OFF: everyone is let in at once"
    return f"on, at most {view.policy.admit_per_interval:,} each {in_words(view.policy.interval_s)}"


def _who_says(status: Status, now: datetime) -> str:
    if status.reported is None:
        return "by our count of sessions"
    return f"by its report of {status.reported.occupied:,}, {_ago(status.reported.measured_at, now)}"


def _expected(estimate: Estimate | None, view: LineView) -> str:
    if estimate is None:
        return "nobody can say" + (" while the queue is paused" if view.policy.paused else " yet")
    if estimate.high_s == 0:
        return "goes in at once"
    return (
        f"waits {in_words(estimate.mean_s)} or so ({in_words(estimate.low_s)} to {in_words(estimate.high_s)})"
    )


def _ago(moment: datetime, now: datetime) -> str:
    past = max(timedelta(0), now - moment)
    return f"{in_words(past.total_seconds())} ago ({moment:%Y-%m-%d %H:%M:%S} UTC)"


def in_words(seconds: float) -> str:
    """``4 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``: two units, of which the second may be missing."""
    left = round(seconds)
    words = []
    for unit_s, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, unit_s)
        if count:
            words.append(f"{count} {name}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"

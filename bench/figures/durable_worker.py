"""The process `bench.figures.durable` measures: ``durable_worker row|event WAY CALLERS SECONDS``."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import quantiles
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from broadcast.models import Event  # noqa: E402
from broadcast.services.history import NewEvent, commit_events  # noqa: E402
from realtime.db import in_db_thread  # noqa: E402
from realtime.group_commit import GroupCommit  # noqa: E402

PAYLOAD = b'{"text":"' + b"x" * 80 + b'"}'
_numbers = itertools.count(time.time_ns())

Write = Callable[[Sequence[Any]], Sequence[Any]]


def commit_rows(rows: Sequence[int]) -> Sequence[int]:
    """Insert plain rows in one transaction: one row each, no numbering."""
    now = timezone.now()
    with transaction.atomic():
        Event.objects.bulk_create(
            Event(channel="rows", seq=row, event_id=f"evt_{row}", payload=PAYLOAD.decode(), created_at=now)
            for row in rows
        )
    return rows


def writer(way: str, write: Write) -> Callable[[Any], Awaitable[Any]]:
    """What a caller awaits for one row."""
    if way == "group":
        return GroupCommit(write).submit
    if way == "pool":
        return lambda row: in_db_thread(write, [row])
    in_one_thread = sync_to_async(write)
    return lambda row: in_one_thread([row])


async def measure(kind: str, way: str, callers: int, seconds: float) -> dict[str, float]:
    """Rows per second, and the time a caller waits for its row."""
    if kind == "event":
        submit = writer(way, commit_events)
        make: Callable[[], Any] = lambda: NewEvent("bench", PAYLOAD)  # noqa: E731
    else:
        submit = writer(way, commit_rows)
        make = lambda: next(_numbers)  # noqa: E731
    waits: list[float] = []
    start = time.perf_counter() + 0.3

    async def caller() -> None:
        while (began := time.perf_counter()) < start + seconds:
            await submit(make())
            if began >= start:
                waits.append(time.perf_counter() - began)

    await asyncio.gather(*(caller() for _ in range(callers)))
    cuts = quantiles(waits, n=100)
    elapsed = time.perf_counter() - start
    return {"rows/s": len(waits) / elapsed, "p50 ms": cuts[49] * 1000, "p99 ms": cuts[98] * 1000}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))))

"""The processes `bench.figures.notifications` measures, past HTTP and sockets. Each prints a number as JSON.

``drain COUNT MAX_BATCH`` reads Kafka, as a server does, until so many are stored: messages a second.
``store COUNT BATCH USER…`` stores so many that are at hand already, for these in turn: messages a second.
``tell TIMES`` sends something to everyone so often: the median, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from statistics import median

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from bench.peers.notifications_kafka import message  # noqa: E402
from notifications.models import Sent, Source  # noqa: E402
from notifications.protocol.feed import NewNotification  # noqa: E402
from notifications.services.commands import Receive, Send, commit, commit_one  # noqa: E402
from notifications.services.kafka import worker  # noqa: E402
from notifications.services.kafka.storing import store  # noqa: E402
from notifications.services.outbox import Place  # noqa: E402
from realtime import runtime  # noqa: E402

TEXT = "x" * 100


async def drain(count: int, max_batch: int) -> float:
    """From the first batch that is there to the last that is stored. It has nobody else to serve."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    began = ended = 0.0
    stored = 0

    def counted(messages: Sequence[Receive]) -> list[str]:
        nonlocal began, ended, stored
        began = began or time.perf_counter()
        outcomes = store(messages)
        stored += outcomes.count("sent")
        if stored >= count:
            ended = time.perf_counter()
            loop.call_soon_threadsafe(done.set)
        return outcomes

    worker.store = counted  # type: ignore[attr-defined]
    worker.MAX_BATCH = max_batch  # type: ignore[misc]
    rt = runtime.current()
    await done.wait()
    await rt.stop()
    return count / (ended - began)


def store_all(count: int, batch: int, users: Sequence[str]) -> float:
    """The same rows, without Kafka."""
    first = time.time_ns()
    received = [
        Receive(Place("bench", 0, first + number), message(users[number % len(users)]))
        for number in range(count)
    ]
    began = time.perf_counter()
    for start in range(0, count, batch):
        commit(received[start : start + batch])
    return count / (time.perf_counter() - began)


def tell(times: int) -> float:
    """A message, and a row for everyone."""
    feed = NewNotification(everyone=True, type="bench", data={"pad": TEXT})
    took = []
    for _ in range(times):
        began = time.perf_counter()
        commit_one(Send(feed, Source.HTTP, "bench"))
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def main(what: str, *arguments: str) -> float:
    before = Sent.objects.count()
    match what, *arguments:
        case "drain", count, max_batch:
            measured = asyncio.run(drain(int(count), int(max_batch)))
        case "store", count, batch, *users:
            measured = store_all(int(count), int(batch), users)
        case "tell", count:
            measured = tell(int(count))
        case _:
            raise ValueError(f"there is no such thing to measure: {what}")
    # Each is there, and once.
    if (there := Sent.objects.count() - before) != int(arguments[0]):
        raise RuntimeError(f"{there} were stored, not {arguments[0]}")
    return measured


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))

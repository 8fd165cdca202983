"""Posts past HTTP for `bench.figures.gateway`: ``gateway_worker CHANNEL AUTHOR BATCH SECONDS``.

Prints posts a second as JSON, with BATCH of them in each transaction.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from gateway.services.posts import NewPost, commit_posts  # noqa: E402


def measure(channel_id: int, author_id: int, batch: int, seconds: float) -> float:
    posts = [NewPost(channel_id, author_id, 0, "x" * 100)] * batch
    commit_posts(posts)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        commit_posts(posts)
        count += batch
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    channel, author, batch, seconds = sys.argv[1:]
    print(json.dumps(measure(int(channel), int(author), int(batch), float(seconds))))

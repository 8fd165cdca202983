"""``manage.py serve`` for figures in which a few connections play a crowd: ``tuned_server serve …``.

What no installation can set is changed here, in this process only: how many commands share a transaction
(``BENCH_MAX_BATCH``), and how many messages a connection may send. `application` is the same for any server.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

import config  # noqa: F401  (makes the queue package safe)

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from broadcast.consumers import ListenConsumer  # noqa: E402
from config.asgi import application  # noqa: E402, F401
from gateway.consumers import GatewayConsumer  # noqa: E402
from realtime.consumer import RealtimeConsumer  # noqa: E402
from realtime.group_commit import GroupCommit  # noqa: E402
from ticketing.consumers import DeskConsumer  # noqa: E402

consumers: list[type[RealtimeConsumer]] = [DeskConsumer, GatewayConsumer, ListenConsumer]
for consumer in consumers:
    consumer.frame_rate_per_s = consumer.frame_burst = 1_000_000

if __name__ == "__main__":
    if "BENCH_MAX_BATCH" in os.environ:
        defaults = GroupCommit.__init__.__kwdefaults__ or {}
        defaults["max_batch"] = int(os.environ["BENCH_MAX_BATCH"])
    execute_from_command_line(["manage.py", *sys.argv[1:]])

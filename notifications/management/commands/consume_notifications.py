"""``manage.py consume_notifications``: reads Kafka, beside the servers."""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications.services.kafka.presence import COMPONENT
from notifications.services.kafka.worker import Worker
from realtime import health, runtime
from realtime.memory import collect_garbage_rarely
from realtime.probes import probes


class Command(BaseCommand):
    help = (
        "Store what comes from Kafka, and have the servers tell it. Several share the work. "
        "SIGTERM: finishes what is at hand and leaves."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, help="answer /healthz, /readyz and /metrics there (default: nowhere)"
        )
        parser.add_argument("--host", default="127.0.0.1", help="address of that port (default: 127.0.0.1)")

    def handle(self, *args: Any, host: str, port: int | None, **options: Any) -> None:
        if not settings.KAFKA_BROKERS:
            raise CommandError(
                "consume_notifications needs KAFKA_BROKERS: where to read from (for example 127.0.0.1:9092)."
            )
        if not settings.REDIS_URL:
            raise CommandError(
                "consume_notifications needs REDIS_URL: without Redis, clients would not hear of what it "
                "stores. Set REDIS_URL (for example redis://127.0.0.1:6379/0), or let `manage.py serve` read "
                "Kafka itself, as it does without Redis."
            )
        asyncio.run(_work(host, port))


async def _work(host: str, port: int | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    health.need(COMPONENT)
    rt = runtime.start_bare()
    collect_garbage_rarely()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(rt.stop)
        if port is not None:
            await stack.enter_async_context(probes(host, port))
        await Worker(rt).run(stop)

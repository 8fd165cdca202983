"""``manage.py serve``: the production server."""

from __future__ import annotations

import argparse
import os
import tempfile
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from uvicorn.supervisors.multiprocess import Multiprocess

from realtime.metrics import forget_process
from realtime.server.websocket import MAX_MESSAGE_BYTES

# Requests in progress get this long to finish after SIGTERM. With what comes before and after it the
# process has left within 30 s, the patience of systemd and Kubernetes.
DRAIN_TIMEOUT_S = 20


class Command(BaseCommand):
    help = "Serve HTTP and WebSocket. SIGTERM drains: clients are told to reconnect, requests finish."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
        parser.add_argument(
            "--workers", type=int, default=1, help="server processes (default: 1; more need REDIS_URL)"
        )

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        if workers < 1:
            raise CommandError("--workers must be at least 1.")
        if workers > 1 and not settings.REDIS_URL:
            raise CommandError(
                f"--workers {workers} needs REDIS_URL: without Redis, clients of one process would not "
                "hear what happens in another. Set REDIS_URL (for example redis://127.0.0.1:6379/0) "
                "or use one worker."
            )
        if settings.DEBUG and host not in ("127.0.0.1", "localhost", "::1"):
            self.stderr.write(
                self.style.WARNING(
                    f"DEBUG is on and {host} may be reachable by others: anyone can emit to any channel and "
                    "errors show source code. Set DEBUG=0 and SECRET_KEY for a real installation."
                )
            )
        if workers > 1:
            # Before the workers start: each reads it when it imports the metrics.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="foyer-metrics-"))
        config = uvicorn.Config(
            "config.asgi:application",
            host=host,
            port=port,
            workers=workers,
            http="realtime.server.door:Door",
            ws="realtime.server.websocket:WebSocketProtocol",
            ws_max_size=MAX_MESSAGE_BYTES,
            # Compression costs 30 to 100 kB a connection and most of the fan-out.
            ws_per_message_deflate=False,
            # Each protocol has its own heartbeat, on one timer wheel.
            ws_ping_interval=None,
            ws_ping_timeout=None,
            # Query strings carry tokens; connections are logged by the application, without them.
            access_log=False,
            log_config=None,
            server_header=False,
            forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
            timeout_graceful_shutdown=DRAIN_TIMEOUT_S,
            # A reconnect storm of everyone at once must find room in the queue of the listening socket.
            backlog=4096,
        )
        if workers == 1:
            server = uvicorn.Server(config)
            server.run()
            if not server.started:
                raise CommandError(f"The server could not start on {host}:{port}.")
        else:
            with config.bind_socket() as listening:
                Supervisor(config, sockets=[listening]).run()


class Supervisor(Multiprocess):
    """Keeps the workers running and forgets the gauges of those that end."""

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            if pid is not None:
                forget_process(pid)

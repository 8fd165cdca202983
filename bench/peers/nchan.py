"""Nchan, the publish/subscribe module of nginx, as Debian packages it; one worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Server
from bench.process import BUILD, SERVER_CORE, accepts, family, free_port, running

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
HOME = BUILD / "nchan"

# The buffer is kept at one message for a short time: a listener that is between two messages finds
# the next one there. Without any (length 0) Nchan is not faster.
CONFIG = """
load_module {module};
worker_processes 1;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 19000; multi_accept on; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    nchan_shared_memory_size 512M;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /listen {{ nchan_subscriber websocket; nchan_channel_id bench; }}
        location = /emit {{
            nchan_publisher http; nchan_channel_id bench;
            nchan_message_buffer_length {buffered}; nchan_message_timeout 5s;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nchan:
    name: str = "Nchan"
    buffered: int = 1

    def missing(self) -> str | None:
        if not shutil.which("nginx"):
            return "nginx is not installed"
        return None if MODULE.exists() else "the nginx module Nchan is not installed"

    @contextmanager
    def run(self) -> Iterator[Server]:
        HOME.mkdir(parents=True, exist_ok=True)
        port = free_port()
        config = HOME / "nginx.conf"
        config.write_text(CONFIG.format(module=MODULE, home=HOME, port=port, buffered=self.buffered))
        command = ["nginx", "-c", config, "-p", HOME]
        with running(
            command, ready=lambda: accepts(port), core=SERVER_CORE, log=BUILD / "nchan.log"
        ) as process:
            yield Server(port, "/listen", "/emit", tuple(family(process.pid)))

"""The command that serves: what it refuses, what it warns of, and how it configures the server."""

import contextlib
import os
import tempfile
from typing import Any

import pytest
import uvicorn
from django.core.management import call_command
from django.core.management.base import CommandError
from uvicorn.supervisors.multiprocess import Multiprocess

from realtime.management.commands import serve
from realtime.server.door import Door
from realtime.server.websocket import WebSocketProtocol


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[uvicorn.Config]:
    configs: list[uvicorn.Config] = []

    def run(self: uvicorn.Server) -> None:
        configs.append(self.config)
        self.started = True

    monkeypatch.setattr(uvicorn.Server, "run", run)
    return configs


def test_one_worker_runs_our_protocol_classes_with_sane_limits(started):
    call_command("serve", port=8123)
    (config,) = started
    config.load()
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 8123, 1)
    assert config.http_protocol_class is Door
    assert config.ws_protocol_class is WebSocketProtocol
    assert not config.ws_per_message_deflate
    assert not config.access_log
    assert config.ws_ping_interval is None
    assert config.timeout_graceful_shutdown == serve.DRAIN_TIMEOUT_S < 30


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker(started, workers):
    with pytest.raises(CommandError, match="at least 1"):
        call_command("serve", workers=workers)
    assert not started


def test_several_workers_need_redis(started, settings):
    settings.REDIS_URL = ""
    with pytest.raises(CommandError, match="REDIS_URL"):
        call_command("serve", workers=2)
    assert not started


def test_a_port_that_is_taken_is_an_error(monkeypatch):
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: None)
    with pytest.raises(CommandError, match=r"could not start on 127\.0\.0\.1:8124"):
        call_command("serve", port=8124)


@pytest.mark.parametrize(
    ("debug", "host", "warned"),
    [(True, "0.0.0.0", True), (True, "localhost", False), (False, "0.0.0.0", False)],
)
def test_debug_where_others_may_reach_it_is_warned_of(started, settings, capsys, debug, host, warned):
    settings.DEBUG = debug
    call_command("serve", host=host)
    assert ("DEBUG is on" in capsys.readouterr().err) is warned
    assert started


def test_several_workers_are_supervised_and_share_their_numbers(settings, monkeypatch, tmp_path):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    # A copy: what the command adds to it is gone with it.
    monkeypatch.setattr(os, "environ", {**os.environ})
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    monkeypatch.setattr(uvicorn.Config, "bind_socket", lambda self: contextlib.nullcontext("the socket"))
    ran: list[Any] = []
    monkeypatch.setattr(
        serve.Supervisor, "__init__", lambda self, config, sockets: ran.append((config, sockets))
    )
    monkeypatch.setattr(serve.Supervisor, "run", lambda self: ran.append("run"))
    call_command("serve", workers=2)
    (config, sockets), run = ran
    assert (config.workers, sockets, run) == (2, ["the socket"], "run")
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path)


def test_the_numbers_of_a_worker_that_ended_are_forgotten(monkeypatch):
    class Process:
        def __init__(self, pid: int | None) -> None:
            self.pid = pid

    forgotten: list[int] = []
    monkeypatch.setattr(serve, "forget_process", forgotten.append)
    supervisor = object.__new__(serve.Supervisor)
    supervisor.processes = [Process(1), Process(2), Process(None)]  # type: ignore[list-item]

    def restart(self: Any) -> None:
        self.processes = [Process(1), Process(3)]

    monkeypatch.setattr(Multiprocess, "keep_subprocess_alive", restart)
    supervisor.keep_subprocess_alive()
    assert forgotten == [2]

"""Fixtures: a server whose patience is short."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from realtime.server import door, http, sockets
from tests.realtime.server.apps import App, serving
from tests.realtime.server.play import Play, Stage, staged


@pytest.fixture(params=[False, True], ids=["standard", "driven"])
def app(request: pytest.FixtureRequest) -> App:
    return App(driven=request.param)


@pytest.fixture
async def port(app: App, monkeypatch: pytest.MonkeyPatch, rt: Any) -> AsyncIterator[int]:
    for module in (door, http):
        monkeypatch.setattr(module, "HEADERS_TIMEOUT_S", 0.3)
    monkeypatch.setattr(sockets, "CLOSE_TIMEOUT_S", 0.2)
    async with serving(app) as port:
        yield port


@pytest.fixture(params=[False, True], ids=["standard", "driven"])
async def stage(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, rt: Any
) -> AsyncIterator[Stage]:
    """A server for a `Play`, which the test writes."""
    monkeypatch.setattr(sockets, "CLOSE_TIMEOUT_S", 0.2)
    async with staged(Play(driven=request.param)) as stage:
        yield stage

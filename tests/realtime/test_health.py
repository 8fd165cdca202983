"""Alive and ready are two questions."""

import pytest
from django.db import OperationalError
from django.test import AsyncClient

from realtime import health, runtime


async def test_alive_asks_nobody(async_client: AsyncClient) -> None:
    response = await async_client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
async def test_ready_with_database_and_bus(async_client: AsyncClient) -> None:
    response = await async_client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "bus": "ok"}


async def test_not_ready_without_the_database(async_client: AsyncClient, monkeypatch) -> None:
    def refuse() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(health, "_select_one", refuse)
    response = await async_client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "down", "bus": "ok"}
    assert (await async_client.get("/healthz")).status_code == 200


async def test_a_database_that_does_not_answer_in_time_is_down(monkeypatch) -> None:
    async def never(*_: object) -> None:
        await runtime.current().draining.wait()

    monkeypatch.setattr(health, "in_db_thread", never)
    monkeypatch.setattr(health, "DATABASE_DEADLINE_S", 0.01)
    assert (await health.readiness())["database"] == "down"


@pytest.mark.django_db(transaction=True)
async def test_not_ready_without_the_bus(async_client: AsyncClient, monkeypatch) -> None:
    monkeypatch.setattr(runtime.current().bus, "state", "down")
    response = await async_client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "bus": "down"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_is_read_only(async_client: AsyncClient, path: str) -> None:
    assert (await async_client.post(path)).status_code == 405

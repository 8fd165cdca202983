"""What becomes of messages from Kafka, without a Kafka: storing, readiness, and what the command refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest
from aiokafka.errors import KafkaConnectionError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DataError, OperationalError, ProgrammingError, connection
from django.test import AsyncClient

from notifications.models import DeadLetter, Sent
from notifications.protocol.feed import Feed, decode_feed
from notifications.services import commands
from notifications.services.commands import Receive, commit
from notifications.services.kafka.presence import Badge
from notifications.services.kafka.storing import store
from notifications.services.kafka.worker import MAX_BATCH, SLOW_S, Worker, _Listener
from notifications.services.outbox import Place
from realtime import health
from realtime.runtime import Runtime
from realtime.tasks import end


def message(offset: int, title: str) -> Receive:
    document = {"users": [1], "type": "news", "title": title}
    value = json.dumps({"type": "notification", "document": document}).encode()
    return Receive(Place("wss", 0, offset), value)


def titles() -> list[str]:
    return list(Sent.objects.order_by("offset").values_list("title", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_comes_again_is_known() -> None:
    first, second = message(0, "a"), message(1, "b")
    assert store([first, second]) == ["sent", "sent"]
    assert store([second, message(2, "c")]) == ["known", "sent"]
    assert titles() == ["a", "b", "c"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [DataError("value out of\0range"), RecursionError("too deep")])
def test_one_that_cannot_be_stored_is_buried_alone(fails, error: Exception) -> None:
    fails("poison", error)
    batch = [message(0, "a"), message(1, "poison"), Receive(Place("wss", 0, 2), b""), message(3, "b")]
    assert store(batch) == ["sent", "buried", "buried", "sent"]
    assert titles() == ["a", "b"]
    poison, empty = DeadLetter.objects.order_by("offset")
    assert type(error).__name__ in poison.reason
    assert bytes(poison.value) == batch[1].value
    assert empty.reason == "The text is not valid JSON."
    assert store(batch) == ["known"] * 4


@pytest.mark.django_db(transaction=True)
def test_a_transaction_has_only_so_many_recipients(fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "RECIPIENTS_AT_ONCE", 2)
    fails("poison", DataError("out of range"))
    batch = [message(offset, title) for offset, title in enumerate(["a", "b", "c", "poison", "d"])]
    assert commit(batch) == ["sent", "sent"]
    assert store(batch) == ["known", "known", "sent", "buried", "sent"]
    assert titles() == ["a", "b", "c", "d"]


@pytest.mark.django_db(transaction=True)
def test_messages_are_read_once_and_before_anything_is_locked(fails, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[bool] = []

    def decode(value: bytes) -> Feed:
        locked.append(connection.in_atomic_block)
        if b"bug" in value:
            raise LookupError("a bug in the reading")
        return decode_feed(value)

    monkeypatch.setattr(commands, "decode_feed", decode)
    monkeypatch.setattr(commands, "RECIPIENTS_AT_ONCE", 1)
    fails("poison", DataError("out of range"))
    batch = [message(0, "a"), message(1, "poison"), Receive(Place("wss", 0, 2), b""), message(3, "b")]
    assert store(batch) == ["sent", "buried", "buried", "sent"]
    assert locked == [False] * len(batch)
    assert store([message(4, "bug"), message(5, "c")]) == ["buried", "sent"]
    assert titles() == ["a", "b", "c"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("gone"), ProgrammingError("no such table")])
def test_the_databases_own_trouble_is_no_messages_fault(fails, error: Exception) -> None:
    fails("b", error)
    with pytest.raises(type(error)):
        store([message(0, "a"), message(1, "b")])
    assert titles() == []
    assert not DeadLetter.objects.exists()


# --- readiness ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_readiness_tells_how_its_readers_fare(
    rt: Runtime, async_client: AsyncClient, settings, monkeypatch
) -> None:
    async def ask() -> tuple[int, str | None]:
        response = await async_client.get("/readyz")
        return response.status_code, response.json().get("kafka")

    assert await ask() == (200, None)
    settings.KAFKA_BROKERS = ["127.0.0.1:9092"]
    assert await ask() == (200, "down"), "somebody ought to read it"
    badge = Badge(rt)
    await badge.enter()
    assert await ask() == (200, "down")
    await badge.show("ok")
    assert await ask() == (200, "ok")
    await badge.show("down")
    # Servers can do without; a worker cannot.
    assert await ask() == (200, "down")
    monkeypatch.setattr(health, "_needed", set(health._needed))
    health.need("kafka")
    assert await ask() == (503, "down")
    await badge.leave()
    settings.KAFKA_BROKERS = []
    assert await ask() == (200, None)


# --- the worker, without a broker ---------------------------------------------------------------------------


async def test_an_outage_is_told_once(rt: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(rt)
    for _ in range(3):
        await worker._down(KafkaConnectionError("nobody there"))
    for _ in range(3):
        await worker._up()
    await worker._down(TimeoutError())
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.msg["event"] for record in errors] == ["kafka.down", "kafka.down"]


async def test_partitions_go_to_others_when_what_came_of_them_is_stored() -> None:
    storing = asyncio.Lock()
    listener = _Listener(storing)
    async with storing:
        revoking = asyncio.create_task(listener.on_partitions_revoked(set()))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not revoking.done()
    await revoking
    assert not storing.locked()


class OddConsumer:
    """Has no partitions yet; the library stumbles once over something that is no error of Kafka's."""

    def __init__(self) -> None:
        self.errors: list[Exception] = [RuntimeError("odd")]

    def assignment(self) -> set[object]:
        return set()

    async def topics(self) -> set[str]:
        if self.errors:
            raise self.errors.pop()
        return set()


async def test_an_odd_error_does_not_end_the_asking(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.services.kafka.worker.PROBE_INTERVAL_S", 0)
    worker, consumer, joined = Worker(rt), OddConsumer(), asyncio.Event()
    joined.set()
    probing = asyncio.create_task(worker._probe(consumer, joined))
    async with asyncio.timeout(10):
        while worker._badge.state != "ok":
            assert not probing.done()
            await asyncio.sleep(0)
    assert consumer.errors == []
    await end([probing])


async def test_batches_grow_while_they_are_quick(rt: Runtime) -> None:
    worker = Worker(rt)
    for _ in range(20):
        worker._count([], [], 0.01)
    assert worker._batch_size == MAX_BATCH
    worker._count([], [], SLOW_S + 1)
    assert worker._batch_size == MAX_BATCH // 2


# --- the command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brokers", "redis", "missing"), [([], "redis://x/0", "KAFKA_BROKERS"), (["x:1"], "", "REDIS_URL")]
)
def test_a_worker_says_what_it_needs(settings, brokers: Sequence[str], redis: str, missing: str) -> None:
    settings.KAFKA_BROKERS, settings.REDIS_URL = brokers, redis
    with pytest.raises(CommandError, match=f"needs {missing}"):
        call_command("consume_notifications")

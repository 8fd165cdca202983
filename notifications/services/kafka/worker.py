"""Reading the topic, and storing what is in it. Protocol: docs/protocols/notifications.md.

A batch is stored in one transaction, and its offsets are committed afterwards. Whoever is stopped, killed or
cut off in between is given it again, or another worker is; what is stored already is known by its place in
Kafka. So every message is stored once, however often it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from django.conf import settings

from notifications import metrics
from notifications.services.commands import Receive
from notifications.services.kafka.connection import last_words, new_consumer, subscribe
from notifications.services.kafka.presence import Badge
from notifications.services.kafka.storing import NOT_THE_MESSAGE, store
from notifications.services.outbox import Place
from realtime import runtime
from realtime.db import in_db_thread
from realtime.logs import get_logger
from realtime.tasks import end

log = get_logger(__name__)

Batch = Mapping[TopicPartition, Sequence[ConsumerRecord[Any, bytes | None]]]

# So much later it is noticed that the worker is to stop.
POLL_MS: Final = 500
# Messages in one transaction, which whoever marks or sends something meanwhile has to wait for. Each may
# have thousands of recipients, so it begins with one and doubles while transactions are quick.
MAX_BATCH: Final = 200
QUICK_S: Final = 0.3
SLOW_S: Final = 1.0
# Pauses after what failed: they double up to the last, which is how late the end of an outage is noticed.
FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 8.0
PROBE_INTERVAL_S: Final = 2.0
PROBE_TIMEOUT_S: Final = 3.0
# Others may have to store what they have before one can join.
JOIN_TIMEOUT_S: Final = 30.0
# Committing offsets is a courtesy to whoever is next, and not worth waiting for a broker that is away.
COMMIT_TIMEOUT_S: Final = 5.0
# For what is being stored, when partitions go to others.
REVOKE_TIMEOUT_S: Final = 15.0
# Else the group notices by itself.
LEAVE_TIMEOUT_S: Final = 3.0


class Worker:
    """One member of the group."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._badge = Badge(rt)
        # Held from a batch's arrival until its offsets are committed.
        self._storing = asyncio.Lock()
        self._batch_size = 1
        # What went wrong is said once, until it goes well again.
        self._said_down = False

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set, over any outage; then finish the batch and leave the group."""
        await self._badge.enter()
        pauses = _pauses()
        try:
            while not stop.is_set():
                begun = perf_counter()
                try:
                    await self._session(stop)
                except Exception as error:  # noqa: BLE001 - whatever the library raises: connect anew
                    await self._down(error)
                if perf_counter() - begun > LAST_PAUSE_S:
                    pauses = _pauses()
                await _pause(stop, next(pauses))
        finally:
            metrics.KAFKA_LAG.set(0)
            await self._badge.leave()

    # -- one connection ------------------------------------------------------------------------

    async def _session(self, stop: asyncio.Event) -> None:
        """Connect, and read until something is wrong with the connection or `stop` is set."""
        consumer = new_consumer()
        starting = asyncio.create_task(consumer.start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                await self._read(consumer, stop)
        finally:
            await end([starting, stopping])
            # Not cancelled: it closes everything, even if that takes longer.
            await asyncio.wait([asyncio.create_task(_leave(consumer))], timeout=LEAVE_TIMEOUT_S)

    async def _read(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        listener = _Listener(self._storing)
        subscribe(consumer, listener)
        probing = asyncio.create_task(self._probe(consumer, listener.joined))
        try:
            while not stop.is_set():
                batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._batch_size)
                if batch:
                    async with self._storing:
                        if await self._store(batch, stop):
                            await self._commit(consumer, batch)
        finally:
            await end([probing])

    async def _probe(self, consumer: AIOKafkaConsumer, joined: asyncio.Event) -> None:
        """Find out again and again whether Kafka answers, and how much waits. The library says neither."""
        while True:
            try:
                await asyncio.wait_for(joined.wait(), JOIN_TIMEOUT_S)
                lag = await asyncio.wait_for(_lag(consumer), PROBE_TIMEOUT_S)
            except IllegalStateError:
                pass  # partitions are being dealt anew
            except Exception as error:  # noqa: BLE001 - whatever the library raises: nobody else would say it
                await self._down(error)
            else:
                metrics.KAFKA_LAG.set(lag)
                await self._up()
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def _commit(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        offsets = {partition: records[-1].offset + 1 for partition, records in batch.items()}
        try:
            await asyncio.wait_for(consumer.commit(offsets), COMMIT_TIMEOUT_S)
        except (KafkaError, TimeoutError) as error:
            # The partition has gone to somebody else, or the broker is away: what comes again is known.
            log.info("kafka.offsets_not_committed", error=type(error).__name__)

    # -- the database --------------------------------------------------------------------------

    async def _store(self, batch: Batch, stop: asyncio.Event) -> bool:
        """Store a batch; tried again until it is stored, or `stop` is set."""
        messages = [_message(record) for records in batch.values() for record in records]
        pauses = _pauses()
        failed = False
        while True:
            begun = perf_counter()
            try:
                outcomes = await in_db_thread(store, messages)
            except NOT_THE_MESSAGE as error:
                if not failed:
                    log.warning("kafka.database_away", error=repr(error))
                failed = True
            except Exception:
                # Not even burying it was possible. Skipping it is not either.
                if not failed:
                    log.exception("kafka.not_stored")
                failed = True
            else:
                if failed:
                    log.info("kafka.database_back")
                self._count(messages, outcomes, perf_counter() - begun)
                return True
            if stop.is_set():
                return False
            await _pause(stop, next(pauses))

    def _count(self, messages: Sequence[Receive], outcomes: Sequence[str], took_s: float) -> None:
        metrics.KAFKA_BATCH_SECONDS.observe(took_s)
        for outcome in outcomes:
            metrics.KAFKA_MESSAGES.labels(outcome=outcome).inc()
        buried = [
            message.place for message, outcome in zip(messages, outcomes, strict=True) if outcome == "buried"
        ]
        if buried:
            topic, partition, offset = buried[0]
            log.warning("kafka.buried", count=len(buried), topic=topic, partition=partition, offset=offset)
        if took_s > SLOW_S:
            self._batch_size = max(1, self._batch_size // 2)
        elif took_s < QUICK_S:
            self._batch_size = min(MAX_BATCH, self._batch_size * 2)

    # -- how it fares ----------------------------------------------------------------------------

    async def _up(self) -> None:
        if self._badge.state == "down":
            log.info("kafka.up", brokers=",".join(settings.KAFKA_BROKERS), topic=settings.KAFKA_TOPIC)
        self._said_down = False
        await self._badge.show("ok")

    async def _down(self, error: Exception) -> None:
        if not self._said_down:
            reason = "no answer" if isinstance(error, TimeoutError) else repr(error)
            log.error("kafka.down", error=reason, said=last_words())
        self._said_down = True
        await self._badge.show("down")


class _Listener(ConsumerRebalanceListener):
    """Partitions go to others when what came from them is stored."""

    def __init__(self, storing: asyncio.Lock) -> None:
        self._storing = storing
        self.joined = asyncio.Event()

    async def on_partitions_revoked(self, revoked: object) -> None:
        # A database that is away is not waited for: who gets them then finds out what is stored.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._storing.acquire(), REVOKE_TIMEOUT_S)
            self._storing.release()

    async def on_partitions_assigned(self, assigned: object) -> None:
        self.joined.set()


def _message(record: ConsumerRecord[Any, bytes | None]) -> Receive:
    # A value of null, as compacted topics have them, says as little as an empty one.
    return Receive(Place(record.topic, record.partition, record.offset), record.value or b"")


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close every connection. A broker that is away is told nothing."""
    try:
        await consumer.stop()
    except Exception as error:  # noqa: BLE001 - it is over, one way or the other
        log.info("kafka.not_left", error=repr(error))


async def _lag(consumer: AIOKafkaConsumer) -> int:
    """How many messages wait. Asks the brokers, also while there is no partition to ask for."""
    assigned = consumer.assignment()
    if not assigned:
        await consumer.topics()
        return 0
    ends = await consumer.end_offsets(assigned)
    return sum([max(0, ends[partition] - await consumer.position(partition)) for partition in assigned])


def _pauses() -> Iterator[float]:
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, LAST_PAUSE_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@runtime.on_start
def _read_here(rt: runtime.Runtime) -> None:
    """Without Redis the one server there is reads Kafka itself."""
    if not settings.KAFKA_BROKERS or settings.REDIS_URL:
        return
    reading = rt.spawn(Worker(rt).run(rt.draining))

    async def finish() -> None:
        await asyncio.wait([reading])

    rt.on_stop(finish)

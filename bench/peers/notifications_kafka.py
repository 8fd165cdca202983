"""Kafka as it is measured with, and another service that feeds it: ``notifications_kafka``.

Apache Kafka if it can be had, else the mock cluster of librdkafka, which takes its time: it answers who waits
for messages only when that has waited long enough. Prints its address, and whether it is the mock, then reads
commands, one a line, and answers each with a line of JSON when it is done::

    users ID…                   whom messages are for from now on
    fill TOPIC COUNT            a new topic, and messages for the users in turn, as fast as they go
    pace TOPIC RATE SECONDS     so many a second, each with the time it was due: {"ns":<CLOCK_MONOTONIC>,…}
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from itertools import cycle

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.components import kafka_runnable
from tests.fetching import NotFetchedError
from tests.kafka.mock import PARTITIONS, KafkaMock
from tests.kafka.node import KafkaNode

FLUSH_S = 30
BODY_BYTES = 100


def message(user: str, due_ns: int | None = None) -> bytes:
    """A notification for one user; `due_ns` is what the load generator looks for."""
    data = ({} if due_ns is None else {"ns": due_ns}) | {"pad": ""}
    data["pad"] = "x" * (BODY_BYTES - len(_compact(data)))
    return _compact({"type": "notification", "document": {"users": [user], "type": "bench", "data": data}})


def cluster() -> KafkaNode | KafkaMock:
    """The best there is."""
    try:
        return KafkaNode() if kafka_runnable() else KafkaMock()
    except NotFetchedError:
        return KafkaMock()


def make(address: str, topic: str) -> None:
    """Make a topic. The mock makes what it is asked for."""
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()


def fill(producer: Producer, topic: str, count: int, users: Iterator[str]) -> None:
    for _ in range(count):
        producer.produce(topic, message(next(users)))
        producer.poll(0)


def pace(producer: Producer, topic: str, rate: float, count: int, users: Iterator[str]) -> None:
    """Message i is due at start + i / rate, and says so, whenever it gets away."""
    start_ns = time.monotonic_ns()
    for number in range(count):
        due_ns = start_ns + round(number * 1e9 / rate)
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        producer.produce(topic, message(next(users), due_ns))
        producer.poll(0)


def main() -> None:
    users: Iterator[str] = iter(())
    count = 0
    with cluster() as kafka:
        # Sent at once: how long a service gathers messages is up to that service.
        producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 0})
        is_mock = isinstance(kafka, KafkaMock)
        print(json.dumps({"address": kafka.address, "mock": is_mock}), flush=True)
        for line in sys.stdin:
            match line.split():
                case "users", *ids:
                    users = cycle(ids)
                case "fill", topic, total:
                    count = int(total)
                    if not is_mock:
                        make(kafka.address, topic)
                    fill(producer, topic, count, users)
                case "pace", topic, rate, seconds:
                    count = round(float(rate) * float(seconds))
                    pace(producer, topic, float(rate), count, users)
                case _:
                    print(json.dumps({"error": "unknown command"}), flush=True)
                    continue
            lost = producer.flush(FLUSH_S)
            print(json.dumps({"error": f"{lost} lost"} if lost else {"sent": count}), flush=True)


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


if __name__ == "__main__":
    # Kafka is ended before this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    main()

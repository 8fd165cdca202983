"""The Kafka that tests talk to: the mock, and Apache Kafka itself or what ``KAFKA_BROKERS_TEST`` names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from tests.conftest import require
from tests.fetching import NotFetchedError
from tests.kafka.mock import KafkaMock
from tests.kafka.node import KafkaNode

OTHERS = os.environ.get("KAFKA_BROKERS_TEST", "")
# Of the fixture `kafka`: what is not the mock.
REAL = "others" if OTHERS else pytest.param("node", marks=pytest.mark.kafka)


class Kafka:
    """A cluster. Every test has a topic and a group of its own there."""

    def __init__(self, address: str, *, is_mock: bool = False) -> None:
        self.address = address
        self.is_mock = is_mock
        self._admin = AdminClient({"bootstrap.servers": address})
        self._run = uuid4().hex[:8]
        self._numbers = count(1)

    def env(self, topic: str) -> dict[str, str]:
        """Settings of those who read a topic."""
        return {"KAFKA_BROKERS": self.address, "KAFKA_TOPIC": topic, "KAFKA_GROUP": f"{topic}.readers"}

    def new_name(self) -> str:
        """Of a topic that there is not."""
        return f"foyer-test-{self._run}-{next(self._numbers)}"

    def make_topic(self, name: str, partitions: int = 4) -> None:
        """Make it. The mock makes what it is asked for, with four partitions."""
        if not self.is_mock:
            made = self._admin.create_topics([NewTopic(name, partitions, 1)])
            made[name].result()

    def add_partitions(self, name: str, total: int) -> None:
        """Let a topic have so many. The mock cannot."""
        self._admin.create_partitions([NewPartitions(name, total)])[name].result()

    def topic(self) -> str:
        """A new topic."""
        name = self.new_name()
        self.make_topic(name)
        return name


@pytest.fixture(scope="session")
def kafka_node() -> Iterator[KafkaNode]:
    """Apache Kafka; the test is skipped where it cannot be had."""
    require("kafka")
    try:
        node = KafkaNode()
    except NotFetchedError as error:
        pytest.skip(str(error))
    with node:
        yield node


@pytest.fixture(scope="session", params=["mock", REAL])
def kafka(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """Each kind of Kafka there is."""
    match request.param:
        case "mock":
            with KafkaMock() as mock:
                yield Kafka(mock.address, is_mock=True)
        case "others":
            yield Kafka(OTHERS)
        case _:
            yield Kafka(request.getfixturevalue("kafka_node").address)

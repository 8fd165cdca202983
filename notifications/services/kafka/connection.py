"""Reaching the Kafka cluster of the settings, as a member of the group that reads the topic."""

from __future__ import annotations

import logging
import ssl
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from django.conf import settings

# The partitions of a worker that was killed go to others so much later. Brokers take no less than 6 s.
SESSION_TIMEOUT_MS: Final = 10_000
HEARTBEAT_INTERVAL_MS: Final = 1_000
# How long the others wait for one that is still storing what it has, when partitions are dealt anew.
REBALANCE_TIMEOUT_MS: Final = 20_000
# Joining is one request, and is answered when all have joined.
REQUEST_TIMEOUT_MS: Final = 30_000
# A topic that comes into being, and new partitions, are noticed so much later.
METADATA_MAX_AGE_MS: Final = 5_000
# More than the largest message that says something (`MAX_FEED_BYTES`) with what Kafka puts around it.
FETCH_BYTES: Final = 2 * 1024 * 1024


class _LastWords(logging.Handler):
    """What the library said last. It says the same again and again while there is trouble."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


_last_words = _LastWords(logging.ERROR)
_library = logging.getLogger("aiokafka")
_library.addHandler(_last_words)
_library.propagate = False


def last_words() -> str:
    """What the library said last about what is wrong: more than is in what it raises."""
    return _last_words.text


def new_consumer() -> AIOKafkaConsumer:
    """A consumer that is not started yet, and knows no topic: waiting for one would keep it from starting.

    Raises:
        OSError, ValueError: the settings say what cannot be.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=settings.KAFKA_BROKERS,
        client_id="foyer",
        group_id=settings.KAFKA_GROUP,
        enable_auto_commit=False,
        # A new group begins with what is there, and nothing is skipped that Kafka still has.
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        max_partition_fetch_bytes=FETCH_BYTES,
        **_security(),
    )


def subscribe(consumer: AIOKafkaConsumer, listener: ConsumerRebalanceListener) -> None:
    """Have a started consumer join the group. There need be no topic yet."""
    consumer.subscribe([settings.KAFKA_TOPIC], listener=listener)


def _security() -> dict[str, Any]:
    protocol: str = settings.KAFKA_SECURITY_PROTOCOL
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=settings.KAFKA_CA_FILE or None)
    if protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.KAFKA_SASL_MECHANISM
        options["sasl_plain_username"] = settings.KAFKA_SASL_USERNAME
        options["sasl_plain_password"] = settings.KAFKA_SASL_PASSWORD
    return options

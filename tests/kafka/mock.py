"""Kafka without Kafka: the mock cluster inside librdkafka, which speaks the protocol on real sockets.

It keeps everything in memory. What no other broker can be told to do it can: to be gone, and to be back.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Self

import confluent_kafka

BROKERS = 2
PARTITIONS = 4
_PRODUCER = 0


class KafkaMock:
    """A cluster of this process, on loopback. A topic that is used comes into being with `PARTITIONS`."""

    def __init__(self) -> None:
        self._lib = _library()
        settings = self._lib.rd_kafka_conf_new()
        reason = ctypes.create_string_buffer(512)
        # It complains of having no brokers to talk to, being one.
        self._lib.rd_kafka_conf_set(settings, b"log_level", b"0", reason, len(reason))
        self._handle = self._lib.rd_kafka_new(_PRODUCER, settings, reason, len(reason))
        assert self._handle, reason.value
        self._cluster = self._lib.rd_kafka_mock_cluster_new(self._handle, BROKERS)
        assert self._cluster
        # Real ones wait for other members that may be about to join.
        self._lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.address: str = self._lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def down(self) -> None:
        """Nobody is there any more: connections break, and nobody accepts new ones."""
        for broker in range(1, BROKERS + 1):
            self._lib.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def up(self) -> None:
        """They are there again, with what they had."""
        for broker in range(1, BROKERS + 1):
            self._lib.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def close(self) -> None:
        self._lib.rd_kafka_mock_cluster_destroy(self._cluster)
        self._lib.rd_kafka_destroy(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _library() -> Any:
    """librdkafka, as the Python package brings it along."""
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    lib = ctypes.CDLL(str(next(folder.glob("librdkafka*.so*"))))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for name, result, arguments in (
        ("rd_kafka_conf_new", pointer, []),
        ("rd_kafka_conf_set", number, [pointer, text, text, text, ctypes.c_size_t]),
        ("rd_kafka_new", pointer, [number, pointer, text, ctypes.c_size_t]),
        ("rd_kafka_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
        ("rd_kafka_mock_cluster_destroy", None, [pointer]),
        ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
        ("rd_kafka_mock_group_initial_rebalance_delay_ms", None, [pointer, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_down", number, [pointer, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_up", number, [pointer, ctypes.c_int32]),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib

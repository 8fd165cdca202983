"""What the notifications count besides connections. ``docs/operations.md`` lists it."""

from prometheus_client import Counter, Gauge, Histogram

KAFKA_MESSAGES = Counter(
    "foyer_kafka_messages", "Messages that came from Kafka, by what became of them.", ["outcome"]
)
KAFKA_BATCH_SECONDS = Histogram(
    "foyer_kafka_batch_seconds",
    "Time to store what came from Kafka at once.",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
)
# Each process has partitions of its own.
KAFKA_LAG = Gauge(
    "foyer_kafka_lag", "Messages in this process's partitions that wait.", multiprocess_mode="livesum"
)

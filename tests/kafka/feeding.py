"""What other services send, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Producer

Query = Callable[[str], list[tuple[Any, ...]]]
FLUSH_S = 20


class Feeder:
    """Another service, with one topic. `sent` and `rubbish` are all that it has sent."""

    def __init__(self, address: str, topic: str) -> None:
        self.topic = topic
        self.sent: list[tuple[str, str]] = []
        self.rubbish: list[bytes] = []
        # Sent again by itself, a message would be another one.
        self._settings = {"bootstrap.servers": address, "enable.idempotence": True}
        self._producer = Producer(self._settings)

    def tell(self, *users: str, partition: int | None = None) -> str:
        """Send a notification to these; gives its title, which no other has."""
        title = f"No. {len(self.sent)}"
        document = {"users": users, "type": "news", "title": title}
        self._send({"type": "notification", "document": document}, partition)
        self.sent += [(title, user) for user in users]
        return title

    def update(self, *subscriptions: str, data: Any) -> None:
        """Send news for subscriptions."""
        self._send(
            {"type": "update_subscription", "document": {"subscriptions": subscriptions, "data": data}}
        )

    def babble(self) -> None:
        """Send something that says nothing."""
        value = f"Rubbish {len(self.rubbish)}".encode()
        # The key only spreads them over the partitions.
        self._producer.produce(self.topic, value, key=value)
        self.rubbish.append(value)

    def say_null(self) -> None:
        """Send a tombstone, as compacted topics have them."""
        self._producer.produce(self.topic, None, key=b"key")
        self.rubbish.append(b"")

    def feed(self, number: int, users: Sequence[str]) -> None:
        """Send so many, each tenth of which is rubbish."""
        for turn in range(number):
            if turn % 10:
                self.tell(*users)
            else:
                self.babble()
        self.flush()

    def begin_anew(self, compression: str = "none") -> None:
        """Connect again: partitions that were added are known then."""
        self.flush()
        self._producer = Producer({**self._settings, "compression.type": compression})

    def flush(self) -> None:
        """Return when Kafka has everything."""
        assert self._producer.flush(FLUSH_S) == 0, "Kafka took not everything"

    def _send(self, value: object, partition: int | None = None) -> None:
        text = json.dumps(value).encode()
        where = {} if partition is None else {"partition": partition}
        self._producer.produce(self.topic, text, key=text, **where)

    # -- what became of it ---------------------------------------------------------------------

    def is_stored(self, query: Query) -> bool:
        """Whether everything is: it may be more than once."""
        return self.waiting(query) <= 0

    def waiting(self, query: Query) -> int:
        """How many rows are missing."""
        return len(self.sent) + len(self.rubbish) - self.stored(query)

    def stored(self, query: Query) -> int:
        """How many rows there are of it."""
        ((told, dead),) = query(
            "select (select coalesce(sum(recipient_count), 0) from notifications_sent "
            f"where topic = '{self.topic}' and kind = 'notification'), "
            f"(select count(*) from notifications_deadletter where topic = '{self.topic}')"
        )
        return int(told + dead)

    def assert_stored_once(self, query: Query) -> None:
        """What says something is there once for each of its users, what does not is one dead letter."""
        assert sorted(self._told(query)) == sorted(self.sent)
        assert sorted(self._dead(query)) == sorted(self.rubbish)

    def _told(self, query: Query) -> list[tuple[Any, ...]]:
        return query(
            "select s.title, n.user_id from notifications_notification n "
            f"join notifications_sent s on s.id = n.sent_id where s.topic = '{self.topic}'"
        )

    def _dead(self, query: Query) -> list[bytes]:
        rows = query(f"select value from notifications_deadletter where topic = '{self.topic}'")
        return [bytes(value) for (value,) in rows]

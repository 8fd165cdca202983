"""What the notifications are measured with says what it is meant to."""

import pytest

from bench.figures.notifications import BATCH
from bench.peers.notifications_kafka import BODY_BYTES, message
from notifications.protocol.feed import NewNotification, decode_feed
from notifications.services.kafka.worker import MAX_BATCH
from realtime.wire import encode_json


@pytest.mark.parametrize("due_ns", [None, 12345])
def test_a_message_is_a_notification_with_its_stamp(due_ns: int | None) -> None:
    feed = decode_feed(message("7", due_ns))
    assert isinstance(feed, NewNotification)
    assert feed.user_ids == ["7"]
    assert feed.data.get("ns") == due_ns
    assert len(encode_json(feed.data)) == BODY_BYTES


def test_the_batch_that_is_written_in_tables_is_the_readers() -> None:
    assert BATCH == MAX_BATCH

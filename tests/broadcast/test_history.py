"""What is written to a channel's history: numbers, IDs, forgetting, and what it costs."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from broadcast.models import Event, Stream
from broadcast.rules import Policy
from broadcast.services import history
from broadcast.services.history import NewEvent, commit_events, forget_old_events

pytestmark = pytest.mark.django_db


def keep(*channels: str) -> list[history.Numbered]:
    return commit_events(
        [NewEvent(channel, b'"%s %d"' % (channel.encode(), n)) for n, channel in enumerate(channels)]
    )


def test_numbers_are_dense_and_in_order_within_each_channel():
    first = keep("a", "b", "a")
    second = keep("b", "a")
    assert [number.seq for number in first] == [1, 1, 2]
    assert [number.seq for number in second] == [2, 3]
    rows = [(row.channel, row.seq, row.payload) for row in Event.objects.all()]
    assert rows == [
        ("a", 1, '"a 0"'),
        ("a", 2, '"a 2"'),
        ("a", 3, '"a 1"'),
        ("b", 1, '"b 1"'),
        ("b", 2, '"b 0"'),
    ]
    assert dict(Stream.objects.values_list("channel", "last_seq")) == {"a": 3, "b": 2}


def test_the_queries_do_not_grow_with_the_batch(django_assert_num_queries):
    keep("a", "b")
    # Begin and end of the transaction; IDs and insert; update and read for each channel.
    with django_assert_num_queries(2 + 2 + 2):
        keep("a")
    with django_assert_num_queries(2 + 2 + 2 * 2):
        keep(*["a", "b"] * 20)


def test_an_id_that_the_channel_has_becomes_longer(monkeypatch):
    lengths: list[int] = []

    def same(length: int = 8) -> str:
        lengths.append(length)
        return "evt_same" if length == 8 else f"evt_longer_{len(lengths)}"

    monkeypatch.setattr(history, "new_event_id", same)
    first = keep("a", "b", "a")
    second = keep("a")
    assert [first[0].event_id, first[1].event_id] == ["evt_same", "evt_same"]
    assert first[2].event_id.startswith("evt_longer")
    assert second[0].event_id.startswith("evt_longer")
    assert second[0].event_id != first[2].event_id


def test_a_batch_that_fails_uses_no_numbers(monkeypatch):
    keep("a")
    with monkeypatch.context() as patch:
        patch.setattr(history, "_replace_used_ids", lambda rows, numbered: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            keep("a", "b")
    assert [number.seq for number in keep("a", "b")] == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_neither_meet_nor_leave_holes():
    """Two processes on one database: here two threads, with the channels in opposite order."""

    def write(channels: list[str]) -> None:
        for _ in range(10):
            keep(*channels)
        connections.close_all()

    threads = [threading.Thread(target=write, args=(names,)) for names in (["a", "b"], ["b", "a"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for channel in "ab":
        seqs = list(Event.objects.filter(channel=channel).values_list("seq", flat=True))
        assert seqs == list(range(1, 21))


def test_forgetting_by_size_and_by_age(django_assert_num_queries):
    keep(*["few"] * 5, *["old"] * 3, *["none"] * 2, *["all"] * 2)
    long_ago = timezone.now() - timedelta(hours=2)
    Event.objects.filter(channel="old", seq__lte=2).update(created_at=long_ago)
    Event.objects.filter(channel="all").update(created_at=long_ago)
    policies = {
        "few": Policy("open", "open", 2, 0),
        "old": Policy("open", "open", 100, 3600),
        "all": Policy("open", "open", 100, 0),
    }
    with django_assert_num_queries(1 + 4):
        assert forget_old_events(policies) == 3 + 2 + 2
    left = [(row.channel, row.seq) for row in Event.objects.all()]
    assert left == [("all", 1), ("all", 2), ("few", 4), ("few", 5), ("old", 3)]
    assert forget_old_events(policies) == 0
    assert forget_old_events({"*": Policy("open", "open", 1, 0)}) == 2
    assert keep("few")[0].seq == 6

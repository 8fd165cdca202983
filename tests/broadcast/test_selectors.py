"""Reads: what each returns and how many queries it takes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from broadcast import selectors
from broadcast.models import ChannelPolicy, Event
from broadcast.rules import Policy
from broadcast.services.history import NewEvent, commit_events

pytestmark = pytest.mark.django_db
KEEP = Policy("open", "open", 100, 0)


@pytest.fixture
def ids() -> list[str]:
    return [number.event_id for number in commit_events([NewEvent("a", b"%d" % n) for n in range(1, 6)])]


def payloads(events: list[selectors.KeptEvent]) -> list[bytes]:
    return [event.payload for event in events]


def test_policies_and_numbers(ids, django_assert_num_queries):
    ChannelPolicy.objects.create(channel="a", emit="open", listen="closed", history_size=3, history_age_s=7)
    with django_assert_num_queries(1):
        assert selectors.list_policies() == {"a": Policy("open", "closed", 3, 7)}
    with django_assert_num_queries(1):
        assert selectors.get_last_seqs(["a", "b"]) == {"a": 5}


def test_after_a_number(ids, django_assert_num_queries):
    with django_assert_num_queries(1):
        events = selectors.list_after("a", 2, limit=2)
    assert [(event.seq, event.payload, event.event_id) for event in events] == [
        (3, b"3", ids[2]),
        (4, b"4", ids[3]),
    ]
    assert selectors.list_after("a", 5, limit=2) == []


def test_history_is_the_latest_oldest_first(ids, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert payloads(selectors.list_history("a", KEEP, limit=3)) == [b"3", b"4", b"5"]
    with django_assert_num_queries(1):
        assert payloads(selectors.list_history("a", KEEP, limit=9, until_seq=2)) == [b"1", b"2"]
    assert payloads(selectors.list_history("a", Policy("", "", 2, 0), limit=9)) == [b"4", b"5"]
    assert selectors.list_history("never", KEEP, limit=9) == []
    Event.objects.filter(seq__lte=3).update(created_at=timezone.now() - timedelta(seconds=90))
    assert payloads(selectors.list_history("a", Policy("", "", 9, 60), limit=9)) == [b"4", b"5"]


def test_a_replay_is_bounded_in_bytes_from_the_latest_backwards(ids, monkeypatch):
    monkeypatch.setattr(selectors, "MAX_REPLAY_BYTES", 3)
    replay = selectors.get_replay("a", KEEP, since=ids[0])
    assert (payloads(replay.events), replay.gap) == ([b"3", b"4", b"5"], True)
    assert not selectors.get_replay("a", KEEP, since=ids[1]).gap


@pytest.mark.parametrize(
    ("since", "until_seq", "expected", "gap"),
    [
        (1, None, [b"2", b"3", b"4", b"5"], False),
        (1, 3, [b"2", b"3"], False),
        (5, None, [], False),
        (5, 3, [], False),  # ahead of the place
        (None, None, [b"1", b"2", b"3", b"4", b"5"], True),
    ],
)
def test_replays(ids, since, until_seq, expected, gap, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        replay = selectors.get_replay(
            "a", KEEP, since=ids[since - 1] if since else "evt_unknown", until_seq=until_seq
        )
    assert (payloads(replay.events), replay.gap) == (expected, gap)


def test_a_hole_is_a_gap(ids):
    Event.objects.filter(seq=2).delete()
    assert selectors.get_replay("a", KEEP, since=ids[0]).gap
    assert not selectors.get_replay("a", KEEP, since=ids[2]).gap
    Event.objects.filter(seq__gte=3).delete()
    replay = selectors.get_replay("a", KEEP, since=ids[0])
    assert (replay.events, replay.gap) == ([], True)


@pytest.mark.parametrize("since", ["", "\0", "nonsense", "evt_", "evt_" + "x" * 99, "evt_\ud800", "é"])
def test_what_can_be_no_id_is_not_asked_for(ids, since, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert selectors.get_replay("a", KEEP, since=since).gap


def test_ids_in_use(ids, django_assert_num_queries):
    with django_assert_num_queries(1):
        used = selectors.list_ids_in_use([("a", ids[0]), ("b", ids[0]), ("a", "evt_free")])
    assert used == {("a", ids[0])}

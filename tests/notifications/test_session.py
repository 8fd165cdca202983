"""Which requests of a connection may run at the same time."""

import random

import pytest

from notifications.protocol.codec import BadRequest
from notifications.protocol.messages import MAX_IN_FLIGHT, Request
from notifications.protocol.session import AUTHENTICATION, Session


def request(rid: int, command: str = "list") -> Request:
    return Request(rid, command, {})


def test_requests_run_at_the_same_time() -> None:
    session = Session()
    assert session.begin(request(1)) == [request(1)]
    assert session.begin(request(2)) == [request(2)]
    assert session.end(request(1)) == []
    assert session.begin(request(1)) == [request(1)], "the rid is free again"


def test_a_rid_is_used_once_at_a_time_and_not_too_many() -> None:
    session = Session()
    session.begin(request(1, AUTHENTICATION))
    session.begin(request(2))
    for taken in (1, 2):
        with pytest.raises(BadRequest) as refused:
            session.begin(request(taken))
        assert (refused.value.slug, refused.value.rid) == ("rid-in-use", taken)
    for rid in range(3, MAX_IN_FLIGHT + 1):
        session.begin(request(rid))
    with pytest.raises(BadRequest) as refused:
        session.begin(request(1_000))
    assert (refused.value.slug, refused.value.rid, refused.value.command) == ("too-many", 1_000, "list")
    assert len(session.end(request(1, AUTHENTICATION))) == MAX_IN_FLIGHT - 1


@pytest.mark.parametrize("seed", range(50))
def test_each_runs_as_the_user_it_was_sent_as(seed: int) -> None:
    """Whatever the timing: an authentication runs alone, and nobody passes it in either direction."""
    dice = random.Random(seed)
    sent = [request(rid, dice.choice([AUTHENTICATION, "list", "count"])) for rid in range(1, 41)]
    session, running, done, coming = Session(), [], [], list(sent)
    while coming or running:
        if coming and (not running or dice.random() < 0.6):
            started = session.begin(coming.pop(0))
        else:
            done.append(running.pop(dice.randrange(len(running))))
            started = session.end(done[-1])
        running += started
        if any(one.command == AUTHENTICATION for one in running):
            assert len(running) == 1
    assert sorted(one.rid for one in done) == [one.rid for one in sent], "every request was answered"
    for barrier in (one for one in sent if one.command == AUTHENTICATION):
        before = {one.rid for one in done[: done.index(barrier)]}
        assert before == {one.rid for one in sent[: sent.index(barrier)]}

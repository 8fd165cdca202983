"""The state of one connection, as a pure machine: the clock is the test's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.messages import Heartbeat, HeartbeatAck, Hello, Identify
from gateway.protocol.session import Action, Authenticate, Close, Send, Session, State

INTERVAL_MS = 45_000
LOGIN = Identify("token")


@pytest.fixture
def session() -> Session:
    return Session(INTERVAL_MS)


def code(actions: list[Action]) -> int:
    (close,) = actions
    assert isinstance(close, Close)
    assert close.reason
    return int(close.code)


def test_it_begins_with_hello_and_who_identifies_is_ready(session: Session) -> None:
    assert session.open() == [Send(Hello(INTERVAL_MS))]
    assert session.receive(LOGIN, 0) == [Authenticate(LOGIN)]
    assert session.state is State.IDENTIFYING
    session.identified()
    assert session.state is State.READY


@pytest.mark.parametrize("ready", [False, True])
def test_a_second_identify_is_malformed(session: Session, ready: bool) -> None:
    session.receive(LOGIN, 0)
    if ready:
        session.identified()
    assert code(session.receive(LOGIN, 0)) == 4001


def test_a_token_that_is_not_good_closes(session: Session) -> None:
    session.receive(LOGIN, 0)
    assert code(session.not_identified("no")) == 4003
    session.identified()
    assert session.state is State.CLOSED


def test_who_does_not_identify_in_time_is_closed_and_who_is_at_it_is_not(session: Session) -> None:
    assert code(session.identify_timeout()) == 4003
    other = Session(INTERVAL_MS)
    other.receive(LOGIN, 0)
    assert other.identify_timeout() == []


@pytest.mark.parametrize("state", [State.GREETED, State.IDENTIFYING, State.READY])
def test_a_clients_heartbeat_is_answered_in_every_state(session: Session, state: State) -> None:
    session.state = state
    assert session.receive(Heartbeat(123), 0) == [Send(HeartbeatAck(123))]


def test_a_heartbeat_of_ours_must_be_answered_before_the_next(session: Session) -> None:
    assert session.beat(1_000) == [Send(Heartbeat(1_000))]
    assert session.receive(HeartbeatAck(1_000), 1_040) == []
    assert session.latency_ms == 40
    assert session.beat(46_000) == [Send(Heartbeat(46_000))]
    assert code(session.beat(91_000)) == 4002


def test_an_answer_with_another_time_is_none(session: Session) -> None:
    session.beat(1_000)
    assert session.receive(HeartbeatAck(999), 1_040) == []
    assert session.latency_ms is None
    assert code(session.beat(46_000)) == 4002


def test_an_answer_to_nothing_is_ignored(session: Session) -> None:
    assert session.receive(HeartbeatAck(5), 10) == []
    assert session.latency_ms is None


FRAMES = st.one_of(
    st.builds(Heartbeat, st.integers()),
    st.builds(HeartbeatAck, st.integers()),
    st.builds(Identify, st.text()),
)
STEPS = st.one_of(FRAMES, st.sampled_from(["beat", "timeout", "identified", "refused", "malformed"]))


@given(st.lists(STEPS))
def test_nothing_is_done_after_a_close_and_there_is_one_at_most(steps: list[object]) -> None:
    session, now_ms, closed = Session(INTERVAL_MS), 0, 0
    for step in steps:
        now_ms += 100
        match step:
            case "beat":
                actions = session.beat(now_ms)
            case "timeout":
                actions = session.identify_timeout()
            case "identified":
                session.identified()
                continue
            case "refused":
                actions = session.not_identified("no")
            case "malformed":
                actions = session.malformed("no")
            case _:
                actions = session.receive(step, now_ms)  # type: ignore[arg-type]
        assert not (closed and actions), "it was closed"
        closed += sum(isinstance(action, Close) for action in actions)
        assert (session.state is State.CLOSED) == bool(closed)

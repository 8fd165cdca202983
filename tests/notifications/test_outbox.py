"""What one transaction sends: how much at most, and what becomes of those that come after it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, OperationalError

from notifications.models import Notification, Sent, Source, Template
from notifications.services import commands, outbox
from notifications.services.commands import Send, commit, commit_all
from realtime.errors import Refused
from tests.notifications.clients import feed

pytestmark = pytest.mark.django_db(transaction=True)


def to_two(title: str) -> Send:
    return Send(feed(users=["1", "2"], type="news", title=title), Source.HTTP, "test")


def test_a_transaction_is_full_with_so_many_recipients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "RECIPIENTS_AT_ONCE", 3)
    assert len(commit([to_two(title) for title in "abc"])) == 2
    assert [sent.title for sent in commit_all([to_two(title) for title in "defgh"])] == list("defgh")
    assert Notification.objects.count() == 2 * 7


@pytest.mark.parametrize(
    ("error", "outcomes"),
    [
        (DataError("out of range"), [Sent, Sent, DataError, Sent]),
        (OperationalError("gone"), [Sent, Sent, OperationalError, OperationalError]),
    ],
)
def test_what_fails_after_the_first_transaction_undoes_nothing_of_it(
    fails: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, outcomes: list[type]
) -> None:
    monkeypatch.setattr(commands, "RECIPIENTS_AT_ONCE", 3)
    fails("c", error)
    assert [type(outcome) for outcome in commit_all([to_two(title) for title in "abcd"])] == outcomes
    assert Sent.objects.count() == outcomes.count(Sent)


def test_what_fails_in_the_first_transaction_has_done_nothing(fails: Any) -> None:
    fails("b", DataError("out of range"))
    with pytest.raises(DataError):
        commit_all([to_two(title) for title in "ab"])
    assert not Sent.objects.exists()


def test_a_text_that_would_be_too_long_is_not_even_made(monkeypatch: pytest.MonkeyPatch) -> None:
    Template.objects.create(name="many", type="news", data=["{a}" * 1_000] * 10)
    document = {"users": ["1"], "template": "many", "values": {"a": "x" * 4_000}}
    made: list[object] = []
    monkeypatch.setattr(outbox, "filled", lambda *arguments: made.append(arguments))
    (outcome,) = commit([Send(feed(**document), Source.HTTP, "test")])
    assert isinstance(outcome, Refused)
    assert (outcome.code, made) == ("TOO_LONG", [])

"""The HTTP API: sending, what was sent, dead letters and templates, and what is said of what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.api import views
from notifications.models import DeadLetter, Notification, Sent, Source, Template
from notifications.rules import Status
from notifications.selectors.notifications import count_items
from notifications.services.commands import Mark, Send, commit, commit_one
from notifications.services.dead_letters import Retry
from realtime.db import unavailable
from realtime.errors import Refused
from realtime.runtime import Runtime
from tests.notifications.clients import feed, send, somebody, update
from tests.notifications.letters import bury
from tests.notifications.programs import TEMPLATE, Program

pytestmark = pytest.mark.django_db

HELLO = {"type": "notification", "document": {"users": ["7", 8], "type": "news", "title": "Hello"}}


@pytest.fixture
def manager() -> Program:
    return Program("notifications:manage", name="manager")


# --- Sending ----------------------------------------------------------------------------------------------


async def test_sending(transactional_db: None, rt: Runtime) -> None:
    """What is sent is committed by the event loop's writer, so this runs beside one, as in a server."""
    for story in (_what_is_sent_is_with_them, _a_key_sends_once, _what_is_wrong_is_said):
        await sync_to_async(_tell)(story)


def _tell(story: Callable[[Program], None]) -> None:
    story(Program("notifications:send", name=story.__name__[1:]))


def _what_is_sent_is_with_them(shop: Program) -> None:
    ann, ben = somebody("ann"), somebody("ben")
    Group.objects.create(name="night shift").user_set.set([ann.user, ben.user])
    document = {"users": [ann.pk, "7"], "groups": ["night shift"], "type": "news", "data": {"order": 5}}
    status, said = shop.ask("POST", body={"type": "notification", "document": document})
    sent = Sent.objects.get()
    assert (status, said) == (201, {"success": True, "id": sent.pk, "recipients": 3})
    assert (sent.source, sent.actor, sent.data) == ("http", f"API key {shop.name}", '{"order":5}')
    told = Notification.objects.order_by("id").values_list("user_id", flat=True)
    assert list(told) == [str(ann.pk), "7", str(ben.pk)]
    update = {
        "type": "update_subscription",
        "document": {"subscriptions": ["a"], "options": {"reload": True}},
    }
    assert shop.ask("POST", body=update)[1]["recipients"] == 0
    assert Sent.objects.get(kind="update_subscription").reload


def _a_key_sends_once(shop: Program) -> None:
    key = {"Idempotency-Key": "order-5"}
    first = shop.ask("POST", body=HELLO, **key)
    again = dict(reversed(HELLO.items()))
    assert shop.ask("POST", body=again, **key) == first
    status, said = shop.ask("POST", body={**HELLO, "document": {"users": [7], "type": "x"}}, **key)
    assert (status, said["code"]) == (409, "KEY_REUSED")
    assert count_items("7", ["news"], "unseen") == 2, "of this story and the one before"
    other = Program("notifications:send", name="another")
    assert other.ask("POST", body=HELLO, **key)[1]["id"] != first[1]["id"], "the key is its sender's"
    for bad in ("", "x" * 129, "a b"):
        status, said = shop.ask("POST", body=HELLO, **{"Idempotency-Key": bad})
        assert (status, list(said["fields"])) == (400, ["Idempotency-Key"])


def _what_is_wrong_is_said(shop: Program) -> None:
    before = Sent.objects.count()
    for body, path in (
        ([], None),
        ({"type": "notification"}, "document"),
        ({**HELLO, "type": "other"}, "type"),
        ({**HELLO, "document": {"type": "news"}}, "document"),
        ({**HELLO, "document": {"users": ["7"], "type": "x", "title": 5}}, "document.title"),
        ({**HELLO, "document": {"users": ["7", ""], "type": "x"}}, "document.users[1]"),
    ):
        status, said = shop.ask("POST", body=body)
        assert (status, list(said.get("fields", [None]))) == (400, [path]), said
    Template.objects.create(name="handover", **TEMPLATE)
    for document, code in (
        ({"groups": ["nobody"], "type": "x"}, "UNKNOWN_GROUP"),
        ({"users": ["7"], "template": "nothing"}, "UNKNOWN_TEMPLATE"),
        ({"users": ["7"], "template": "handover", "values": {"from": "Ann"}}, "MISSING_VALUE"),
        ({"users": ["7"], "template": "handover", "values": {"from": "x" * 200, "rooms": 1}}, "TOO_LONG"),
        ({"users": ["7"], "template": "handover", "values": {"from": "", "rooms": "x" * 4_000}}, "TOO_LONG"),
    ):
        status, said = shop.ask("POST", body={"type": "notification", "document": document})
        assert (status, said["code"]) == (409, code)
    assert Sent.objects.count() == before


def test_the_same_key_twice_at_the_same_moment_sends_once() -> None:
    twice = [Send(feed(users=["7"], type="news"), Source.HTTP, "shop", key="shop: 1") for _ in range(2)]
    first, second = commit(twice)
    assert first.pk == second.pk
    assert Notification.objects.count() == 1


def test_whoever_cannot_know_whether_it_was_sent_may_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_command: object) -> None:
        raise unavailable()

    monkeypatch.setattr(views, "do_with_others", fail)
    assert Program("notifications:send").ask("POST", body=HELLO)[0] == 503


# --- What was sent ----------------------------------------------------------------------------------------


def test_what_was_sent_is_listed_in_pages_and_by_kind(manager: Program) -> None:
    for kind in ("news", "offer", "news"):
        send(feed(users=["7", "8"], type=kind, title=kind))
    commit_one(Send(update("a", data=[1]), Source.ADMIN, "boss"))
    offer, *_ = Sent.objects.filter(type="offer")

    def listed(query: str) -> list[str]:
        return [f"{one['source']} {one['type']}".strip() for one in manager.get(f"sent?{query}")]

    assert listed("") == ["admin", "http news", "http offer", "http news"]
    assert listed("limit=2") == ["admin", "http news"]
    assert listed(f"before={offer.pk}") == ["http news"]
    assert listed("type=news&limit=1") == ["http news"]
    assert listed("source=admin") == ["admin"]
    for wrong in ("source=x", "source=", "limit=0", "limit=201", "before=x", "type=" + "x" * 65, "type=%00"):
        assert manager.ask("GET", f"sent?{wrong}")[0] == 400, wrong
    with CaptureQueriesContext(connection) as queries:
        manager.get("sent")
    assert len(queries) == 1


def test_one_that_was_sent_says_how_far_its_recipients_got(manager: Program) -> None:
    send(feed(users=["7", "8", "9", "10"], type="news", title="Hello", data={"a": [1.5]}))
    for user, status in (("7", Status.READ), ("8", Status.UNREAD), ("9", Status.UNREAD)):
        commit_one(Mark(user, status, ""))
    sent = Sent.objects.get()
    said = manager.get(f"sent/{sent.pk}")
    assert said["statuses"] == {"unseen": 1, "unread": 2, "read": 1}
    assert (said["data"], said["recipients"], said["kafka"]) == ({"a": [1.5]}, 4, None)
    for nothing in ("5000", "9" * 30):
        assert manager.ask("GET", f"sent/{nothing}")[0] == 404


# --- Dead letters -----------------------------------------------------------------------------------------


def test_a_dead_letter_is_sent_after_all_and_once(manager: Program) -> None:
    letter = bury({"groups": ["night shift"], "type": "news", "users": ["7"]})
    status, said = manager.ask("POST", f"dead-letters/{letter.pk}/retry")
    assert (status, said["code"]) == (409, "UNKNOWN_GROUP")
    letter.refresh_from_db()
    assert letter.resolved_at is None
    Group.objects.create(name="night shift")
    status, said = manager.ask("POST", f"dead-letters/{letter.pk}/retry")
    sent = Sent.objects.get()
    assert (status, said) == (201, {"success": True, "id": sent.pk, "recipients": 1})
    assert (sent.source, sent.topic, sent.offset) == ("kafka", "wss", letter.offset)
    for command in ("retry", "discard"):
        status, said = manager.ask("POST", f"dead-letters/{letter.pk}/{command}")
        assert (status, said["code"]) == (409, "ALREADY_RESOLVED")
    assert manager.ask("POST", "dead-letters/5000/retry")[0] == 404
    assert Notification.objects.count() == 1


def test_one_that_is_still_wrong_stays_and_may_be_discarded(manager: Program) -> None:
    broken, other = bury(b"\xff{"), bury({"type": "news"})
    status, said = manager.ask("POST", f"dead-letters/{other.pk}/retry")
    assert (status, said["code"]) == (409, "STILL_WRONG")
    assert said["error"].startswith("document: Nobody to tell")
    assert manager.ask("POST", f"dead-letters/{broken.pk}/discard")[0] == 200

    def listed(query: str) -> list[int]:
        return [one["id"] for one in manager.get(f"dead-letters?{query}")]

    assert listed("") == [other.pk, broken.pk]
    assert listed("resolved=false") == [other.pk]
    assert listed("resolved=true&limit=1") == [broken.pk]
    assert listed(f"before={other.pk}") == [broken.pk]
    (said,) = manager.get("dead-letters?resolved=true")
    assert said["resolution"] == "Discarded by API key manager."
    assert said["kafka"] == {"topic": "wss", "partition": 0, "offset": broken.offset}
    assert not Sent.objects.exists()


def test_retried_twice_at_the_same_moment_it_is_sent_once() -> None:
    letter = bury({"users": ["7"], "template": "late"})
    Template.objects.create(name="late", type="news")
    first, second = commit([Retry(letter.pk, "ann"), Retry(letter.pk, "ben")])
    assert isinstance(second, Refused)
    assert (Sent.objects.get(), Notification.objects.count()) == (first, 1)
    assert DeadLetter.objects.get().resolution == "Sent by ann."


# --- Templates --------------------------------------------------------------------------------------------


def test_templates_are_made_replaced_and_deleted(manager: Program) -> None:
    status, said = manager.ask("PUT", "templates/handover", TEMPLATE)
    assert (status, said["template"]["names"]) == (201, ["from", "rooms"])
    status, said = manager.ask("PUT", "templates/handover", {"type": "news", "body": "{name}"})
    assert (status, said["template"]) == (200, manager.get("templates/handover"))
    assert said["template"] == {
        "name": "handover",
        "type": "news",
        "title": "",
        "body": "{name}",
        "data": None,
        "names": ["name"],
    }
    manager.ask("PUT", "templates/aa", TEMPLATE)
    assert [one["name"] for one in manager.get("templates")] == ["aa", "handover"]
    assert [one["name"] for one in manager.get("templates?after=aa")] == ["handover"]
    assert manager.ask("DELETE", "templates/aa")[0] == 200
    for method in ("GET", "DELETE"):
        assert manager.ask(method, "templates/aa")[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "To { name }"}, "title"),
        ({"body": "{0}"}, "body"),
        ({"data": {"a": ["{}"]}}, "data"),
        ({"data": ["\x00"]}, "data"),
        ({"data": "x" * 32 * 1024}, "data"),
        ({"type": ""}, "type"),
        ({"type": 5}, "type"),
        ({"title": "x" * 201}, "title"),
        ({"titel": "x"}, "titel"),
    ],
    ids=str,
)
def test_what_is_no_template(manager: Program, change: Mapping[str, Any], field: str) -> None:
    status, said = manager.ask("PUT", "templates/handover", {**TEMPLATE, **change})
    assert (status, list(said["fields"])) == (400, [field])
    assert not Template.objects.exists()
    fine = {"type": "x", "title": "{", "body": "} and {name}", "data": "\\u0000"}
    assert manager.ask("PUT", "templates/handover", fine)[0] == 201

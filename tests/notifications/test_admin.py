"""The notifications' admin: what was sent, whose it is, dead letters, templates and commands."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.test import Client

from notifications.admin.dead_letters import MAX_SHOWN_BYTES
from notifications.models import BackendCommand, DeadLetter, Notification, Sent, Template
from notifications.rules import Status
from notifications.selectors import sent as selectors
from notifications.services.commands import Mark, commit_one
from realtime.admin_lists import BoundedPaginator
from realtime.errors import Refused
from tests.notifications.admin_pages import COMMANDS, DEAD, OF_USERS, SENT, TEMPLATES
from tests.notifications.clients import feed, send, somebody
from tests.notifications.letters import bury
from tests.realtime.admin_pages import count_queries, page_of

pytestmark = pytest.mark.django_db


def listed(client: Client, path: str, **query: object) -> list[int]:
    """The ids of the rows in a list."""
    page = page_of(client.get(path, query))
    return list(dict.fromkeys(map(int, re.findall(rf'href="{path}(\d+)/change/', page))))


def test_no_page_costs_more_queries_for_more_rows(admin_client: Client) -> None:
    ann = somebody("ann")
    Template.objects.create(name="welcome", type="x", title="{name}")
    send(feed(users=[ann.pk], type="news", title="First"))
    letter = bury({"users": ["7"], "template": "late"})
    first = Sent.objects.get()
    pages = [
        *(SENT, SENT + "?q=f", f"{SENT}{first.pk}/change/"),
        *(f"{OF_USERS}?user=an", f"{OF_USERS}{Notification.objects.get().pk}/change/"),
        *(DEAD, f"{DEAD}{letter.pk}/change/"),
        *(TEMPLATES, f"{TEMPLATES}{Template.objects.get().pk}/change/", COMMANDS),
    ]
    for path in pages:
        admin_client.get(path)  # what is looked up once for each process
    few = {path: count_queries(admin_client, path) for path in pages}
    others = [somebody(f"anton{number}") for number in range(5)]
    for other in others:
        send(feed(users=[ann.pk, *(other.pk for other in others)], type="news", title=f"f {other.pk}"))
        bury({"users": ["7"], "template": "late"})
        Template.objects.create(name=f"t{other.pk}", type="x")
        BackendCommand.objects.create(name=f"c{other.pk}", url="https://example.org/")
    assert {path: count_queries(admin_client, path) for path in pages} == few
    assert max(few.values()) <= 16


# --- Sent -------------------------------------------------------------------------------------------------


def test_what_was_sent_is_found_and_says_how_far_it_got(admin_client: Client) -> None:
    ann = somebody("ann")
    send(feed(users=[ann.pk, "7", "8"], type="news", title="Hello <i>", data={"order": [5]}))
    send(feed(users=["7"], type="offer", body="hello you"))
    first, second = Sent.objects.order_by("id")
    commit_one(Mark("7", Status.READ, ""))
    for query, found in (
        ({}, [second.pk, first.pk]),
        ({"q": "HELLO"}, [second.pk, first.pk]),
        ({"q": "<i>"}, [first.pk]),
        ({"type": "offer"}, [second.pk]),
        ({"source__exact": "kafka"}, []),
        ({"kind__exact": "notification", "q": "you"}, [second.pk]),
    ):
        assert listed(admin_client, SENT, **query) == found, query
    page = page_of(admin_client.get(f"{SENT}{first.pk}/change/"))
    for words in ("Hello &lt;i&gt;", "&quot;order&quot;: [", ">ann</bdi>", ">8</bdi>"):
        assert words in page
    numbers = re.findall(r'text-xl">(\d+)</dd>', page)
    assert numbers == ["3", "2", "0", "1"]
    assert f'href="{OF_USERS}?sent={first.pk}"' in page


def test_a_search_and_the_list_have_their_bounds(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        send(feed(users=["7"], type="news", title=f"hello {number}"))
    monkeypatch.setattr(selectors, "SEARCHED_SENT", 2)
    assert len(listed(admin_client, SENT, q="hello")) == 2
    assert listed(admin_client, SENT, q="hello 0") == []
    monkeypatch.setattr(BoundedPaginator, "max_listed", 3)
    assert "The newest 3 are listed" in page_of(admin_client.get(SENT))


def test_nothing_that_was_sent_is_changed(admin_client: Client) -> None:
    send(feed(users=["7"], type="news"))
    rows = (f"{SENT}{Sent.objects.get().pk}/", f"{OF_USERS}{Notification.objects.get().pk}/")
    for path in rows:
        assert admin_client.post(path + "change/", {"type": "x", "status": 2}).status_code == 403
        assert admin_client.post(path + "delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(OF_USERS + "add/").status_code == 403


# --- Of users ---------------------------------------------------------------------------------------------


def test_notifications_are_found_by_whose_they_are(admin_client: Client, settings: Any) -> None:
    ann, ben = somebody("ann"), somebody("ben")
    send(feed(users=[ann.pk, ben.pk], type="news", title="Both"))
    send(feed(users=[ann.pk, "77"], type="offer"))
    commit_one(Mark(str(ann.pk), Status.READ, "", types=["news"]))
    both, both_ben, offer, stranger = Notification.objects.order_by("id").values_list("pk", flat=True)
    for query, found in (
        ({}, []),
        ({"user": "AN"}, [offer, both]),
        ({"user": ann.pk, "type": "offer"}, [offer]),
        ({"user": "ann", "status__exact": Status.READ.value}, [both]),
        ({"user": "77"}, [stranger]),
        ({"sent": Sent.objects.get(type="news").pk}, [both_ben, both]),
        ({"sent": "5000"}, []),
        ({"sent": "x"}, []),
        ({"user": "zoe"}, []),
    ):
        assert listed(admin_client, OF_USERS, **query) == found, query
    assert "Whose notifications?" in page_of(admin_client.get(OF_USERS))
    assert ">ann</bdi>" in page_of(admin_client.get(f"{OF_USERS}{both}/change/"))
    settings.NOTIFICATIONS_USER_API_URL = "https://users.example.org/"
    assert listed(admin_client, OF_USERS, user="ann") == []
    assert ">ann</bdi>" not in page_of(admin_client.get(OF_USERS, {"user": ann.pk}))


# --- Dead letters -----------------------------------------------------------------------------------------


def test_dead_letters_are_retried_together_and_discarded(admin_client: Client) -> None:
    late, broken, third = bury({"users": ["7"], "template": "late"}), bury(b"{"), bury(b"[]")
    Template.objects.create(name="late", type="news")
    action: dict[str, Any] = {"action": "retry", ACTION_CHECKBOX_NAME: [late.pk, broken.pk]}
    assert "Read again, and sent" in page_of(admin_client.post(DEAD, action))
    assert not Sent.objects.exists(), "it asks first"
    page = page_of(admin_client.post(DEAD, {**action, "confirmed": "yes"}, follow=True))
    assert f"{late} was sent." in page
    assert f"{broken}: The text is not valid JSON." in page
    again = page_of(admin_client.post(f"{DEAD}{late.pk}/retry/", follow=True))
    assert "This was dealt with before. Sent by admin." in again
    assert Sent.objects.get().actor == "admin"
    path = f"{DEAD}{broken.pk}/discard/"
    assert "never sent" in page_of(admin_client.get(path))
    assert f"{broken} will not be sent." in page_of(admin_client.post(path, follow=True))
    assert listed(admin_client, DEAD) == [third.pk]
    assert listed(admin_client, DEAD, state="resolved") == [broken.pk, late.pk]
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"type":"<b>"}', "&quot;type&quot;: &quot;&lt;b&gt;&quot;"),
        (b"\xff\xfe<script>", r"\xff\xfe&lt;script&gt;"),
        ("ä\x00 {".encode(), "ä\x00 {"),
        (b"", "(It is empty.)"),
        (b"x" * (MAX_SHOWN_BYTES + 5), f"({MAX_SHOWN_BYTES + 5} bytes in all.)"),
    ],
)
def test_a_dead_letter_is_shown_as_it_came(admin_client: Client, value: bytes, shown: str) -> None:
    letter = bury(value)
    page = page_of(admin_client.get(f"{DEAD}{letter.pk}/change/"))
    assert shown in page
    assert len(page) < 100_000
    for wrong in ("x", "9" * 30):
        assert admin_client.get(f"{DEAD}{wrong}/retry/").status_code == 404
    assert DeadLetter.objects.get().resolved_at is None


# --- Templates and commands -------------------------------------------------------------------------------


def test_templates_are_checked_tried_and_deleted(admin_client: Client) -> None:
    form = {
        "name": "welcome",
        "type": "news",
        "title": "To {place} <b>",
        "body": "",
        "data": '{"a": ["{n}"]}',
    }
    for wrong, words in (
        ({"title": "To { place }"}, "{ place } is no name"),
        ({"data": '{"a": "{1}"}'}, "{1} is no name"),
        ({"data": "{a}"}, "not valid JSON"),
        ({"name": "a b"}, "a letter first"),
        ({"data": '"' + "x" * 32 * 1024 + '"'}, "longer than 32768 bytes"),
    ):
        assert words in page_of(admin_client.post(TEMPLATES + "add/", form | wrong)), wrong
    admin_client.post(TEMPLATES + "add/", form)
    template = Template.objects.get()
    assert (template.title, template.data) == ("To {place} <b>", {"a": ["{n}"]})
    path = f"{TEMPLATES}{template.pk}/"
    page = page_of(admin_client.get(path + "change/"))
    assert "{&quot;a&quot;:[&quot;{n}&quot;]}" in page
    assert 'name="place"' in page
    tried = page_of(admin_client.get(path + "try/", {"place": "Rome <i>"}))
    assert "To Rome &lt;i&gt; &lt;b&gt;" in tried
    assert "&quot;{n}&quot;" in tried
    admin_client.post(path + "change/", form | {"data": '"text"'})
    template.refresh_from_db()
    assert template.data == "text"
    assert "&quot;text&quot;" in page_of(admin_client.get(path + "change/"))
    admin_client.post(path + "delete/", {"post": "yes"})
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    ("parts", "value", "problem"),
    [
        ({"title": "{n}"}, "x" * 201, "With these values the title or the body is too long."),
        ({"body": "{n} and {n}"}, "x" * 2_000, "With these values the title or the body is too long."),
        ({"data": ["{n}"] * 1_000}, "x" * 4_000, "With these values the data is too long."),
    ],
)
def test_what_could_not_be_sent_is_not_shown_as_if_it_could(
    admin_client: Client, parts: dict[str, Any], value: str, problem: str
) -> None:
    template = Template.objects.create(name="long", type="news", **parts)
    tried = page_of(admin_client.get(f"{TEMPLATES}{template.pk}/try/", {"n": value}))
    assert problem in tried
    assert "What they would get" not in tried
    assert len(tried) < 100_000
    with pytest.raises(Refused, match=problem):
        send(feed(users=["1"], template="long", values={"n": value}))
    tried = page_of(admin_client.get(f"{TEMPLATES}{template.pk}/try/", {"n": "short"}))
    assert problem not in tried
    assert "What they would get" in tried


def test_commands_are_checked(admin_client: Client) -> None:
    form = {"name": "getSchedules", "method": "GET", "url": "https://example.org/{id}", "is_active": "on"}
    host = "begins with http:// or https://"
    for wrong, words in (
        ({"name": "subscription"}, "a command that is answered here"),
        ({"name": "1x"}, "a letter first"),
        ({"url": "ftp://example.org"}, host),
        ({"url": "http://["}, host),
        ({"url": "http://example.org:x/"}, host),
        ({"url": "https://{host}/"}, host),
        ({"url": "https://example.org/{ id }"}, "{ id } is no name"),
        ({"method": "OPTIONS"}, "not one of the available choices"),
    ):
        assert words in page_of(admin_client.post(COMMANDS + "add/", form | wrong)), wrong
    admin_client.post(COMMANDS + "add/", form)
    command = BackendCommand.objects.get()
    admin_client.post(f"{COMMANDS}{command.pk}/change/", form | {"is_active": ""}, follow=True)
    command.refresh_from_db()
    assert not command.is_active
    assert listed(admin_client, COMMANDS, is_active__exact=1) == []

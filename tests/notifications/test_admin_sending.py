"""Sending from the admin: the form, the page that asks, and that it is sent once."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from gateway.models import Account
from notifications.models import Notification, Sent, Template
from tests.notifications.admin_pages import PEOPLE, SEND, SENT, UPDATE
from tests.notifications.clients import somebody
from tests.realtime.admin_pages import page_of

pytestmark = pytest.mark.django_db

NEWS = {"type": "news", "title": "Hello <b>", "body": "one\r\ntwo", "data": '{"order": 5}'}


@pytest.fixture
def ann() -> Account:
    return somebody("ann")


def hidden(page: str) -> dict[str, list[str]]:
    """What the page that asks would send."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        if name != "csrfmiddlewaretoken":
            found.setdefault(name, []).append(html.unescape(value))
    return found


def chosen(page: str) -> list[str]:
    """Whom the form has chosen by name."""
    select = page.partition('name="people"')[2].partition("</select>")[0]
    return re.findall(r'<option value="(\d+)" selected>', select)


def test_it_is_shown_before_it_is_sent_and_sent_once(admin_client: Client, ann: Account) -> None:
    ben = somebody("ben")
    Group.objects.create(name="night shift").user_set.set([ann.user, ben.user])
    form = {**NEWS, "people": [ann.pk], "ids": f"77, {ann.pk}\n77", "groups": ["night shift"]}
    response = admin_client.post(SEND, form)
    page = page_of(response)
    for words in ("Hello &lt;b&gt;", "&quot;order&quot;: 5", "3 recipients", "1 of the ids is nobody’s here"):
        assert words in page
    assert not Sent.objects.exists()
    answer = hidden(response.content.decode())
    back = page_of(admin_client.post(SEND, {**answer, "back": ""}))
    assert chosen(back) == [str(ann.pk)]
    assert 'value="Hello &lt;b&gt;"' in back
    for _ in range(2):
        response = admin_client.post(SEND, {**answer, "confirmed": ""}, follow=True)
        assert "Sent to 3." in page_of(response)
    sent = Sent.objects.get()
    assert (sent.type, sent.title, sent.body, sent.data) == ("news", "Hello <b>", "one\ntwo", '{"order":5}')
    assert (sent.source, sent.actor) == ("admin", "admin")
    told = Notification.objects.order_by("id").values_list("user_id", flat=True)
    assert list(told) == [str(ann.pk), "77", str(ben.pk)]


def test_a_template_asks_for_its_values(admin_client: Client, ann: Account) -> None:
    template = Template.objects.create(name="handover", type="shift", title="From {from}", data=["{rooms}"])
    assert 'name="value-rooms"' in page_of(admin_client.get(SEND, {"template": template.name}))
    form: dict[str, Any] = {"everyone": "on", "template": "handover"}
    page = page_of(admin_client.post(SEND, form))
    assert page.count("This field is required.") == 2
    form |= {"value-from": "Ben", "value-rooms": "12"}
    both = page_of(admin_client.post(SEND, {**form, "title": "x"}))
    assert "Either a template, or written out" in both
    long = page_of(admin_client.post(SEND, {**form, "value-from": "x" * 200}))
    assert "the title or the body is too long" in long
    answer = hidden(page_of(admin_client.post(SEND, form)))
    template.delete()
    gone = page_of(admin_client.post(SEND, {**answer, "confirmed": ""}))
    assert "not one of the available choices" in gone
    Template.objects.create(name="handover", type="shift", title="From {from}", data=["{rooms}"])
    admin_client.post(SEND, {**answer, "confirmed": ""})
    sent = Sent.objects.get()
    assert (sent.type, sent.title, sent.data, sent.recipient_count) == ("shift", "From Ben", '["12"]', 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": ""}, "Nobody to tell"),
        ({"type": ""}, "Say what kind of news it is"),
        ({"people": ["5"]}, "5 is not one of the available choices"),
        ({"groups": ["nobody"]}, "nobody is not one of the available choices"),
        ({"ids": "x" * 65}, "length &lt;= 64"),
        ({"data": "{"}, "The text is not valid JSON."),
        ({"data": "[" * 100 + "]" * 100}, "nested more than 32 deep"),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "\x00"}, "Null characters are not allowed."),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_and_nothing_is_sent(
    admin_client: Client, change: dict[str, Any], words: str
) -> None:
    for button in ({}, {"confirmed": ""}):
        page = page_of(admin_client.post(SEND, {**NEWS, "ids": "77", **change, **button}))
        assert words in page
        assert 'name="confirmed"' not in page
    assert not Sent.objects.exists()


def test_a_group_of_nobody_cannot_be_told(admin_client: Client) -> None:
    Group.objects.create(name="empty")
    page = page_of(admin_client.post(SEND, {**NEWS, "groups": ["empty"]}))
    assert "Nobody: whom you chose" in page
    assert 'name="confirmed"' not in page


def test_people_are_found_by_name_username_and_id(admin_client: Client, ann: Account, settings: Any) -> None:
    ann.display_name = "Dr. <Anna>"
    ann.save()
    somebody("ben")

    def found(term: str) -> list[dict[str, str]]:
        results: list[dict[str, str]] = admin_client.get(PEOPLE, {"term": term}).json()["results"]
        return results

    (named,) = found("anna")
    assert named == {"id": str(ann.pk), "text": "Dr. <Anna> (ann)"}
    assert found("ANN") == found(str(ann.pk)) == [named]
    for nobody in ("", "zoe", "9" * 40, "\x00"):
        assert found(nobody) == []
    settings.NOTIFICATIONS_USER_API_URL = "https://users.example.org/"
    assert found("ann") == []


def test_subscriptions_are_updated(admin_client: Client) -> None:
    key = re.search(r'name="key" value="([0-9a-f]{32})"', page_of(admin_client.get(UPDATE)))
    assert key is not None
    form = {"subscriptions": "abc, def", "reload": "on", "data": '"now"', "key": key[1]}
    for wrong, words in (({"subscriptions": ""}, "required"), ({"subscriptions": "ä"}, "matching regex")):
        assert words in page_of(admin_client.post(UPDATE, form | wrong))
    for _ in range(2):
        page = page_of(admin_client.post(UPDATE, form, follow=True))
    sent = Sent.objects.get()
    assert (sent.subscription_ids, sent.reload, sent.data) == (["abc", "def"], True, '"now"')
    assert "abc def" in page
    assert str(sent.pk) in page_of(admin_client.get(SENT))

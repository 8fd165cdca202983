"""Who may do what in the notifications' admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from notifications.models import DeadLetter, Sent, Template
from tests.notifications.admin_pages import (
    COMMANDS,
    DEAD,
    OF_USERS,
    PEOPLE,
    ROOT,
    SEND,
    SENT,
    TEMPLATES,
    UPDATE,
    somebody_with,
)
from tests.notifications.clients import feed, send
from tests.notifications.letters import bury
from tests.realtime.admin_pages import page_of

pytestmark = pytest.mark.django_db

FORM = {"ids": "7", "type": "news", "confirmed": "", "subscriptions": "a", "name": "x", "url": "http://x/"}


@pytest.mark.parametrize("path", [SENT, SEND, PEOPLE, UPDATE, OF_USERS, DEAD, TEMPLATES, COMMANDS])
def test_strangers_are_sent_to_the_login_and_others_away(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))
    assert somebody_with().get(path).status_code == 403


def test_looking_is_not_doing() -> None:
    send(feed(users=["7"], type="news"))
    template = Template.objects.create(name="late", type="news")
    letter = bury(b"{")
    models = ("sent", "notification", "deadletter", "template", "backendcommand")
    viewer = somebody_with(*(f"view_{model}" for model in models))
    assert SEND not in page_of(viewer.get(SENT))
    page = page_of(viewer.get(f"{DEAD}{letter.pk}/change/"))
    assert "/retry/" not in page
    assert 'name="action"' not in page_of(viewer.get(DEAD))
    tried = page_of(viewer.get(f"{TEMPLATES}{template.pk}/try/"))
    assert SEND not in tried
    for path in (
        *(SEND, UPDATE, TEMPLATES + "add/", COMMANDS + "add/", f"{TEMPLATES}{template.pk}/change/"),
        *(f"{TEMPLATES}{template.pk}/delete/", f"{DEAD}{letter.pk}/retry/", f"{DEAD}{letter.pk}/discard/"),
    ):
        assert viewer.post(path, FORM).status_code == 403, path
    assert viewer.get(PEOPLE, {"term": "a"}).status_code == 403
    letter.refresh_from_db()
    assert (Sent.objects.count(), letter.resolved_at, Template.objects.get()) == (1, None, template)


@pytest.mark.parametrize(
    ("permissions", "path", "status"),
    [
        (("add_sent",), "sent/add/", 302),
        (("view_sent", "change_sent"), "sent/add/", 403),
        (("add_sent",), "sent/update/", 302),
        (("change_deadletter",), "deadletter/{letter}/discard/", 302),
        (("view_deadletter", "add_sent"), "deadletter/{letter}/retry/", 403),
        (("add_template", "view_template"), "template/add/", 302),
        (("change_template",), "template/add/", 403),
    ],
    ids=str,
)
def test_each_thing_has_its_permission(permissions: tuple[str, ...], path: str, status: int) -> None:
    letter = bury(b"{")
    address = ROOT + path.format(letter=letter.pk)
    assert somebody_with(*permissions).post(address, FORM).status_code == status


def test_a_page_tells_only_what_one_may_see() -> None:
    send(feed(users=["someone-in-particular"], type="news"))
    path = f"{SENT}{Sent.objects.get().pk}/change/"
    page = page_of(somebody_with("view_sent").get(path))
    assert "Not seen" in page
    assert "someone-in-particular" not in page
    both = somebody_with("view_sent", "view_notification")
    assert "someone-in-particular" in page_of(both.get(path))


@pytest.mark.parametrize("path", ["sent/add/", "sent/update/", "deadletter/1/retry/"])
def test_a_form_without_its_token_does_nothing(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    assert client.post(ROOT + path, FORM).status_code == 403
    assert not Sent.objects.exists()
    assert not DeadLetter.objects.exists()

"""Who may do what in the gateway's admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from gateway.models import Account, Channel, Member, Message
from gateway.services.tokens import issue_token
from tests.gateway.admin_pages import ACCOUNTS, CHANNELS, DISCONNECT, LIVE, MESSAGES, ROOT, somebody_with
from tests.gateway.people import post, somebody, stream
from tests.realtime.admin_pages import page_of

pytestmark = pytest.mark.django_db

FORM = {"expiry": "day", "start": "x", "content": "hi", "type": 0, "account": 1, "connection": "x"}


@pytest.fixture
def ann() -> Account:
    return somebody("ann")


@pytest.fixture
def channel(ann: Account) -> Channel:
    made = stream(ann)
    post(made, ann)
    return made


@pytest.mark.parametrize("path", [ACCOUNTS, CHANNELS, MESSAGES, LIVE, DISCONNECT])
def test_strangers_are_sent_to_the_login_and_others_away(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))
    assert somebody_with().get(path).status_code == 403


def test_looking_is_not_doing(ann: Account, channel: Channel) -> None:
    viewer = somebody_with(
        *(f"view_{model}" for model in ("account", "channel", "message", "liveconnection"))
    )
    issue_token(account=ann)
    pages = {
        f"{ACCOUNTS}{ann.pk}/": ["token/", "revoke/", "revoke-one/"],
        f"{CHANNELS}{channel.pk}/": ["add-member/", "remove-member/", "post/"],
    }
    for path, commands in pages.items():
        page = page_of(viewer.get(path + "change/"))
        assert 'name="_save"' not in page
        for command in commands:
            assert path + command not in page
            assert viewer.post(path + command, FORM | {"account": ann.pk}).status_code == 403
        assert viewer.post(path + "change/", {"title": "x", "display_name": "x"}).status_code == 403
    assert viewer.get(LIVE).status_code == 200
    assert viewer.post(DISCONNECT, FORM).status_code == 403
    for path in (ACCOUNTS, CHANNELS, MESSAGES):
        assert viewer.get(path).status_code == 200
        assert viewer.get(path + "add/").status_code == 403
    assert (AuthToken.objects.count(), Member.objects.count(), Message.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("permissions", "path", "status"),
    [
        (("view_account", "change_account"), "account/{ann}/token/", 200),
        (("view_account", "change_account"), "account/{ann}/revoke/", 302),
        (("view_account", "change_channel"), "account/{ann}/revoke/", 403),
        (("view_channel", "change_channel"), "channel/{channel}/add-member/", 302),
        (("view_channel", "change_account"), "channel/{channel}/add-member/", 403),
        (("view_channel", "add_message"), "channel/{channel}/post/", 302),
        (("view_channel", "change_channel"), "channel/{channel}/post/", 403),
        (("add_message",), "channel/{channel}/post/", 403),
        (("disconnect_liveconnection",), "liveconnection/disconnect/", 302),
        (("view_liveconnection",), "liveconnection/disconnect/", 403),
    ],
    ids=str,
)
def test_each_thing_has_its_permission(
    ann: Account, channel: Channel, permissions: tuple[str, ...], path: str, status: int
) -> None:
    address = ROOT + path.format(ann=ann.pk, channel=channel.pk)
    assert somebody_with(*permissions).post(address, FORM).status_code == status


def test_a_page_tells_only_what_one_may_see(ann: Account, channel: Channel) -> None:
    page = page_of(somebody_with("view_account").get(f"{ACCOUNTS}{ann.pk}/change/"))
    assert "Connections now" not in page
    assert "Member of" not in page


@pytest.mark.parametrize(
    "path", ["account/1/token/", "channel/1/post/", "channel/1/remove-member/", "liveconnection/disconnect/"]
)
def test_a_form_without_its_token_does_nothing(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    assert client.post(ROOT + path, FORM).status_code == 403


@pytest.mark.parametrize("path", ["account/1/token/", "channel/1/post/", "channel/1/add-member/"])
def test_what_is_not_there_is_not_found(admin_client: Client, path: str) -> None:
    assert admin_client.post(ROOT + path, FORM).status_code == 404

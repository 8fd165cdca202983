"""Accounts, channels and messages in the admin: what is seen, and what each command does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from gateway.models import Account, Channel, ChannelType, JournalEntry, Member, Message
from gateway.selectors import overview
from gateway.services.channels import create_channel, join_channel
from gateway.services.tokens import issue_token, login_of_token
from realtime.admin_lists import BoundedPaginator
from realtime.ids import first_time_id
from tests.gateway.admin_pages import ACCOUNTS, CHANNELS, MESSAGES
from tests.gateway.people import post, somebody, stream
from tests.realtime.admin_pages import count_queries, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Account:
    return somebody("ann")


@pytest.fixture
def ben() -> Account:
    return somebody("ben")


def members(channel: Channel) -> set[int]:
    return set(Member.objects.filter(channel=channel).values_list("account_id", flat=True))


def events() -> list[tuple[str, int | None]]:
    return list(JournalEntry.objects.order_by("seq").values_list("kind", "account_id"))


def test_no_page_costs_more_queries_for_more_rows(admin_client: Client, ann: Account, ben: Account) -> None:
    channel = stream(ann)
    pages = [
        *(ACCOUNTS, CHANNELS, MESSAGES, MESSAGES + "?q=hello"),
        *(f"{ACCOUNTS}{ann.pk}/change/", f"{CHANNELS}{channel.pk}/change/"),
    ]
    post(channel, ann)
    issue_token(account=ann)
    for path in pages:
        admin_client.get(path)  # what is looked up once for each process
    few = {path: count_queries(admin_client, path) for path in pages}
    for number in range(5):
        other = somebody(f"other{number}")
        join_channel(channel=channel, account_id=other.pk)
        post(stream(ann, f"{number}"), other)
        issue_token(account=ann)
    assert {path: count_queries(admin_client, path) for path in pages} == few
    assert max(few.values()) <= 20


# --- Accounts --------------------------------------------------------------------------------------------


def test_accounts_are_found_and_show_what_is_theirs(admin_client: Client, ann: Account, ben: Account) -> None:
    channel = stream(ben, "Garden <b>")
    join_channel(channel=channel, account_id=ann.pk)
    token = issue_token(account=ann)
    for text in ("AN", str(ann.pk)):
        page = page_of(admin_client.get(ACCOUNTS, {"q": text}))
        assert f"{ACCOUNTS}{ann.pk}/change/" in page
        assert f"{ACCOUNTS}{ben.pk}/change/" not in page
    page = page_of(admin_client.get(f"{ACCOUNTS}{ann.pk}/change/"))
    row = AuthToken.objects.get()
    assert row.token_key in page
    assert token not in page
    assert row.digest not in page
    assert f'href="/admin/auth/user/{ann.user_id}/change/"' in page
    assert "Garden &lt;b&gt;" in page


def test_an_existing_user_gets_an_account(admin_client: Client) -> None:
    named, unnamed = User.objects.create_user("root"), User.objects.create_user("dora", first_name="Dora")
    admin_client.post(ACCOUNTS + "add/", {"user": named.pk, "display_name": "The root"})
    admin_client.post(ACCOUNTS + "add/", {"user": unnamed.pk, "display_name": ""})
    account = Account.objects.get(user=named)
    assert (account.display_name, Account.objects.get(user=unnamed).display_name) == ("The root", "Dora")
    again = page_of(admin_client.post(ACCOUNTS + "add/", {"user": named.pk}))
    assert "already exists" in again
    admin_client.post(f"{ACCOUNTS}{account.pk}/change/", {"display_name": "Root", "user": unnamed.pk})
    account.refresh_from_db()
    assert (account.display_name, account.user) == ("Root", named)
    empty = page_of(admin_client.post(f"{ACCOUNTS}{account.pk}/change/", {"display_name": ""}))
    assert "This field is required." in empty
    assert admin_client.post(f"{ACCOUNTS}{account.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_token_is_shown_once(admin_client: Client, ann: Account) -> None:
    response = admin_client.post(f"{ACCOUNTS}{ann.pk}/token/", {"expiry": "month"})
    assert "no-store" in response["Cache-Control"]
    (token,) = re.findall(r'readonly value="([^"]+)"', page_of(response))
    login = login_of_token(token)
    assert login is not None
    assert login.account_id == ann.pk
    row = AuthToken.objects.get()
    assert row.expiry - row.created >= timedelta(days=29)
    assert token not in page_of(admin_client.get(f"{ACCOUNTS}{ann.pk}/change/"))
    ann.user.is_active = False
    ann.user.save()
    page = page_of(admin_client.post(f"{ACCOUNTS}{ann.pk}/token/", {"expiry": "month"}, follow=True))
    assert "a token would open nothing" in page
    assert AuthToken.objects.count() == 1


def test_tokens_are_revoked_one_or_all(admin_client: Client, ann: Account, ben: Account) -> None:
    first, second, third = (issue_token(account=ann) for _ in range(3))
    other = issue_token(account=ben)
    one = f"{ACCOUNTS}{ann.pk}/revoke-one/"
    page = page_of(admin_client.get(f"{ACCOUNTS}{ann.pk}/change/"))
    assert f"{one}?start={first[:15]}" in page
    assert first[:15] in page_of(admin_client.get(one, {"start": first[:15]}))
    assert login_of_token(first) is not None, "it asks first"
    admin_client.post(one, {"start": first[:15]})
    gone = [login_of_token(token) is None for token in (first, second, third, other)]
    assert gone == [True, False, False, False]
    assert "gone already" in page_of(admin_client.post(one, {"start": other[:15]}, follow=True))
    every = f"{ACCOUNTS}{ann.pk}/revoke/"
    assert "out everywhere?" in page_of(admin_client.get(every))
    assert "Revoked: 2." in page_of(admin_client.post(every, follow=True))
    assert [login_of_token(token) is None for token in (second, third, other)] == [True, True, False]
    assert LogEntry.objects.filter(object_id=ann.pk).count() == 2


# --- Channels --------------------------------------------------------------------------------------------


def test_channels_are_opened_and_described(admin_client: Client, ann: Account, ben: Account) -> None:
    form = {"type": 1, "title": "Talk", "description": "", "topic": "", "stream_url": "", "author": ann.pk}
    admin_client.post(CHANNELS + "add/", form)
    channel = Channel.objects.get()
    assert (channel.type, channel.title, channel.author, members(channel)) == (1, "Talk", ann, {ann.pk})
    assert events() == [("joined", ann.pk)]
    change = {"title": "Talks", "topic": "all", "description": "x", "stream_url": "https://example.org/"}
    admin_client.post(f"{CHANNELS}{channel.pk}/change/", {**change, "type": 2, "author": ben.pk})
    channel.refresh_from_db()
    assert {name: getattr(channel, name) for name in change} == change
    assert (channel.type, channel.author) == (1, ann)
    bad = admin_client.post(f"{CHANNELS}{channel.pk}/change/", change | {"stream_url": "javascript:alert(1)"})
    assert "Enter a valid URL." in page_of(bad)
    assert f"{CHANNELS}{channel.pk}/change/" not in page_of(admin_client.get(CHANNELS, {"type__exact": 2}))
    assert f"{CHANNELS}{channel.pk}/change/" in page_of(admin_client.get(CHANNELS, {"q": "talks"}))


def test_a_direct_message_is_opened_with_somebody(admin_client: Client, ann: Account, ben: Account) -> None:
    off = somebody("off")
    off.user.is_active = False
    off.user.save()
    form = {"type": 2, "author": ann.pk}
    for wrong, words in (
        ({"members": [ann.pk]}, "needs somebody besides its author"),
        ({"members": [ben.pk, off.pk]}, "Switched off: off."),
        ({"members": [ben.pk], "type": 1}, "Only a direct message is opened with members."),
        ({"members": [ben.pk], "author": ""}, "This field is required."),
    ):
        assert words in page_of(admin_client.post(CHANNELS + "add/", form | wrong))
    assert not Channel.objects.exists()
    admin_client.post(CHANNELS + "add/", form | {"members": [ben.pk, ann.pk]})
    assert members(Channel.objects.get()) == {ann.pk, ben.pk}


def test_members_are_added_and_removed(admin_client: Client, ann: Account, ben: Account) -> None:
    channel = stream(ann)
    path = f"{CHANNELS}{channel.pk}/"
    for _ in range(2):
        page = page_of(admin_client.post(path + "add-member/", {"account": ben.pk}, follow=True))
        assert "ben is a member now." in page
    assert events()[1:] == [("joined", ben.pk)]
    assert "Choose whom to add." in page_of(admin_client.post(path + "add-member/", follow=True))
    page = page_of(admin_client.post(path + "remove-member/", {"account": ben.pk}, follow=True))
    assert "ben is no member any more." in page
    page = page_of(admin_client.post(path + "remove-member/", {"account": ben.pk}, follow=True))
    assert "ben was no member any more." in page
    assert events()[2:] == [("left", ben.pk)]
    assert members(channel) == {ann.pk}
    admin_client.get(path + "add-member/")
    assert len(events()) == 3


def test_posting_is_done_as_oneself(admin_client: Client, ann: Account, ben: Account) -> None:
    channel = stream(ann)
    path = f"{CHANNELS}{channel.pk}/"
    assert "Post as admin" in page_of(admin_client.get(path + "change/"))
    assert not Account.objects.filter(user__username="admin").exists(), "looking makes no account"
    form = {"content": "one\r\ntwo", "type": 1}
    assert "A stream got the message." in page_of(admin_client.post(path + "post/", form, follow=True))
    message = Message.objects.get()
    assert (message.content, message.type, message.author.user.username) == ("one\ntwo", 1, "admin")
    assert members(channel) == {ann.pk, message.author_id}
    for wrong in ({"content": " "}, {"content": "x" * 4_001}, {"type": 5}):
        admin_client.post(path + "post/", form | wrong)
    direct = create_channel(author=ann, kind=ChannelType.DIRECT, member_ids=[ben.pk])
    assert "you (admin) are not one of them" in page_of(admin_client.get(f"{CHANNELS}{direct.pk}/change/"))
    refused = page_of(admin_client.post(f"{CHANNELS}{direct.pk}/post/", form, follow=True))
    assert "There is no such channel." in refused
    assert Message.objects.count() == 1


# --- Messages --------------------------------------------------------------------------------------------


def listed(client: Client, **query: object) -> list[int]:
    """The ids of the messages in the list."""
    page = page_of(client.get(MESSAGES, query))
    return list(map(int, re.findall(rf'href="{MESSAGES}(\d+)/change/', page)))


def test_messages_are_found_by_channel_author_day_and_text(
    admin_client: Client, ann: Account, ben: Account
) -> None:
    garden, street = stream(ann, "Garden"), stream(ann, "Street")
    first, second, third = (
        post(garden, ann, "Hello"),
        post(garden, ben, "<i>"),
        post(street, ann, "hello you"),
    )
    day = first.created_at
    before = day - timedelta(days=1)
    old = Message.objects.create(
        id=first_time_id(int(before.timestamp() * 1_000)),
        channel=street,
        author=ben,
        type=0,
        content="of the day before",
        created_at=before,
    )
    for query, found in (
        ({"channel": garden.pk}, [second, first]),
        ({}, [third, second, first, old]),
        ({"channel": "street", "day": f"{day:%Y-%m-%d}"}, [third]),
        ({"day": f"{before:%Y-%m-%d}"}, [old]),
        ({"day": f"{before:%Y-%m-%d}..{day:%Y-%m-%d}"}, [third, second, first, old]),
        ({"author": "AN"}, [third, first]),
        ({"author": str(ben.pk), "channel": "garden"}, [second]),
        ({"q": "hello"}, [third, first]),
        ({"q": "hello", "channel": garden.pk}, [first]),
        ({"author": "9" * 40}, []),
    ):
        assert listed(admin_client, **query) == [message.pk for message in found], query
    assert "&lt;i&gt;" in page_of(admin_client.get(f"{MESSAGES}{second.pk}/change/"))


def test_a_search_and_the_list_have_their_bounds(
    admin_client: Client, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = stream(ann)
    ids = [post(channel, ann, f"hello {number}").pk for number in range(4)]
    monkeypatch.setattr(overview, "SEARCHED_MESSAGES", 2)
    assert listed(admin_client, q="hello") == ids[:1:-1]
    assert listed(admin_client, q="hello 0") == []
    assert "looked for in the newest" in page_of(admin_client.get(MESSAGES, {"q": "hello 0"}))
    monkeypatch.setattr(BoundedPaginator, "max_listed", 3)
    page = page_of(admin_client.get(MESSAGES))
    assert "The newest 3 are listed" in page
    assert "3 messages" in page


def test_a_message_is_never_changed(admin_client: Client, ann: Account) -> None:
    message = post(stream(ann), ann)
    path = f"{MESSAGES}{message.pk}/"
    assert admin_client.post(path + "change/", {"content": "other"}).status_code == 403
    assert admin_client.post(path + "delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(MESSAGES + "add/").status_code == 403
    assert 'name="action"' not in page_of(admin_client.get(MESSAGES))

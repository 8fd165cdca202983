"""Accounts, channels and posts: who may, who is a member, and the order in which it becomes known."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from knox.models import AuthToken

from gateway.models import Account, Channel, ChannelType, JournalEntry, Member, Message
from gateway.selectors.messages import list_entries, load_memberships
from gateway.services import accounts
from gateway.services.accounts import account_of, register
from gateway.services.channels import create_channel, join_channel, leave_channel
from gateway.services.posts import NewPost, commit_posts, post_message
from gateway.services.tokens import issue_token, login_of_token, revoke_all, revoke_token, valid_digests
from realtime import user_tokens
from realtime.errors import Refused
from tests.gateway.people import post, somebody, stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Account:
    return somebody("ann")


@pytest.fixture
def ben() -> Account:
    return somebody("ben")


def members(channel: Channel) -> set[int]:
    return set(Member.objects.filter(channel=channel).values_list("account_id", flat=True))


def kinds() -> list[str]:
    return list(JournalEntry.objects.order_by("seq").values_list("kind", flat=True))


def test_ids_go_up_over_everything(ann: Account, ben: Account) -> None:
    channel = stream(ann)
    first, second = post(channel, ann), post(channel, ben)
    assert ann.pk < ben.pk < channel.pk < first.pk < second.pk


def test_who_opens_a_channel_is_in_it_and_who_posts_joins(ann: Account, ben: Account) -> None:
    channel = stream(ann)
    assert members(channel) == {ann.pk}
    post(channel, ben)
    post(channel, ben)
    assert members(channel) == {ann.pk, ben.pk}
    assert kinds() == ["joined", "joined", "message", "message"]


def test_a_direct_message_is_for_its_members(ann: Account, ben: Account) -> None:
    cem = somebody("cem")
    channel = create_channel(author=ann, kind=ChannelType.DIRECT, member_ids=[ben.pk, ann.pk])
    assert members(channel) == {ann.pk, ben.pk}
    post(channel, ben)
    with pytest.raises(Refused, match="UNKNOWN_CHANNEL"):
        post(channel, cem)
    assert members(channel) == {ann.pk, ben.pk}


@pytest.mark.parametrize(("others", "code"), [([], "NO_MEMBERS"), ([5], "UNKNOWN_MEMBER")])
def test_a_direct_message_needs_somebody_else(ann: Account, others: list[int], code: str) -> None:
    with pytest.raises(Refused, match=code):
        create_channel(author=ann, kind=ChannelType.DIRECT, member_ids=[ann.pk, *others])
    assert not Channel.objects.exists()
    assert kinds() == []


def test_there_is_no_posting_to_what_is_not_there(ann: Account) -> None:
    with pytest.raises(Refused, match="UNKNOWN_CHANNEL"):
        post_message(NewPost(5, ann.pk, 0, "hello"))


def test_many_posts_share_a_transaction_and_one_that_is_refused_costs_the_others_nothing(
    ann: Account, ben: Account, django_assert_max_num_queries: object
) -> None:
    channel = stream(ann)
    posts = [NewPost(channel.pk, author.pk, 0, f"{number}") for number in range(20) for author in (ann, ben)]
    posts.insert(7, NewPost(5, ann.pk, 0, "nowhere"))
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        outcomes = commit_posts(posts)
    assert isinstance(outcomes[7], Refused)
    written = [outcome for outcome in outcomes if isinstance(outcome, Message)]
    assert [message.pk for message in written] == sorted(message.pk for message in written)
    assert kinds().count("message") == 40
    assert members(channel) == {ann.pk, ben.pk}


def test_the_journal_has_no_gaps_and_says_everything(ann: Account, ben: Account) -> None:
    channel = stream(ann)
    post(channel, ben, "hi")
    join_channel(channel=channel, account_id=ben.pk)
    assert leave_channel(channel=channel, account_id=ben.pk)
    assert not leave_channel(channel=channel, account_id=ben.pk)
    entries = list_entries(0, 10)
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert [entry.kind for entry in entries] == ["joined", "joined", "message", "left"]
    assert entries[2].posted is not None
    assert entries[2].posted.content == "hi"
    assert load_memberships(ann.pk) == (4, {channel.pk}, 4)
    assert load_memberships(ben.pk) == (4, set(), 4)


def test_a_name_is_one_persons(ann: Account) -> None:
    with pytest.raises(Refused, match="NAME_TAKEN"):
        register(username="ann", password="another one entirely")
    assert Account.objects.count() == 1


def test_people_of_the_admin_may_use_it_as_well() -> None:
    user = get_user_model().objects.create_user("root")
    assert account_of(user) == account_of(user)
    assert account_of(user).display_name == "root"


def test_tokens(ann: Account) -> None:
    token, other = issue_token(account=ann), issue_token(account=ann)
    login = login_of_token(token)
    assert login is not None
    assert login.account_id == ann.pk
    assert valid_digests({login.digest, "nothing"}) == {login.digest}
    revoke_token(digest=login.digest)
    assert login_of_token(token) is None
    assert login_of_token(other) is not None
    assert revoke_all(account=ann) == 1
    for nothing in ("", "x" * 5_000, "ä", other):
        assert login_of_token(nothing) is None


def test_a_new_token_takes_the_place_of_those_that_expired(ann: Account, ben: Account) -> None:
    """Each login makes one: who signs in every day would leave hundreds."""
    past = timedelta(days=-1)
    issue_token(account=ben, expiry=past)
    for expiry in (past, None):
        issue_token(account=ann, expiry=expiry)
    token = issue_token(account=ann)
    assert login_of_token(token) is not None
    assert AuthToken.objects.filter(user=ann.user).count() == 2
    assert AuthToken.objects.filter(user=ben.user).count() == 1


def test_whoever_was_switched_off_has_no_valid_token(ann: Account) -> None:
    token = issue_token(account=ann)
    ann.user.is_active = False
    ann.user.save()
    assert login_of_token(token) is None


def test_a_password_is_hashed_before_the_ledger_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long, on purpose, and nobody can post while the ledger is locked."""
    done: list[str] = []
    lock, encode = accounts.change, MD5PasswordHasher.encode

    def noted_lock() -> Any:
        done.append("locked")
        return lock()

    def noted_encode(self: MD5PasswordHasher, password: str, salt: str) -> str:
        done.append("hashed")
        return encode(self, password, salt)

    monkeypatch.setattr(accounts, "change", noted_lock)
    monkeypatch.setattr(MD5PasswordHasher, "encode", noted_encode)
    register(username="cem", password="correct horse battery")
    assert done == ["hashed", "locked"]


def test_a_new_account_has_nobody_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Else whoever registers accounts has every process look at all its connections, each time."""
    sent: list[str] = []
    monkeypatch.setattr(
        user_tokens.runtime, "send_from_thread", lambda group, kind, message: sent.append(kind)
    )
    with django_capture_on_commit_callbacks(execute=True):
        made = register(username="cem", password="correct horse battery")
    assert user_tokens.ACCESS_CHANGED not in sent
    with django_capture_on_commit_callbacks(execute=True):
        made.user.save()
    assert user_tokens.ACCESS_CHANGED in sent

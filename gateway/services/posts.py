"""Channels, who is in them, and what is posted. Each function is one change of the gateway.

Raises: `Refused`, with a code that the API puts into its words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.models import Account, Channel, ChannelType, EntryKind, Member, Message
from gateway.services.ledger import Pages, change
from realtime.errors import Refused


@dataclass(frozen=True, slots=True)
class NewPost:
    """What somebody wants to post."""

    channel_id: int
    author_id: int
    type: int
    content: str


def post_message(post: NewPost) -> Message:
    """Post a message. Whoever posts to an open channel is a member of it from then on.

    Four queries besides those of `change`, and one to join.

    Raises:
        Refused: UNKNOWN_CHANNEL, also for a direct message one is no member of.
    """
    outcome = commit_posts([post])[0]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def commit_posts(posts: Sequence[NewPost]) -> list[Message | Exception]:
    """Post messages in one transaction, in order. Three to five queries besides those of `change`."""
    outcomes: list[Message | Exception] = []
    with change() as pages:
        channels = Channel.objects.in_bulk({post.channel_id for post in posts})
        pairs = Member.objects.filter(
            channel_id__in=channels, account_id__in={post.author_id for post in posts}
        ).values_list("channel_id", "account_id")
        members = set(pairs)
        joined: list[Member] = []
        written: list[Message] = []
        told: list[tuple[EntryKind, Member | Message]] = []
        for post in posts:
            channel = channels.get(post.channel_id)
            known = (post.channel_id, post.author_id) in members
            if channel is None or (channel.type == ChannelType.DIRECT and not known):
                outcomes.append(unknown_channel())
                continue
            if not known:
                members.add((post.channel_id, post.author_id))
                member = Member(channel=channel, account_id=post.author_id, joined_at=pages.now)
                joined.append(member)
                told.append((EntryKind.JOINED, member))
            message = Message(
                id=pages.new_id(),
                channel=channel,
                author_id=post.author_id,
                type=post.type,
                content=post.content,
                created_at=pages.now,
            )
            written.append(message)
            told.append((EntryKind.MESSAGE, message))
            outcomes.append(message)
        Member.objects.bulk_create(joined)
        Message.objects.bulk_create(written)
        for kind, row in told:
            if isinstance(row, Message):
                pages.record(kind, channel_id=row.channel_id, message=row)
            else:
                pages.record(kind, channel_id=row.channel_id, account_id=row.account_id)
    return outcomes


def create_channel(
    *,
    author: Account,
    kind: int,
    title: str = "",
    description: str = "",
    topic: str = "",
    stream_url: str = "",
    member_ids: Collection[int] = (),
) -> Channel:
    """Open a channel, with its author in it; a direct message with the others as well.

    Raises:
        Refused: UNKNOWN_MEMBER; NO_MEMBERS for a direct message to nobody.
    """
    others = set(member_ids) - {author.pk} if kind == ChannelType.DIRECT else set()
    if kind == ChannelType.DIRECT and not others:
        raise Refused("NO_MEMBERS", "A direct message needs somebody else.")
    with change() as pages:
        found = set(Account.objects.filter(pk__in=others, user__is_active=True).values_list("pk", flat=True))
        if found != others:
            raise Refused("UNKNOWN_MEMBER", "There is no such user.")
        channel = Channel.objects.create(
            id=pages.new_id(),
            type=kind,
            title=title,
            description=description,
            topic=topic,
            stream_url=stream_url,
            author=author,
            created_at=pages.now,
        )
        for account_id in [author.pk, *sorted(others)]:
            _join(pages, channel, account_id)
        return channel


def join_channel(*, channel: Channel, account_id: int) -> None:
    """Be a member from now on; nothing changes for who is one."""
    with change() as pages:
        if not Member.objects.filter(channel=channel, account_id=account_id).exists():
            _join(pages, channel, account_id)


def leave_channel(*, channel: Channel, account_id: int) -> bool:
    """Be no member any more; False for who was none."""
    with change() as pages:
        gone, _ = Member.objects.filter(channel=channel, account_id=account_id).delete()
        if gone:
            pages.record(EntryKind.LEFT, channel_id=channel.pk, account_id=account_id)
        return bool(gone)


def unknown_channel() -> Refused:
    return Refused("UNKNOWN_CHANNEL", "There is no such channel.")


def _join(pages: Pages, channel: Channel, account_id: int) -> None:
    Member.objects.create(channel=channel, account_id=account_id, joined_at=pages.now)
    pages.record(EntryKind.JOINED, channel_id=channel.pk, account_id=account_id)

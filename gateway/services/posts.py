"""Posting messages. Each function is one change of the gateway.

Raises: `Refused`, with a code that the API puts into its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from gateway.metrics import POSTS
from gateway.models import Channel, ChannelType, EntryKind, Member, Message
from gateway.services.ledger import change, record
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
        transaction.on_commit(lambda: POSTS.inc(len(written)), robust=True)
        for kind, row in told:
            if isinstance(row, Message):
                record(pages, kind, channel_id=row.channel_id, message=row)
            else:
                record(pages, kind, channel_id=row.channel_id, account_id=row.account_id)
    return outcomes


def unknown_channel() -> Refused:
    return Refused("UNKNOWN_CHANNEL", "There is no such channel.")

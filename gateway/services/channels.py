"""Channels, and who is in them. Each function is one change of the gateway.

Raises: `Refused`, with a code that the API puts into its words.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.models import Account, Channel, ChannelType, EntryKind, Member
from gateway.services.ledger import Pages, change, record
from realtime.errors import Refused


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


def describe_channel(*, channel: Channel) -> None:
    """Store the channel's title, description, topic and stream URL; nothing else of it can change. One query.

    Nobody is told: the protocol has no frame for it. Who asks for the channel sees it.
    """
    channel.save(update_fields=["title", "description", "topic", "stream_url"])


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
            record(pages, EntryKind.LEFT, channel_id=channel.pk, account_id=account_id)
        return bool(gone)


def _join(pages: Pages, channel: Channel, account_id: int) -> None:
    Member.objects.create(channel=channel, account_id=account_id, joined_at=pages.now)
    record(pages, EntryKind.JOINED, channel_id=channel.pk, account_id=account_id)

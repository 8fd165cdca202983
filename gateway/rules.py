"""Decisions of the gateway, without a database. Pure."""

from enum import IntEnum

from msgspec import Struct


class ChannelType(IntEnum):
    QUESTION = 0
    STREAM = 1
    DIRECT = 2


class Posted(Struct, frozen=True):
    """A message, as it is told. `at_ms` is in milliseconds since 1970."""

    message_id: int
    channel_id: int
    author_id: int
    type: int
    content: str
    at_ms: int


class Entry(Struct, frozen=True):
    """Something that happened, in order: ``message``, ``joined`` or ``left`` a channel.

    `account_id` is who joined or left; `posted` what was posted.
    """

    seq: int
    kind: str
    channel_id: int
    account_id: int = 0
    posted: Posted | None = None

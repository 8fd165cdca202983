"""Decisions of the gateway, without a database. Pure."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

# Ids count milliseconds from 2020 in their upper 41 bits, which lasts until 2089.
_EPOCH_MS: Final = 1_577_836_800_000
_SEQUENCE_BITS: Final = 22


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


def next_id(last_id: int, now_ms: int) -> int:
    """The id after `last_id`: time-ordered, and higher than it whatever the clock says."""
    return max(last_id + 1, (now_ms - _EPOCH_MS) << _SEQUENCE_BITS)

"""Decisions of the gateway, without a database. Pure."""

import re
from enum import IntEnum
from typing import Final

from msgspec import Struct

# Of the text of an id. No leading zeros, so that one id is one text.
ID_PATTERN: Final = "0|[1-9][0-9]{0,18}"
_MAX_ID: Final = 2**63 - 1
_is_id: Final = re.compile(ID_PATTERN).fullmatch


def id_of(text: str) -> int | None:
    """The number that an id's text stands for, if it is one: ids have 64 bits."""
    return int(text) if _is_id(text) and int(text) <= _MAX_ID else None


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

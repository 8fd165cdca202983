"""How much one account may post: whoever floods a channel costs everybody in it."""

from __future__ import annotations

from functools import cache
from typing import Final

from django.conf import settings

from realtime.http_limits import RequestLimit, too_many

# A new channel may come with a hundred people in it, each of whom hears of it.
POSTS_OF_A_CHANNEL: Final = 10


@cache
def _limits() -> tuple[RequestLimit, RequestLimit]:
    rate, burst = settings.GATEWAY_POST_RATE, settings.GATEWAY_POST_BURST
    opening = RequestLimit(rate / POSTS_OF_A_CHANNEL, max(1, burst / POSTS_OF_A_CHANNEL))
    return RequestLimit(rate, burst), opening


def count_post(account_id: int) -> None:
    """One more message, or coming and going, of this account.

    Raises:
        HttpError: 429, with ``Retry-After``.
    """
    _count(_limits()[0], account_id)


def count_channel(account_id: int) -> None:
    """One more channel that this account opens.

    Raises:
        HttpError: 429, with ``Retry-After``.
    """
    _count(_limits()[1], account_id)


def _count(limit: RequestLimit, account_id: int) -> None:
    if wait_s := limit.take(str(account_id)):
        raise too_many("You are doing this too often. Wait a little.", wait_s)

"""Links from one page of the gateway's admin to another, and how names and times are written."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gateway.models import Account, Channel


def account_url(account_id: int) -> str:
    """The page of an account."""
    return reverse("admin:gateway_account_change", args=[account_id])


def channel_url(channel_id: int) -> str:
    """The page of a channel."""
    return reverse("admin:gateway_channel_change", args=[channel_id])


def messages_url(**filters: object) -> str:
    """The list of messages, of one `channel` or `author`."""
    return reverse("admin:gateway_message_changelist", query=filters)


def account_link(account: Account) -> SafeString:
    return link(account_url(account.pk), str(account))


def channel_link(channel: Channel) -> SafeString:
    return link(channel_url(channel.pk), str(channel))


def link(url: str, words: str) -> SafeString:
    """People choose names in any script and of any length."""
    return format_html(
        '<a class="text-link" href="{}"><bdi style="overflow-wrap: anywhere">{}</bdi></a>', url, words
    )


def unbroken(words: str) -> SafeString:
    """On one line: browsers would tear a date apart at its hyphens."""
    return format_html('<span class="whitespace-nowrap">{}</span>', words)

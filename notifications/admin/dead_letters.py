"""Dead letters in the admin: what Kafka brought that could not be sent, and what is done with it.

A face: changes go through the services.
"""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from notifications.admin.filters import DeadLetterStateFilter
from notifications.admin.words import code, in_short, indented, unbroken
from notifications.models import DeadLetter
from notifications.services.dead_letters import discard_dead_letter, retry_dead_letter
from realtime.admin_commands import Command, CommandAdmin
from realtime.admin_lists import BoundedPaginator
from realtime.admin_times import NONE, minute, moment
from realtime.errors import ProtocolViolation
from realtime.wire import decode_compact

# Of a message on its page. What is longer was hardly written for people.
MAX_SHOWN_BYTES: Final = 8 * 1024


def _is_open(letter: DeadLetter) -> bool:
    return letter.resolved_at is None


@admin.register(DeadLetter)
class DeadLetterAdmin(CommandAdmin):
    """At first those that nobody has dealt with, the newest first."""

    commands = {
        "retry": Command(
            lambda letter, actor: retry_dead_letter(letter_id=letter.pk, actor=actor),
            _is_open,
            button="Retry",
            done="was sent",
            question="Read again, and sent if it says something now: a template or a group it names may have "
            "been made since. Each is sent once; one that is still wrong stays here.",
            # In the order they came.
            order=lambda letter: letter.pk,
        ),
        "discard": Command(
            lambda letter, actor: discard_dead_letter(letter_id=letter.pk, actor=actor),
            _is_open,
            button="Discard",
            done="will not be sent",
            question="Kept, but never sent. This cannot be undone.",
        ),
    }
    list_display = ("place", "reason_in_short", "state", "received")
    list_filter = (DeadLetterStateFilter, "topic")
    list_per_page = 50
    sortable_by = ()
    ordering = ("-id",)
    paginator = BoundedPaginator
    fields = ("topic", ("partition", "offset"), "reason", "received_exactly", "outcome", "message")
    readonly_fields = ("topic", "partition", "offset", "reason", "received_exactly", "outcome", "message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return DeadLetter.objects.defer("value")

    def described(self, row: DeadLetter) -> str:
        return f"{row}: {row.reason}"

    @admin.display(description="topic/partition/offset")
    def place(self, letter: DeadLetter) -> SafeString:
        """Where it is in Kafka."""
        return in_short(str(letter))

    @admin.display(description="reason")
    def reason_in_short(self, letter: DeadLetter) -> SafeString:
        """Why it was not sent."""
        return in_short(letter.reason)

    @display(description="state", label={"open": "warning", "dealt with": "success"})  # type: ignore[untyped-decorator]
    def state(self, letter: DeadLetter) -> str:
        """Whether something is to be done."""
        return "open" if _is_open(letter) else "dealt with"

    @admin.display(description="received")
    def received(self, letter: DeadLetter) -> SafeString:
        """When."""
        return unbroken(minute(letter.created_at))

    @admin.display(description="received")
    def received_exactly(self, letter: DeadLetter) -> str:
        """To the second."""
        return moment(letter.created_at)

    @admin.display(description="dealt with")
    def outcome(self, letter: DeadLetter) -> str:
        """By whom, how and when."""
        return NONE if _is_open(letter) else f"{letter.resolution} {moment(letter.resolved_at)}"

    @admin.display(description="message")
    def message(self, letter: DeadLetter) -> SafeString:
        """As it came."""
        return code(readable(bytes(letter.value)))


def readable(value: bytes) -> str:
    """A message, for people: JSON indented, bytes that are no UTF-8 as ``\\xff``, and no more than a page."""
    start = value[:MAX_SHOWN_BYTES]
    text = start.decode(errors="backslashreplace")
    if len(value) > MAX_SHOWN_BYTES:
        return f"{text}…\n\n({len(value)} bytes in all.)"
    try:
        return indented(decode_compact(value, max_bytes=MAX_SHOWN_BYTES)[1])
    except ProtocolViolation:
        return text or "(It is empty.)"

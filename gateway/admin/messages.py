"""Messages in the admin. To look at only: a message is never changed."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from gateway.admin.filters import AuthorFilter, ChannelFilter, MessageDayFilter
from gateway.admin.links import account_link, channel_link, unbroken
from gateway.models import Message, MessageType
from gateway.selectors.overview import SEARCHED_MESSAGES, messages_saying
from realtime.admin_base import ReadOnlyAdmin
from realtime.admin_lists import BoundedPaginator
from realtime.admin_times import moment

# Two lines on a phone.
MAX_SHORT_CHARACTERS: Final = 60


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The newest first."""

    list_display = ("posted", "channel_name", "author_name", "kind", "text_in_short")
    list_display_links = ("posted",)
    list_filter = (ChannelFilter, AuthorFilter, MessageDayFilter)
    list_select_related = ("channel", "author")
    list_per_page = 50
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("content",)
    search_help_text = "Part of a text"
    list_before_template = "admin/gateway/message/bounds.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Further back one gets by the day.
    paginator = BoundedPaginator
    fields = ("message_id", "posted", "channel_name", "author_name", "kind_words", "text")
    readonly_fields = fields

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        bounds = {"max_listed": BoundedPaginator.max_listed, "searched": SEARCHED_MESSAGES}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **bounds})
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        if text := search_term.strip():
            queryset = messages_saying(queryset, text).select_related(*self.list_select_related)
        return queryset, False

    @admin.display(description="posted")
    def posted(self, message: Message) -> SafeString:
        """When."""
        return unbroken(moment(message.created_at))

    @admin.display(description="channel")
    def channel_name(self, message: Message) -> SafeString:
        """Where."""
        return channel_link(message.channel)

    @admin.display(description="author")
    def author_name(self, message: Message) -> SafeString:
        """Who."""
        return account_link(message.author)

    @display(description="type", label={MessageType.POST: "", MessageType.ANSWER: "info"})  # type: ignore[untyped-decorator]
    def kind(self, message: Message) -> tuple[int, str]:
        """A post or an answer."""
        return message.type, message.get_type_display()

    @admin.display(description="type")
    def kind_words(self, message: Message) -> str:
        """The same on its page."""
        return message.get_type_display()

    @admin.display(description="text")
    def text_in_short(self, message: Message) -> SafeString:
        """The first characters."""
        text = message.content
        short = text if len(text) <= MAX_SHORT_CHARACTERS else text[: MAX_SHORT_CHARACTERS - 1] + "…"
        return format_html('<bdi style="overflow-wrap: anywhere">{}</bdi>', short)

    @admin.display(description="text")
    def text(self, message: Message) -> SafeString:
        """All of it, as it was written."""
        return format_html(
            '<p dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</p>', message.content
        )

    @admin.display(description="id")
    def message_id(self, message: Message) -> str:
        """As clients have it."""
        return str(message.pk)

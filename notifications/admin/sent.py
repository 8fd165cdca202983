"""What was sent: to look at, and how far its recipients got."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import display

from notifications.admin.filters import TypeFilter
from notifications.admin.sending import SendingAdmin
from notifications.admin.words import code, data_words, in_short, notifications_url, unbroken, whole
from notifications.models import Sent, SentKind, Source
from notifications.selectors.people import names_of
from notifications.selectors.sent import (
    SEARCHED_SENT,
    count_statuses,
    first_recipients,
    list_sent,
    sent_saying,
)
from realtime.admin_lists import BoundedPaginator
from realtime.admin_times import minute, moment

# On its page. All of them are in the list of notifications.
MAX_RECIPIENTS: Final = 20

_SOURCE_LABELS = {Source.KAFKA: "info", Source.HTTP: "success", Source.ADMIN: "warning"}


@admin.register(Sent)
class SentAdmin(SendingAdmin):
    """The newest first."""

    list_display = ("sent_at", "what", "type", "source_label", "actor", "recipients")
    list_display_links = ("sent_at", "what")
    list_filter = ("source", "kind", TypeFilter)
    list_per_page = 50
    list_before_template = "admin/notifications/sent/tools.html"
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("title", "body")
    search_help_text = "Part of a title or a body"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    readonly_fields = (
        *("kind", "source", "actor", "sent_at_exactly", "type", "title_words", "body_words", "data_text"),
        *("subscription_list", "reload", "place"),
    )
    change_form_outer_after_template = "admin/notifications/sent/recipients.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sent]:
        return list_sent()

    def get_fields(self, request: HttpRequest, obj: Sent | None = None) -> tuple[Any, ...]:
        fields: tuple[Any, ...] = (("kind", "source"), ("actor", "sent_at_exactly"))
        if obj is not None and obj.kind == SentKind.UPDATE:
            fields += ("subscription_list", "reload", "data_text")
        else:
            fields += ("type", "title_words", "body_words", "data_text")
        return fields if obj is None or obj.partition is None else (*fields, "place")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Sent], search_term: str
    ) -> tuple[QuerySet[Sent], bool]:
        text = search_term.strip()
        return (sent_saying(queryset, text) if text else queryset), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "may_send": self.holds(request, "add"),
            "max_listed": BoundedPaginator.max_listed,
            "searched": SEARCHED_SENT,
        }
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **context})
        return response

    def row_context(self, request: HttpRequest, row: Sent) -> dict[str, Any]:
        """How far they got, and who they are for whoever may see that. Up to three queries."""
        if row.kind == SentKind.UPDATE:
            return {}
        context: dict[str, Any] = {"statuses": count_statuses(row)}
        if request.user.has_perm("notifications.view_notification"):
            recipients = first_recipients(row, MAX_RECIPIENTS)
            names = names_of([one.user_id for one in recipients])
            context["shown"] = [
                {
                    "name": names.get(one.user_id, one.user_id),
                    "url": notifications_url(user=one.user_id),
                    "status": one.get_status_display(),
                }
                for one in recipients
            ]
            context["all_url"] = notifications_url(sent=row.pk)
        return context

    # --- Columns and fields ---------------------------------------------------------------------------

    @admin.display(description="sent")
    def sent_at(self, sent: Sent) -> SafeString:
        """When."""
        return unbroken(minute(sent.created_at))

    @admin.display(description="sent")
    def sent_at_exactly(self, sent: Sent) -> str:
        """To the second."""
        return moment(sent.created_at)

    @admin.display(description="title")
    def what(self, sent: Sent) -> SafeString:
        """What it says."""
        return in_short(sent.title or sent.body or str(sent))

    @display(description="source", label=_SOURCE_LABELS)  # type: ignore[untyped-decorator]
    def source_label(self, sent: Sent) -> tuple[str, str]:
        """Which way it came."""
        return sent.source, sent.get_source_display()

    @admin.display(description="recipients")
    def recipients(self, sent: Sent) -> int:
        """How many were told."""
        return sent.recipient_count

    @admin.display(description="title")
    def title_words(self, sent: Sent) -> SafeString:
        """All of it."""
        return whole(sent.title)

    @admin.display(description="body")
    def body_words(self, sent: Sent) -> SafeString:
        """All of it."""
        return whole(sent.body)

    @admin.display(description="data")
    def data_text(self, sent: Sent) -> SafeString:
        """For programs."""
        return data_words(sent.data)

    @admin.display(description="subscriptions")
    def subscription_list(self, sent: Sent) -> SafeString:
        """Which were told."""
        return code("\n".join(sent.subscription_ids))

    @admin.display(description="topic/partition/offset")
    def place(self, sent: Sent) -> str:
        """Where it is in Kafka."""
        return f"{sent.topic}/{sent.partition}/{sent.offset}"

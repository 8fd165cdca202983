"""The admission log in the admin: everything that happened to the line, in order, to look at and to keep.

A face. Nothing can be changed: what is said about fairness is read from it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from queue.admin.filters import LogDayFilter
from queue.admin.words import breakable, unbroken
from queue.models import LogEntry, LogKind
from queue.selectors.log_csv import COLUMNS, log_csv_rows
from realtime.admin_base import ReadOnlyAdmin
from realtime.admin_times import NONE, moment
from realtime.http_csv import csv_response

_KIND_LABELS = {
    LogKind.JOINED: "warning",
    LogKind.ADMITTED: "info",
    LogKind.ENTERED: "success",
    LogKind.REFUSED: "danger",
    LogKind.FAILED: "danger",
    LogKind.REMOVED: "danger",
    LogKind.MOVED: "primary",
    LogKind.POLICY: "primary",
}


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """The latest first."""

    list_display = ("seq", "moment", "what", "why", "ticket_link", "client", "places", "note")
    list_display_links = None
    list_filter = ("kind", "reason", LogDayFilter)
    list_select_related = ("ticket",)
    list_before_template = "admin/queue/logentry/list_tools.html"
    ordering = ("-seq",)
    # The exact numbers would read the whole table.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("ticket__ticket_id", "ticket__client_id")
    search_help_text = "The id of a ticket or of a client, written out"

    @admin.display(description="when", ordering="seq")
    def moment(self, entry: LogEntry) -> SafeString:
        """To the second, in UTC."""
        return unbroken(moment(entry.at))

    @display(description="what", ordering="kind", label=_KIND_LABELS)  # type: ignore[untyped-decorator]
    def what(self, entry: LogEntry) -> tuple[str, str]:
        """In words and a colour."""
        return entry.kind, entry.get_kind_display()

    @admin.display(description="why", ordering="reason")
    def why(self, entry: LogEntry) -> str:
        """Of an admission."""
        return entry.get_reason_display() or NONE

    @admin.display(description="ticket")
    def ticket_link(self, entry: LogEntry) -> str | SafeString:
        """The position it had then."""
        if entry.ticket_id is None:
            return NONE
        url = reverse("admin:queue_ticket_change", args=[quote(entry.ticket_id)])
        return format_html('<a class="text-link" href="{}">{}</a>', url, entry.position)

    @admin.display(description="client")
    def client(self, entry: LogEntry) -> str | SafeString:
        """Whose ticket."""
        return breakable(entry.ticket.client_id) if entry.ticket else NONE

    @admin.display(description="places taken")
    def places(self, entry: LogEntry) -> str:
        """After this."""
        return places_taken(entry) or NONE

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        """By whole ids, as tickets are found."""
        if text := search_term.strip():
            queryset = queryset.filter(Q(ticket_id=text) | Q(ticket__client_id=text))
        return queryset, False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"csv_query": request.GET.urlencode()}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **context})
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export.csv", view, name="queue_logentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The entries of the list, by the same filters and search, as a file; the oldest first."""
        self.require(request, "view")
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.list_url())
        name = f"admission-log-{timezone.now():%Y-%m-%d}.csv"
        return csv_response(name, COLUMNS, log_csv_rows(changelist.get_queryset(request)))


def places_taken(entry: LogEntry) -> str:
    """``312 of 1000`` after this entry; "" where it says nothing of that."""
    if entry.occupied is None:
        return f"of {entry.capacity}" if entry.capacity is not None else ""
    return f"{entry.occupied} of {entry.capacity}" if entry.capacity is not None else str(entry.occupied)


def timeline_row(entry: LogEntry) -> dict[str, Any]:
    """One line of a ticket's timeline: when, what, at which position, and what more there is to say."""
    more = [entry.get_reason_display(), entry.note]
    if taken := places_taken(entry):
        more.append(f"{taken} places taken then")
    if entry.line_left:
        more.append("others were left in line")
    return {
        "at": moment(entry.at),
        "what": entry.get_kind_display(),
        "position": entry.position,
        "more": "; ".join(str(part) for part in more if part) or NONE,
    }

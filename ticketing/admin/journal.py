"""The journal in the admin: everything that happened at the desk, in order, to look at.

A face. Nothing can be changed: every process follows the journal.
"""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from realtime.admin_base import ReadOnlyAdmin
from realtime.admin_times import NONE
from ticketing.admin.times import moment
from ticketing.models import TicketEvent

_KIND_LABELS = {
    "created": "warning",
    "claimed": "info",
    "recalled": "info",
    "transferred": "info",
    "completed": "success",
    "cancelled": "danger",
    "no_show": "danger",
}


@admin.register(TicketEvent)
class TicketEventAdmin(ReadOnlyAdmin):
    """The latest first."""

    list_display = ("seq", "moment", "what", "ticket_link", "table", "left_table", "staff", "actor")
    list_display_links = None
    list_filter = ("kind", "table", "staff")
    list_select_related = ("ticket", "table", "left_table", "staff")
    ordering = ("-seq",)
    # The exact number would read the whole table.
    show_full_result_count = False
    search_fields = ("=actor",)
    search_help_text = "Who did it, written out"

    @admin.display(description="when", ordering="seq")
    def moment(self, event: TicketEvent) -> str:
        """To the second, in the time of the place."""
        return moment(event.at)

    @display(description="what", ordering="kind", label=_KIND_LABELS)  # type: ignore[untyped-decorator]
    def what(self, event: TicketEvent) -> tuple[str, str]:
        """In words and a colour."""
        return event.kind, event.get_kind_display()

    @admin.display(description="ticket")
    def ticket_link(self, event: TicketEvent) -> str | SafeString:
        """Its number."""
        if event.ticket is None:
            return NONE
        url = reverse("admin:ticketing_ticket_change", args=[event.ticket.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', url, event.ticket.label)


def timeline_row(event: TicketEvent) -> dict[str, str]:
    """One line of a timeline: when, what, by whom, whose, at which table."""
    what = event.get_kind_display()
    if event.left_table is not None:
        what += f" (from {event.left_table})"
    staff = event.staff.name if event.staff else ""
    return {
        "at": moment(event.at),
        "what": what,
        "by": event.actor or staff or NONE,
        "staff": staff or NONE,
        "table": str(event.table) if event.table else NONE,
    }

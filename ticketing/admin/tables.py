"""Tables in the admin: which there are, who sits there now, and having somebody leave.

A face: changes go through the services, so pickers and displays follow at once.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from realtime.admin_base import ServiceAdmin, actor_of, attempt
from realtime.admin_times import NONE
from ticketing.admin.times import minute
from ticketing.models import Pick, Table, Ticket, TicketState
from ticketing.selectors.tickets import TableStatus
from ticketing.services.tables import free_table, save_table

_STATE_WORDS = {
    "off": "Not in use",
    "offline": "Nobody there",
    "paused": "Paused",
    "free": "Free",
    "serving": "Serving",
}
_STATE_LABELS = {"off": "", "offline": "", "paused": "warning", "free": "success", "serving": "info"}


@admin.register(Table)
class TableAdmin(ServiceAdmin):
    """One that is not needed any more is switched off: its tickets still say that they were served there."""

    list_display = ("number", "table_name", "is_active", "state_label", "who", "serving", "since")
    list_filter = ("is_active",)
    search_fields = ("=number", "name")
    search_help_text = "A number, or part of a name"
    actions = ("free_selected",)
    fields = ("number", "name", "is_active", "state", "who", "serving", "since", "tickets_link")
    readonly_fields = ("state", "who", "serving", "since", "tickets_link")
    change_form_outer_before_template = "admin/ticketing/table/commands.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Table]:
        # Two more queries, however many tables there are.
        served = Ticket.objects.filter(state=TicketState.SERVING).order_by("called_seq")
        open_picks = (
            Pick.objects.filter(released_at=None)
            .select_related("staff")
            .prefetch_related(Prefetch("staff__tickets", queryset=served, to_attr="served_now"))
        )
        tables: QuerySet[Table] = super().get_queryset(request)
        return tables.prefetch_related(Prefetch("picks", queryset=open_picks, to_attr="open_picks"))

    def get_fields(self, request: HttpRequest, obj: Table | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Table | None = None) -> tuple[str, ...]:
        # Displays and pickers know a table by its number.
        return (*self.readonly_fields, "number") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Table, form: Any, change: bool) -> None:
        save_table(table=obj, actor=actor_of(request))

    # --- Columns --------------------------------------------------------------------------------------

    @admin.display(description="name", ordering="name")
    def table_name(self, table: Table) -> str:
        """As displays show it."""
        return str(table)

    @display(description="now", label=_STATE_LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, table: Table) -> tuple[str, str]:
        """What pickers and displays show, in a word and a colour."""
        state = _status(table).state
        return state, _STATE_WORDS[state]

    @admin.display(description="now")
    def state(self, table: Table) -> str:
        """What pickers and displays show."""
        return _STATE_WORDS[_status(table).state]

    @admin.display(description="who")
    def who(self, table: Table) -> str | SafeString:
        """Who sits there."""
        pick = _pick(table)
        if pick is None:
            return NONE
        url = reverse("admin:ticketing_staff_change", args=[pick.staff_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, pick.staff.name)

    @admin.display(description="serving")
    def serving(self, table: Table) -> str | SafeString:
        """The tickets called there, the last one last."""
        links = (
            (reverse("admin:ticketing_ticket_change", args=[ticket.pk]), ticket.label)
            for ticket in _status(table).serving
        )
        return format_html_join(", ", '<a class="text-link" href="{}">{}</a>', links) or NONE

    @admin.display(description="since")
    def since(self, table: Table) -> str:
        """When it was picked."""
        pick = _pick(table)
        return minute(pick.picked_at if pick else None)

    @admin.display(description="tickets")
    def tickets_link(self, table: Table) -> SafeString:
        """What was served there."""
        url = reverse("admin:ticketing_ticket_changelist", query={"table__id__exact": table.pk})
        return format_html('<a class="text-link" href="{}">All that were called there</a>', url)

    # --- What a manager does ----------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.free_view)
        return [path("<int:pk>/free/", view, name="ticketing_table_free"), *super().get_urls()]

    def row_context(self, request: HttpRequest, row: Table) -> dict[str, Any]:
        pick = _pick(row) if self.holds(request, "change") else None
        return {"held_by": pick.staff.name if pick else ""}

    def free_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: have whoever sits there leave, then show the table."""
        table: Table = self.target(request, pk, "change")
        if request.method == "POST":
            self._free(request, [table])
        return self.to_row(table)

    @admin.action(description="Free: whoever sits there leaves", permissions=["change"])
    def free_selected(self, request: HttpRequest, queryset: QuerySet[Table]) -> None:
        """Tickets being served stay with their staff."""
        self._free(request, queryset)

    def _free(self, request: HttpRequest, tables: Iterable[Table]) -> None:
        def change(table: Table) -> None:
            free_table(number=table.number, actor=actor_of(request))
            self.log_change(request, table, "Freed.")

        attempt(request, tables, change, done="can be picked again")


def _pick(table: Table) -> Pick | None:
    picks: list[Pick] = getattr(table, "open_picks", [])
    return picks[0] if picks else None


def _status(table: Table) -> TableStatus:
    pick = _pick(table)
    return TableStatus(table, pick, pick.staff.served_now if pick else [])  # type: ignore[attr-defined]

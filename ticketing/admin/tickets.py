"""Tickets in the admin: to find them, to see what happened to them, and what a manager does to them.

A face: changes go through the services, so every socket sees them at once.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from realtime.admin_base import ReadOnlyAdmin, actor_of, attempt
from realtime.admin_times import NONE, duration
from realtime.http_csv import csv_response
from ticketing.admin.commands import COMMANDS
from ticketing.admin.filters import TicketDayFilter
from ticketing.admin.journal import timeline_row
from ticketing.admin.times import minute, moment
from ticketing.models import Ticket, TicketState
from ticketing.selectors.figures import local_today
from ticketing.selectors.tickets import CSV_COLUMNS, csv_rows, get_place, list_tickets, list_timeline

STATE_LABELS = {
    TicketState.WAITING: "warning",
    TicketState.SERVING: "info",
    TicketState.COMPLETED: "success",
    TicketState.CANCELLED: "danger",
    TicketState.NO_SHOW: "danger",
}


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Every ticket there has been; those of visitors who were erased have neither name nor address."""

    list_display = ("read_number", "state_label", "who", "waited", "staff", "table", "taken")
    list_display_links = ("read_number",)
    list_filter = ("state", TicketDayFilter, "table", "staff")
    list_select_related = ("staff", "table")
    list_before_template = "admin/ticketing/ticket/list_tools.html"
    # The exact number would read the whole table.
    show_full_result_count = False
    # What is done to a ticket is one commit; those of a page are quick enough to wait for.
    list_disable_select_all = True
    search_fields = ("name",)
    search_help_text = "A number (17, A-017), or part of a name or an address"
    actions = ("release_selected", "complete_selected", "cancel_selected")
    change_form_outer_before_template = "admin/ticketing/ticket/commands.html"
    change_form_outer_after_template = "admin/ticketing/ticket/timeline.html"
    fieldsets = (
        (None, {"fields": (("read_number", "state"), ("table", "staff"), "place")}),
        ("Visitor", {"fields": (("name", "email"), ("visitor_link", "kiosk"))}),
        ("Times", {"fields": (("taken_at", "waited"), ("called_at", "served"), "done_at")}),
    )
    readonly_fields = (
        "read_number",
        "place",
        "visitor_link",
        "taken_at",
        "called_at",
        "done_at",
        "waited",
        "served",
    )

    # --- Columns and fields ---------------------------------------------------------------------------

    @admin.display(description="number", ordering="id")
    def read_number(self, ticket: Ticket) -> str:
        """What people read."""
        return ticket.label

    @display(description="state", ordering="state", label=STATE_LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, ticket: Ticket) -> tuple[str, str]:
        """In a word and a colour."""
        return ticket.state, ticket.get_state_display()

    @admin.display(description="visitor", ordering="name")
    def who(self, ticket: Ticket) -> str | SafeString:
        """Name and address."""
        if not ticket.email:
            return "(erased)"
        return format_html(
            '<span><bdi class="block text-important">{}</bdi><bdi>{}</bdi></span>', ticket.name, ticket.email
        )

    @admin.display(description="waited")
    def waited(self, ticket: Ticket) -> str:
        """Until the first call; until now, or until the end, where there was none."""
        until = ticket.claimed_at or ticket.ended_at or timezone.now()
        return duration(max(0.0, (until - ticket.created_at).total_seconds()))

    @admin.display(description="served for")
    def served(self, ticket: Ticket) -> str:
        """From the first call to the end; until now where it has not ended."""
        if ticket.claimed_at is None or ticket.state == TicketState.WAITING:
            return NONE
        until = ticket.ended_at or timezone.now()
        return duration(max(0.0, (until - ticket.claimed_at).total_seconds()))

    @admin.display(description="taken", ordering="created_at")
    def taken(self, ticket: Ticket) -> str:
        """When it was taken, to the minute."""
        return minute(ticket.created_at)

    @admin.display(description="taken at")
    def taken_at(self, ticket: Ticket) -> str:
        """When it was taken, to the second."""
        return moment(ticket.created_at)

    @admin.display(description="first called at")
    def called_at(self, ticket: Ticket) -> str:
        """The first call."""
        return moment(ticket.claimed_at)

    @admin.display(description="ended at")
    def done_at(self, ticket: Ticket) -> str:
        """When it was completed or cancelled."""
        return moment(ticket.ended_at)

    @admin.display(description="place in the line")
    def place(self, ticket: Ticket) -> str:
        """How many are before it, and how long that may take."""
        place = get_place(ticket)
        if place is None:
            return NONE
        estimate = "" if place.estimate_s is None else f", called in about {duration(place.estimate_s)}"
        return f"{place.ahead} before it{estimate}"

    @admin.display(description="all tickets of the visitor")
    def visitor_link(self, ticket: Ticket) -> str | SafeString:
        """Where the visitor's data is, and is erased."""
        if ticket.visitor_id is None:
            return "The visitor's data was erased."
        url = reverse("admin:ticketing_visitor_change", args=[ticket.visitor_id])
        return format_html('<a class="text-link" href="{}">The visitor</a>', url)

    def get_fieldsets(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.state == TicketState.WAITING:
            return fieldsets
        first, *others = fieldsets
        return [(None, {"fields": first[1]["fields"][:-1]}), *others]  # without the place

    # --- The list -------------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        """Find as the API does."""
        if text := search_term.strip():
            queryset = queryset.filter(pk__in=list_tickets(text=text).order_by().values("pk"))
        return queryset, False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # By the number people know a table by, for links.
        return lookup == "table__number" or bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"csv_query": request.GET.urlencode(), "today": local_today().isoformat()}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **context})
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("export.csv", view(self.export_view), name="ticketing_ticket_export"),
            *(
                path(f"<int:pk>/{name}/", view(self.command_view), {"name": name}, f"ticketing_ticket_{name}")
                for name in COMMANDS
            ),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The tickets of the list, by the same filters and search, as a file."""
        self.require(request, "view")
        try:
            changelist: ChangeList = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.list_url())
        rows = csv_rows(changelist.get_queryset(request))
        return csv_response(f"tickets-{local_today()}.csv", CSV_COLUMNS, rows)

    # --- What a manager does ----------------------------------------------------------------------------

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """For the actions: fields are never edited, so there is no change permission to ask for."""
        return self.holds(request, "change")

    def row_context(self, request: HttpRequest, row: Ticket) -> dict[str, Any]:
        manages = self.holds(request, "change")
        return {
            "title": f"Ticket {row.label}",
            "commands": [
                {
                    "url": reverse(f"admin:ticketing_ticket_{name}", args=[row.pk]),
                    "button": command.button,
                    "asks": bool(command.question),
                }
                for name, command in COMMANDS.items()
                if manages and row.state in command.states
            ],
            "timeline": [timeline_row(event) for event in list_timeline(row.pk)],
        }

    def command_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """``POST``: do it to one ticket, then show it; ``GET`` asks first."""
        ticket: Ticket = self.target(request, pk, "change")
        if request.method == "POST":
            self._command(request, name, [ticket])
            return self.to_row(ticket)
        command = COMMANDS[name]
        return self.confirmation(
            request,
            title=f"{command.button}: {ticket.label}?",
            text=f"The ticket {command.question}" if command.question else "",
            yes=f"{command.button} {ticket.label}",
            back=self.row_url(ticket),
        )

    @admin.action(description="Back to the line", permissions=["manage"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        """Put those being served back to their places."""
        self._command(request, "release", queryset)

    @admin.action(description="Complete", permissions=["manage"])
    def complete_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        """For what was left open by somebody who has gone home."""
        self._command(request, "complete", queryset)

    @admin.action(description="Cancel …", permissions=["manage"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
        """Asks first."""
        if "confirmed" in request.POST:
            self._command(request, "cancel", queryset)
            return None
        tickets = list(queryset.order_by("pk"))
        return self.confirmation(
            request,
            title=f"Cancel {len(tickets)} ticket{'' if len(tickets) == 1 else 's'}?",
            text=f"Each of these {COMMANDS['cancel'].question}",
            items=[f"{ticket.label} · {ticket.get_state_display()}" for ticket in tickets],
            hidden=[
                ("action", "cancel_selected"),
                ("confirmed", "yes"),
                *((ACTION_CHECKBOX_NAME, ticket.pk) for ticket in tickets),
            ],
            yes="Cancel them",
            back=request.get_full_path(),
        )

    def _command(self, request: HttpRequest, name: str, tickets: Iterable[Ticket]) -> None:
        command = COMMANDS[name]

        def change(ticket: Ticket) -> None:
            command.change(ticket_id=ticket.pk, staff_id=None, actor=actor_of(request))
            self.log_change(request, ticket, f"{command.button}.")

        # The longest waiting first, as if somebody went through the line.
        attempt(request, sorted(tickets, key=lambda ticket: ticket.pk), change, done=command.done)

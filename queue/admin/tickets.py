"""Tickets in the admin: the line in order, what became of each, who went first and why, an operator's hand.

A face: changes go through the services, so connections hear of them at once.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from queue.admin.filters import PlatformFilter, TicketStateFilter
from queue.admin.log import timeline_row
from queue.admin.words import breakable, since, spread
from queue.models import Ticket, TicketState
from queue.selectors.explain import count_overtaken_by, list_timeline, overtaken_by
from queue.selectors.line import OPEN
from queue.selectors.places import count_ahead
from queue.selectors.tickets import get_place
from queue.services.tickets import admit_ticket, move_to_front, remove_ticket
from realtime.admin_commands import Command, CommandAdmin
from realtime.admin_times import NONE, duration, moment

# On a page for people; the count says how many more there are.
MAX_OVERTAKINGS = 100

STATE_LABELS = {
    TicketState.WAITING: "warning",
    TicketState.ADMITTED: "info",
    TicketState.ENTERED: "success",
    TicketState.REFUSED: "danger",
    TicketState.STALE: "",
    TicketState.REMOVED: "danger",
}


def _waits(ticket: Ticket) -> bool:
    return ticket.state == TicketState.WAITING


class TicketList(ChangeList):
    """The page of the list, with how many wait before each: two more queries, however many are listed."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        ahead = count_ahead([ticket.position for ticket in self.result_list if _waits(ticket)])
        for ticket in self.result_list:
            ticket.ahead = ahead.get(ticket.position) if _waits(ticket) else None


@admin.register(Ticket)
class TicketAdmin(CommandAdmin):
    """At first those in line, in order; a search looks at all there were."""

    commands = {
        "admit": Command(
            lambda ticket, actor: admit_ticket(ticket_id=ticket.pk, actor=actor),
            lambda ticket: _waits(ticket) and bool(ticket.holder),
            button="Admit now",
            done="is being logged in",
            question="Let in at once, before all others and whatever the capacity. "
            "Whoever is passed over can see in the log who did it.",
            order=lambda ticket: ticket.position,
        ),
        "front": Command(
            lambda ticket, actor: move_to_front(ticket_id=ticket.pk, actor=actor),
            _waits,
            button="Move to the front",
            done="stands at the front now",
            question="Gets a place before all others, who wait that much longer. This cannot be undone.",
            # Whoever is moved last stands first: they keep their order among themselves.
            order=lambda ticket: -ticket.position,
        ),
        "remove": Command(
            lambda ticket, actor: remove_ticket(ticket_id=ticket.pk, actor=actor),
            _waits,
            button="Remove",
            done="was taken out of the line",
            question="Taken out of the line, and told so. This cannot be undone: whoever comes back gets "
            "a place at the end.",
        ),
    }
    list_display = (
        *("position", "ahead", "client", "platform", "login"),
        *("state_label", "connection_words", "waited"),
    )
    list_display_links = ("position", "client")
    list_filter = (TicketStateFilter, PlatformFilter)
    search_fields = ("ticket_id", "client_id")
    search_help_text = "The id of a ticket or of a client, written out"
    change_form_outer_after_template = "admin/queue/ticket/course.html"
    fieldsets = (
        (None, {"fields": (("position", "state"), "place", ("client_id", "ticket_id"))}),
        ("Client", {"fields": (("platform", "login_type"), "connection_words", "session_link")}),
        ("Times", {"fields": (("joined", "waited"), ("admitted", "ended"), "status_code")}),
    )
    readonly_fields = ("place", "connection_words", "session_link", "joined", "waited", "admitted", "ended")

    # --- Columns and fields ---------------------------------------------------------------------------

    @admin.display(description="before", empty_value=NONE)
    def ahead(self, ticket: Ticket) -> int | None:
        """How many wait before it, connected or away."""
        return getattr(ticket, "ahead", None)

    @admin.display(description="client", ordering="client_id")
    def client(self, ticket: Ticket) -> SafeString:
        """The id, broken where it is long."""
        return breakable(ticket.client_id)

    @admin.display(description="type", ordering="login_type")
    def login(self, ticket: Ticket) -> str:
        """How it logs in."""
        return ticket.get_login_type_display()

    @display(description="state", ordering="state", label=STATE_LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, ticket: Ticket) -> tuple[str, str]:
        """In a word and a colour."""
        return ticket.state, ticket.get_state_display()

    @admin.display(description="connection")
    def connection_words(self, ticket: Ticket) -> str:
        """Whether somebody waits with it."""
        if ticket.holder:
            return "connected"
        return f"away since {since(ticket.inactive_since)}" if _waits(ticket) else NONE

    @admin.display(description="waited", ordering="wait_ms")
    def waited(self, ticket: Ticket) -> str:
        """Until it was admitted, or left; until now while it waits."""
        until = ticket.admitted_at or ticket.ended_at or timezone.now()
        return duration(max(0.0, (until - ticket.joined_at).total_seconds()))

    @admin.display(description="place in line")
    def place(self, ticket: Ticket) -> str:
        """How many are before it, and how long that may take."""
        place = get_place(ticket)
        if place is None:
            return NONE
        if not ticket.holder:
            return f"{place.ahead} before it; passed over until its client is back"
        if place.estimate is None:
            return f"{place.ahead} before it"
        return f"{place.ahead} before it, admitted in {spread(place.estimate)}"

    @admin.display(description="session")
    def session_link(self, ticket: Ticket) -> str | SafeString:
        """What came of it."""
        session = getattr(ticket, "session", None)
        if session is None:
            return NONE
        url = reverse("admin:queue_session_changelist", query={"q": session.pk})
        return format_html('<a class="text-link" href="{}">{}</a>', url, session.pk)

    @admin.display(description="joined")
    def joined(self, ticket: Ticket) -> str:
        """When it got its place."""
        return moment(ticket.joined_at)

    @admin.display(description="admitted")
    def admitted(self, ticket: Ticket) -> str:
        """When it went to the main server."""
        return moment(ticket.admitted_at)

    @admin.display(description="ended")
    def ended(self, ticket: Ticket) -> str:
        """When it left the line for good."""
        return moment(ticket.ended_at)

    # --- The list and the page --------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TicketList]:
        return TicketList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        if TicketStateFilter.shows_the_line(request):
            return ("position",)
        return ("-joined_at", "-position")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        """By whole ids: both have an index, parts of them have none."""
        if text := search_term.strip():
            queryset = queryset.filter(Q(pk=text) | Q(client_id=text))
        return queryset, False

    def described(self, row: Ticket) -> str:
        return f"{row} · {row.client_id} · {row.get_state_display()}, {self.connection_words(row)}"

    def row_context(self, request: HttpRequest, row: Ticket) -> dict[str, Any]:
        overtakings = overtaken_by(row, limit=MAX_OVERTAKINGS)
        return {
            **super().row_context(request, row),
            "timeline": [timeline_row(entry) for entry in list_timeline(row)],
            "overtakings": [
                {
                    "url": reverse("admin:queue_ticket_change", args=[quote(one.ticket_id)]),
                    "position": one.position,
                    "client": breakable(one.client_id),
                    "at": moment(one.admitted_at),
                    "reason": one.reason,
                }
                for one in overtakings
            ],
            "more": count_overtaken_by(row) - len(overtakings),
            "in_line": row.state in OPEN,
        }

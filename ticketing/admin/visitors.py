"""Visitors in the admin: to find them, to see their tickets, and to erase what is known of them.

A face: changes go through the services.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from realtime.admin_base import MAX_NAMED, ReadOnlyAdmin, actor_of
from realtime.logs import get_logger
from ticketing.admin.times import minute, moment
from ticketing.models import Visitor
from ticketing.selectors.tickets import list_visitors
from ticketing.services.visitors import erase_visitor

log = get_logger(__name__)

# Tickets on a visitor's page; the ticket list finds the rest by the address.
MAX_TICKETS_SHOWN = 100


@admin.register(Visitor)
class VisitorAdmin(ReadOnlyAdmin):
    """The latest first. Erasing is the one thing to do: names and addresses come from the kiosk."""

    list_display = ("name", "email", "ticket_count", "last_visit", "known_since")
    search_fields = ("name", "email_key")
    search_help_text = "Part of a name or an address"
    actions = ("erase_selected",)
    fields = ("name", "email", "known_since")
    readonly_fields = ("known_since",)
    # The exact number would read the whole table.
    show_full_result_count = False
    list_disable_select_all = True
    change_form_outer_after_template = "admin/ticketing/visitor/tickets.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visitor]:
        return list_visitors().annotate(last_ticket_at=Max("tickets__created_at"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Visitor], search_term: str
    ) -> tuple[QuerySet[Visitor], bool]:
        """Find as the API does."""
        if text := search_term.strip():
            queryset = queryset.filter(pk__in=list_visitors(text=text).order_by().values("pk"))
        return queryset, False

    @admin.display(description="tickets", ordering="ticket_count")
    def ticket_count(self, visitor: Visitor) -> int:
        """How many they have taken."""
        count: int = getattr(visitor, "ticket_count", 0)
        return count

    @admin.display(description="last visit", ordering="last_ticket_at")
    def last_visit(self, visitor: Visitor) -> str:
        """When they last took one."""
        return minute(getattr(visitor, "last_ticket_at", None))

    @admin.display(description="known since", ordering="created_at")
    def known_since(self, visitor: Visitor) -> str:
        """The first ticket."""
        return minute(visitor.created_at)

    # --- Erasing --------------------------------------------------------------------------------------

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete visitors."""
        return self.holds(request, "delete")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.erase_view)
        return [path("<int:pk>/erase/", view, name="ticketing_visitor_erase"), *super().get_urls()]

    def row_context(self, request: HttpRequest, row: Visitor) -> dict[str, Any]:
        tickets = row.tickets.select_related("staff", "table").order_by("-pk")
        return {
            "may_erase": self.holds(request, "delete"),
            "may_see_tickets": request.user.has_perm("ticketing.view_ticket"),
            "tickets": [
                {
                    "url": reverse("admin:ticketing_ticket_change", args=[ticket.pk]),
                    "label": ticket.label,
                    "state": ticket.get_state_display(),
                    "taken": moment(ticket.created_at),
                    "staff": ticket.staff,
                    "table": ticket.table,
                }
                for ticket in tickets[:MAX_TICKETS_SHOWN]
            ],
            "more": max(getattr(row, "ticket_count", 0) - MAX_TICKETS_SHOWN, 0),
        }

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: erase one visitor, then show the list; ``GET`` asks first."""
        visitor: Visitor = self.target(request, pk, "delete")
        if request.method == "POST":
            self._erase(request, [visitor])
            return HttpResponseRedirect(self.list_url())
        return self._ask(request, [visitor], back=self.row_url(visitor))

    @admin.action(description="Erase …", permissions=["erase"])
    def erase_selected(self, request: HttpRequest, queryset: QuerySet[Visitor]) -> HttpResponse | None:
        """Asks first."""
        if "confirmed" in request.POST:
            self._erase(request, list(queryset))
            return None
        visitors = list(queryset)
        hidden = [("action", "erase_selected"), ("confirmed", "yes")]
        hidden += [(ACTION_CHECKBOX_NAME, str(visitor.pk)) for visitor in visitors]
        return self._ask(request, visitors, hidden=hidden, back=request.get_full_path())

    def _ask(self, request: HttpRequest, visitors: list[Visitor], **context: Any) -> HttpResponse:
        items = [f"{visitor.name} ({visitor.email})" for visitor in visitors[:MAX_NAMED]]
        if len(visitors) > MAX_NAMED:
            items.append(f"and {len(visitors) - MAX_NAMED} more")
        return self.confirmation(
            request,
            title="Erase this visitor's data?" if len(visitors) == 1 else f"Erase {len(visitors)} visitors?",
            text="Name and address are taken out of every ticket; a ticket that is still open is cancelled. "
            "That somebody was here, when and at which table, stays. This cannot be undone.",
            items=items,
            yes="Erase",
            **context,
        )

    def _erase(self, request: HttpRequest, visitors: list[Visitor]) -> None:
        blanked = 0
        for visitor in visitors:
            pk = visitor.pk
            blanked += erase_visitor(visitor=visitor, actor=actor_of(request))
            # By number only: what is erased must not live on in a log.
            LogEntry.objects.create(
                user_id=request.user.pk or 0,
                content_type=ContentType.objects.get_for_model(Visitor),
                object_id=str(pk),
                object_repr=f"Visitor {pk}",
                action_flag=DELETION,
                change_message="Personal data erased.",
            )
            log.info("ticketing.visitor_erased", visitor_id=pk, by=actor_of(request))
        number, s = len(visitors), "" if len(visitors) == 1 else "s"
        messages.success(request, f"Erased: {number} visitor{s}, in {blanked} ticket(s).")

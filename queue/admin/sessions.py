"""Sessions in the admin: who takes a place in the main server, and giving the place back.

A face: changes go through the services.
"""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import F, OrderBy, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from queue.admin.filters import AliveFilter, PlatformFilter
from queue.admin.words import breakable
from queue.models import Session
from queue.services.sessions import end_session
from realtime.admin_commands import Command, CommandAdmin
from realtime.admin_times import duration, moment


@admin.register(Session)
class SessionAdmin(CommandAdmin):
    """At first those that are alive; a search looks at all there were."""

    commands = {
        "end": Command(
            lambda session, actor: end_session(session_id=session.pk, actor=actor),
            lambda session: session.ended_at is None,
            button="End the session",
            done="has ended: its place is free",
            question="The place is free at once and goes to the next in line. Nobody is thrown out of the "
            "main server by this: it says that whoever was there has left.",
        )
    }
    list_display = ("client", "platform", "state", "started", "seen", "lasted_words", "ticket_link")
    list_display_links = ("client",)
    list_filter = (AliveFilter, PlatformFilter)
    list_select_related = ("ticket",)
    search_fields = ("session_id", "client_id")
    search_help_text = "The id of a session or of a client, written out"
    ordering = (OrderBy(F("ended_at"), descending=True, nulls_first=True), "-started_at")
    fieldsets = (
        (None, {"fields": (("client_id", "platform"), ("state", "ticket_link"), "session_id")}),
        ("Times", {"fields": (("started", "seen"), ("ended", "lasted_words"))}),
        ("Its login", {"fields": (("delivered", "logins"),)}),
    )
    readonly_fields = ("state", "ticket_link", "started", "seen", "ended", "lasted_words")

    @admin.display(description="client", ordering="client_id")
    def client(self, session: Session) -> SafeString:
        """The id, broken where it is long."""
        return breakable(session.client_id)

    @display(  # type: ignore[untyped-decorator]
        description="state", label={"alive": "success", "ended": "", "expired": "warning"}
    )
    def state(self, session: Session) -> str:
        """In a word and a colour."""
        if session.ended_at is None:
            return "alive"
        return "expired" if session.expired else "ended"

    @admin.display(description="started", ordering="started_at")
    def started(self, session: Session) -> str:
        """When it was let in."""
        return moment(session.started_at)

    @admin.display(description="last sign of life", ordering="seen_at")
    def seen(self, session: Session) -> str:
        """When it was heard of last."""
        return moment(session.seen_at)

    @admin.display(description="ended", ordering="ended_at")
    def ended(self, session: Session) -> str:
        """When the place was free again."""
        return moment(session.ended_at)

    @admin.display(description="lasted")
    def lasted_words(self, session: Session) -> str:
        """Until it ended; until now while it is alive."""
        lasted = session.lasted or timezone.now() - session.started_at
        return duration(max(0.0, lasted.total_seconds()))

    @admin.display(description="ticket")
    def ticket_link(self, session: Session) -> SafeString:
        """The place in line it had."""
        url = reverse("admin:queue_ticket_change", args=[quote(session.ticket_id)])
        return format_html('<a class="text-link" href="{}">{}</a>', url, session.ticket)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        """By whole ids: both have an index, parts of them have none."""
        if text := search_term.strip():
            queryset = queryset.filter(Q(pk=text) | Q(client_id=text))
        return queryset, False

    def described(self, row: Session) -> str:
        return f"{row.client_id} · {row.platform} · since {moment(row.started_at)}"

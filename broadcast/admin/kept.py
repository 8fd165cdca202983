"""What is kept of broadcast channels: their policies, and the events of those with history.

A face: changes go through the services.
"""

from typing import Any

import msgspec
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from broadcast.models import Access, ChannelPolicy, Event
from broadcast.rules import is_channel_name
from broadcast.services.policies import delete_policy, save_policy

_ACCESS_LABELS = {Access.OPEN: "success", Access.KEY: "info", Access.CLOSED: "danger"}


@admin.register(ChannelPolicy)
class ChannelPolicyAdmin(ModelAdmin):
    """Who may do what on a channel, and how much of it is kept."""

    list_display = ("channel", "emit_access", "listen_access", "history_size", "kept_events", "last_event")
    search_fields = ("channel",)
    list_filter = ("emit", "listen")
    readonly_fields = ("kept_events", "last_event", "live_link")
    fieldsets = (
        (None, {"fields": ("channel",)}),
        ("Access", {"fields": ("emit", "listen")}),
        (
            "History",
            {
                "fields": ("history_size", "history_age_s", "kept_events", "last_event"),
                "description": "Listeners that were away catch up on what is kept. A smaller number or age "
                "lets go of events for good, within a minute.",
            },
        ),
        ("Now", {"fields": ("live_link",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelPolicy]:
        # Numbers are dense, so the first and the last kept one say how many there are; counting the rows
        # would read all of them.
        events = Event.objects.filter(channel=OuterRef("channel"))
        last = events.order_by("-seq")
        policies: QuerySet[ChannelPolicy] = super().get_queryset(request)
        return policies.annotate(
            first_seq=Subquery(events.order_by("seq").values("seq")[:1]),
            last_seq=Subquery(last.values("seq")[:1]),
            last_event_at=Subquery(last.values("created_at")[:1]),
        )

    def get_fieldsets(self, request: HttpRequest, obj: ChannelPolicy | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and is_channel_name(obj.channel):
            return fieldsets
        # Nothing is kept or live of a policy that is new, or stands for many channels.
        computed = set(self.readonly_fields)
        trimmed = [
            (name, {**options, "fields": tuple(f for f in options["fields"] if f not in computed)})
            for name, options in fieldsets
        ]
        return tuple((name, options) for name, options in trimmed if options["fields"])

    @display(description="emit", ordering="emit", label=_ACCESS_LABELS)  # type: ignore[untyped-decorator]
    def emit_access(self, policy: ChannelPolicy) -> tuple[str, str]:
        """Who may emit."""
        return policy.emit, policy.get_emit_display()

    @display(description="listen", ordering="listen", label=_ACCESS_LABELS)  # type: ignore[untyped-decorator]
    def listen_access(self, policy: ChannelPolicy) -> tuple[str, str]:
        """Who may listen."""
        return policy.listen, policy.get_listen_display()

    @admin.display(description="kept now")
    def kept_events(self, policy: ChannelPolicy) -> str | SafeString:
        """How many events there are, with a link to them."""
        last, first = getattr(policy, "last_seq", None), getattr(policy, "first_seq", None)
        if last is None or first is None:
            return "–"
        url = reverse("admin:broadcast_event_changelist", query={"q": policy.channel})
        return format_html('<a class="text-link" href="{}">{}</a>', url, last - first + 1)

    @admin.display(description="last event")
    def last_event(self, policy: ChannelPolicy) -> str:
        """When the latest kept event was emitted."""
        emitted_at = getattr(policy, "last_event_at", None)
        return f"{emitted_at:%Y-%m-%d %H:%M:%S} UTC" if emitted_at else "–"

    @admin.display(description="listeners")
    def live_link(self, policy: ChannelPolicy) -> SafeString:
        """Where to see them."""
        url = reverse("admin:broadcast_livechannel_channel", args=[policy.channel])
        return format_html('<a class="text-link" href="{}">Who listens now, and emit an event</a>', url)

    def save_model(self, request: HttpRequest, obj: ChannelPolicy, form: Any, change: bool) -> None:
        save_policy(policy=obj)

    def delete_model(self, request: HttpRequest, obj: ChannelPolicy) -> None:
        delete_policy(policy=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChannelPolicy]) -> None:
        for policy in queryset:
            delete_policy(policy=policy)


class ReadOnlyAdmin(ModelAdmin):
    """To look at only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The history. Only its policy takes events out of it: listeners are promised that it has no holes."""

    list_display = ("event_id", "channel", "seq", "payload_in_short", "created_at")
    search_fields = ("=channel", "=event_id")
    search_help_text = "A channel or an event ID, written out"
    ordering = ("-created_at", "-seq")
    fields = ("channel", "seq", "event_id", "created_at", "payload_text")
    readonly_fields = fields
    # The exact number would read the whole table.
    show_full_result_count = False

    @admin.display(description="payload")
    def payload_in_short(self, event: Event) -> str:
        """The first characters."""
        if not event.payload:
            return "(not kept: it was for particular clients)"
        return event.payload if len(event.payload) <= 80 else event.payload[:79] + "…"

    @admin.display(description="payload")
    def payload_text(self, event: Event) -> SafeString:
        """The payload, one value a line."""
        if not event.payload:
            return format_html("{}", self.payload_in_short(event))
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', pretty(event.payload))


def pretty(text: str | bytes) -> str:
    """JSON text, indented."""
    return msgspec.json.format(text if isinstance(text, bytes) else text.encode(), indent=2).decode()

"""The admin of the broadcast channels: policies, the kept events, and what goes on right now.

A face: changes go through the services. What is live is asked of the server's event loop
(`async_to_sync` finds it), so these pages show every process.
"""

from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from broadcast.events import can_acknowledge, presence_of
from broadcast.models import Access, ChannelPolicy, Event, LiveChannel
from broadcast.protocol.messages import MAX_FRAME_BYTES
from broadcast.rules import Target, is_channel_name, parse_target
from broadcast.services.emitting import Emitted, emit
from broadcast.services.listening import kick, list_channels, list_members
from broadcast.services.policies import PolicyBook, delete_policy, save_policy
from realtime import runtime
from realtime.errors import FoyerError, ProtocolViolation
from realtime.logs import get_logger
from realtime.presence import Member
from realtime.wire import decode_compact

log = get_logger(__name__)

# A page for people: a longer list would be looked at by nobody.
MAX_SHOWN = 200
# Client IDs in one message.
MAX_NAMED = 20

# The session's name for what was emitted last: whoever tries things out sends nearly the same again.
LAST_EMIT = "broadcast.last_emit"
MAX_REPEATED_CHARACTERS = 4096

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


class EmitForm(forms.Form):
    """One event, to be emitted from the admin."""

    payload = forms.CharField(
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 5, "style": "font-family: monospace", "spellcheck": "false"}
        ),
        initial='{"hello": "world"}',
        help_text="Any JSON value but an empty object and null.",
    )
    clients = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Empty for everyone, a number for that many at random, or client IDs with commas.",
    )
    require_ack = forms.BooleanField(
        required=False,
        label="Wait for acknowledgement",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="The answer then says who acknowledged, after 5 seconds at most.",
    )

    def clean_payload(self) -> bytes:
        """The payload as compact JSON text."""
        try:
            return decode_compact(self.cleaned_data["payload"], max_bytes=MAX_FRAME_BYTES)[1]
        except ProtocolViolation as error:
            raise forms.ValidationError(error.message) from None

    def clean_clients(self) -> Target:
        """Whom to send it to."""
        try:
            return parse_target(self.cleaned_data["clients"].strip() or None)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def to_repeat(self) -> dict[str, Any]:
        """What the form should begin with next time; nothing if it is large."""
        payload = self.data["payload"]
        if len(payload) > MAX_REPEATED_CHARACTERS:
            return {}
        return {
            "payload": payload,
            "clients": self.data.get("clients", ""),
            "require_ack": self.cleaned_data["require_ack"],
        }


class OpenForm(forms.Form):
    """The name of a channel to look at, also one that nobody listens to yet."""

    channel = forms.CharField(
        max_length=128,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_channel(self) -> str:
        """A channel's name."""
        channel: str = self.cleaned_data["channel"].strip()
        if not is_channel_name(channel):
            raise forms.ValidationError("Not a channel's name: 1 to 128 of A–Z a–z 0–9 . _ : ~ -")
        return channel


@admin.register(LiveChannel)
class LiveChannelAdmin(ReadOnlyAdmin):
    """Channels with listeners now; who they are, removing one, emitting. Up to date at each reload."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.overview), name="broadcast_livechannel_changelist"),
            path("<str:channel>/", view(self.channel_view), name="broadcast_livechannel_channel"),
            path("<str:channel>/kick/", view(self.kick_view), name="broadcast_livechannel_kick"),
        ]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Every channel that has listeners, the fullest first."""
        self._require(request, "view")
        form = OpenForm(request.GET if "channel" in request.GET else None)
        if form.is_valid():
            return HttpResponseRedirect(_channel_url(form.cleaned_data["channel"]))
        counts = async_to_sync(list_channels)()
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return self._page(
            request,
            "overview",
            title="Live channels",
            channels=ranked[:MAX_SHOWN],
            more=max(len(ranked) - MAX_SHOWN, 0),
            listeners=sum(counts.values()),
            form=form,
        )

    def channel_view(self, request: HttpRequest, channel: str) -> HttpResponse:
        """One channel: its members, and a form to emit."""
        self._require(request, "view")
        if not is_channel_name(channel):
            raise Http404("no channel has this name")
        form = EmitForm(initial=request.session.get(LAST_EMIT))
        if request.method == "POST":
            self._require(request, "emit")
            form = EmitForm(request.POST)
            if form.is_valid() and (emitted := self._emit(channel, form)) is not None:
                log.info("broadcast.emitted_in_admin", channel=channel, by=request.user.get_username())
                _tell(request, emitted)
                request.session[LAST_EMIT] = form.to_repeat()
                # Reloading the page that follows emits nothing.
                return HttpResponseRedirect(_channel_url(channel))
        return self._page(
            request,
            "channel",
            title=channel,
            channel=channel,
            policy=async_to_sync(_policy)(channel),
            policy_row=ChannelPolicy.objects.filter(channel=channel).first(),
            form=form,
            may_emit=request.user.has_perm("broadcast.emit_livechannel"),
            may_kick=request.user.has_perm("broadcast.kick_livechannel"),
            **_members_context(async_to_sync(list_members)(channel=channel)),
        )

    def kick_view(self, request: HttpRequest, channel: str) -> HttpResponse:
        """``POST``: close one listener's connection, then show the channel again."""
        self._require(request, "kick")
        if request.method == "POST" and is_channel_name(channel):
            client_id = request.POST.get("client_id", "")
            if any(member.id == client_id for member in async_to_sync(list_members)(channel=channel)):
                kick(channel=channel, client_id=client_id)
                by = request.user.get_username()
                log.info("broadcast.kicked_in_admin", channel=channel, client_id=client_id, by=by)
                messages.success(request, f"{client_id} was removed from {channel}.")
            else:
                messages.warning(request, "That client had left already.")
        return HttpResponseRedirect(_channel_url(channel))

    @staticmethod
    def _emit(channel: str, form: EmitForm) -> Emitted | None:
        """Emit what the form holds; a refusal becomes an error of the form."""
        try:
            return async_to_sync(emit)(
                channel=channel,
                payload=form.cleaned_data["payload"],
                target=form.cleaned_data["clients"],
                require_ack=form.cleaned_data["require_ack"],
            )
        except FoyerError as error:
            field = "clients" if error.code == "NOT_ENOUGH_CLIENTS" else "payload"
            form.add_error(field, error.message)
            return None

    @staticmethod
    def _require(request: HttpRequest, action: str) -> None:
        if not request.user.has_perm(f"broadcast.{action}_livechannel"):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        response = TemplateResponse(
            request,
            f"admin/broadcast/livechannel/{name}.html",
            {**self.admin_site.each_context(request), "opts": self.opts, "model_admin": self, **context},
        )
        response["Cache-Control"] = "no-store"
        return response


async def _policy(channel: str) -> Any:
    return await runtime.current().part(PolicyBook).policy(channel)


def _channel_url(channel: str) -> str:
    return reverse("admin:broadcast_livechannel_channel", args=[channel])


def _tell(request: HttpRequest, emitted: Emitted) -> None:
    """Say on the next page what became of an emit."""
    parts = [f"{emitted.event_id} was sent to {emitted.clients} client{'' if emitted.clients == 1 else 's'}."]
    if emitted.acked:
        parts.append(f"Acknowledged by {_in_short(emitted.acked)}.")
    if emitted.missing:
        parts.append(f"Missing: {_in_short(emitted.missing)}.")
    level = messages.WARNING if emitted.timed_out or emitted.missing else messages.SUCCESS
    messages.add_message(request, level, " ".join(parts))


def _in_short(client_ids: list[str]) -> str:
    more = len(client_ids) - MAX_NAMED
    return ", ".join(client_ids[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _members_context(members: list[Member]) -> dict[str, Any]:
    shown = [
        {
            "id": member.id,
            "presence": pretty(msgspec.json.encode(presence_of(member))) if presence_of(member) else "",
            "acknowledges": can_acknowledge(member),
        }
        for member in sorted(members, key=lambda member: member.id)[:MAX_SHOWN]
    ]
    return {"members": shown, "count": len(members), "more": len(members) - len(shown)}

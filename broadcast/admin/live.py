"""What goes on right now: channels with listeners, who they are, removing one, emitting.

A face: changes go through the services. What is live is asked of the server's event loop
(`async_to_sync` finds it), so these pages show every process.
"""

from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from broadcast.admin.forms import EmitForm, OpenForm
from broadcast.admin.kept import ReadOnlyAdmin, pretty
from broadcast.events import can_acknowledge, presence_of
from broadcast.models import ChannelPolicy, LiveChannel
from broadcast.rules import is_channel_name
from broadcast.services.emitting import Emitted, emit
from broadcast.services.listening import kick, list_channels, list_members
from broadcast.services.policies import PolicyBook
from realtime import runtime
from realtime.errors import FoyerError
from realtime.logs import get_logger
from realtime.presence import Member

log = get_logger(__name__)

# A page for people: a longer list would be looked at by nobody.
MAX_SHOWN = 200
# Client IDs in one message.
MAX_NAMED = 20

# The session's name for what was emitted last: whoever tries things out sends nearly the same again.
LAST_EMIT = "broadcast.last_emit"


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

"""The page for people on one channel. Everything live on it is done by the browser over the socket.

A face: asks the services for what holds on the channel and renders. Page and socket share one URL;
the document's routes hand a browser's GET on to here. Protocol: docs/protocols/broadcast.md.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from broadcast.rules import is_channel_name
from broadcast.services.policies import PolicyBook
from realtime import runtime


@require_safe
@vary_on_headers("Accept")
async def channel_page(request: HttpRequest, channel: str) -> HttpResponse:
    """``GET /<channel>/listen`` of a browser. No query, once the policies are loaded.

    The page is for anyone: what a policy keeps from strangers it keeps at the socket and at emit.

    Raises:
        Http404: `channel` cannot be a channel's name.
    """
    if not is_channel_name(channel):
        raise Http404("no channel has this name")
    policy = await runtime.current().part(PolicyBook).policy(channel)
    # As the script reads it, hence the names.
    page = {
        "channel": channel,
        "listenPath": f"/{channel}/listen",
        "emitPath": f"/{channel}/emit",
        "historyPath": f"/{channel}/history",
        "membersPath": f"/{channel}/members",
        "emitAccess": policy.emit,
        "listenAccess": policy.listen,
        "historySize": policy.history_size,
        "pingIntervalS": settings.BROADCAST_PING_INTERVAL_S,
        "ackTimeoutS": settings.BROADCAST_ACK_TIMEOUT_S,
    }
    return render(request, "broadcast/channel.html", {"channel": channel, "page": page})

"""The API under ``/api/broadcast/``: policies, keys, channels and their members, and a second door to emit.

Thin: each view asks a service or a selector. What is asynchronous runs on the server's event loop, where
the connections are (`async_to_sync` finds it). Protocol: docs/protocols/broadcast.md.
"""

from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import generics, permissions
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from broadcast import selectors
from broadcast.api import schema
from broadcast.api.answers import DEFAULT_HISTORY_LIMIT, MAX_HISTORY_LIMIT, read_history, read_members
from broadcast.api.emits import admit, emit_body
from broadcast.api.serializers import KeySerializer, NewKeySerializer, PolicySerializer
from broadcast.models import ChannelPolicy
from broadcast.services.listening import kick, list_channels, list_members
from broadcast.services.policies import authorize, delete_policy
from realtime.apikeys import bearer_key, has_scope, revoke_api_key
from realtime.http_api import Pagination, json_response
from realtime.models import ApiKey

MANAGE = "broadcast:manage"


class ManagedView(APIView):
    """For keys with the scope ``broadcast:manage``, and for staff with the permission the method needs."""

    user_permissions: dict[str, str] = {}

    def get_permissions(self) -> list[permissions.BasePermission]:
        method = self.request.method or ""
        permission = self.user_permissions.get(method, self.user_permissions["GET"])
        return [has_scope(MANAGE, user_permission=permission)()]


POLICY_PERMISSIONS = {
    "GET": "broadcast.view_channelpolicy",
    "POST": "broadcast.add_channelpolicy",
    "PUT": "broadcast.change_channelpolicy",
    "PATCH": "broadcast.change_channelpolicy",
    "DELETE": "broadcast.delete_channelpolicy",
}


@schema.policies
class PolicyList(ManagedView, generics.ListCreateAPIView[ChannelPolicy]):
    """``GET, POST /api/broadcast/policies``."""

    serializer_class = PolicySerializer
    queryset = ChannelPolicy.objects.all()
    user_permissions = POLICY_PERMISSIONS


@schema.policy
class PolicyDetail(ManagedView, generics.RetrieveUpdateDestroyAPIView[ChannelPolicy]):
    """``GET, PUT, PATCH, DELETE /api/broadcast/policies/<channel>``."""

    serializer_class = PolicySerializer
    queryset = ChannelPolicy.objects.all()
    user_permissions = POLICY_PERMISSIONS
    lookup_field = "channel"

    def perform_destroy(self, instance: ChannelPolicy) -> None:
        delete_policy(policy=instance)


class KeyView(ManagedView):
    user_permissions = {
        "GET": "realtime.view_apikey",
        "POST": "realtime.add_apikey",
        "DELETE": "realtime.change_apikey",
    }

    def get_queryset(self) -> QuerySet[ApiKey]:
        return selectors.broadcast_keys()


@schema.keys
class KeyList(KeyView, generics.ListCreateAPIView[ApiKey]):
    """``GET, POST /api/broadcast/keys``: keys whose every scope is of this service."""

    def get_serializer_class(self) -> type[BaseSerializer[ApiKey]]:
        return NewKeySerializer if self.request.method == "POST" else KeySerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().create(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


@schema.key
class KeyDetail(KeyView):
    """``DELETE /api/broadcast/keys/<prefix>``."""

    def delete(self, request: Request, prefix: str) -> Response:
        """Revoke a key. It stays in the list, and cannot be made valid again."""
        revoke_api_key(get_object_or_404(self.get_queryset(), prefix=prefix))
        return Response(status=204)


class LiveView(ManagedView):
    user_permissions = {
        "GET": "broadcast.view_livechannel",
        "DELETE": "broadcast.kick_livechannel",
    }


@schema.channels
class ChannelList(LiveView):
    """``GET /api/broadcast/channels``."""

    def get(self, request: Request) -> HttpResponse:
        """Channels that have listeners now."""
        counts = async_to_sync(list_channels)()
        channels = [{"channel": channel, "clients": counts[channel]} for channel in sorted(counts)]
        return json_response(200, {"success": True, "channels": channels})


@schema.member
class Member(LiveView):
    """``DELETE /api/broadcast/channels/<channel>/members/<client_id>``."""

    def delete(self, request: Request, channel: str, client_id: str) -> Response:
        """Close a listener's connection. It may come back, unless the policy is changed first."""
        members = async_to_sync(list_members)(channel=channel)
        if all(member.id != client_id for member in members):
            raise NotFound("This client is not connected.")
        kick(channel=channel, client_id=client_id)
        return Response(status=204)


class PolicyDecides(APIView):
    """As at the document's routes: the channel's policy says who may, and whether a key is needed."""

    authentication_classes = ()
    permission_classes = ()


@schema.members
class Members(PolicyDecides):
    """``GET /api/broadcast/channels/<channel>/members``."""

    def get(self, request: Request, channel: str) -> HttpResponse:
        """Who listens now."""
        return json_response(200, async_to_sync(self._read)(channel, _key(request)))

    async def _read(self, channel: str, key: str | None) -> dict[str, Any]:
        await authorize("listen", channel, key)
        return await read_members(channel)


@schema.events
class Events(PolicyDecides):
    """``GET, POST /api/broadcast/channels/<channel>/events``."""

    def get(self, request: Request, channel: str) -> HttpResponse:
        """Kept events."""
        limit = Pagination.number(request, "limit", DEFAULT_HISTORY_LIMIT, 1, MAX_HISTORY_LIMIT)
        since = request.query_params.get("since")
        return json_response(200, async_to_sync(self._read)(channel, _key(request), limit, since))

    async def _read(self, channel: str, key: str | None, limit: int, since: str | None) -> dict[str, Any]:
        await authorize("listen", channel, key)
        return await read_history(channel, limit=limit, since=since)

    def post(self, request: Request, channel: str) -> HttpResponse:
        """Emit one event, or a list of events in its order."""
        key, address = _key(request), request.META.get("REMOTE_ADDR", "")
        async_to_sync(admit)(channel=channel, key=key, address=address)
        status, answer = async_to_sync(emit_body)(
            channel=channel, body=request.data, key=key, address=address
        )
        return json_response(status, answer)


def _key(request: Request) -> str | None:
    return bearer_key(request.headers.get("Authorization", ""))

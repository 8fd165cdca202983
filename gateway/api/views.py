"""``/api/v1/``: registering and logging in, people, channels and posts.

Thin: each view asks a service or a selector. Protocol: docs/protocols/gateway.md.
"""

from __future__ import annotations

from typing import Final

from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.api import schema
from gateway.api.access import GatewayView, account_of_login, login_of
from gateway.api.limits import count_channel, count_post
from gateway.api.serializers import (
    ChannelSerializer,
    CredentialsSerializer,
    ListedChannelSerializer,
    NewChannelSerializer,
    NewPostSerializer,
    PostSerializer,
    ProfileSerializer,
    RegistrationSerializer,
)
from gateway.models import Channel
from gateway.rules import id_of
from gateway.selectors.channels import (
    list_accounts,
    list_channels,
    list_posts,
    search_accounts,
    visible_channels,
)
from gateway.services.accounts import account_of, register
from gateway.services.channels import create_channel, join_channel, leave_channel
from gateway.services.live import post_with_others
from gateway.services.posts import NewPost
from gateway.services.tokens import issue_token, revoke_token
from realtime.db import on_event_loop
from realtime.http_api import Pagination
from realtime.http_login import count_attempt, sign_in
from realtime.http_query import flag_parameter, text_parameter

DEFAULT_POSTS: Final = 10
MAX_POSTS: Final = 50
DEFAULT_CHANNELS: Final = 20
MAX_CHANNELS: Final = 50
MAX_FOUND_USERS: Final = 20


@schema.register
class Register(GatewayView):
    """``POST /api/v1/auth/register``."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """A new account, logged in at once."""
        count_attempt(request)
        form = RegistrationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        account = register(**form.validated_data)
        return Response({"success": True, "id": str(account.pk), "token": issue_token(account=account)})


@schema.login
class Login(GatewayView):
    """``POST /api/v1/auth/login``."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """A token, for name and password."""
        count_attempt(request)
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = sign_in(request, **form.validated_data)
        if user is None:
            raise PermissionDenied("Invalid username or password!")
        return Response({"success": True, "token": issue_token(account=account_of(user))})


@schema.logout
class Logout(GatewayView):
    """``POST /api/v1/auth/logout``."""

    def post(self, request: Request) -> Response:
        """The token of this request is not valid any more; connections made with it are closed."""
        revoke_token(digest=login_of(request).digest)
        return Response({"success": True})


@schema.me
class Me(GatewayView):
    """``GET /api/v1/users/me``."""

    def get(self, request: Request) -> Response:
        """Oneself. Two queries."""
        return Response({"success": True, "profile": ProfileSerializer(account_of_login(request)).data})


@schema.user
class User(GatewayView):
    """``GET /api/v1/users/<id>``."""

    def get(self, request: Request, account_id: int) -> Response:
        """Somebody. Two queries."""
        account = list_accounts().filter(pk=account_id).first()
        if account is None:
            raise NotFound("There is no such user.")
        return Response({"success": True, "profile": ProfileSerializer(account).data})


@schema.users
class Users(GatewayView):
    """``GET /api/v1/users``."""

    def get(self, request: Request) -> Response:
        """People whose username or name begins with `q`. Two queries."""
        start = text_parameter(request, "q")
        if not start:
            raise ValidationError({"q": "What a name begins with."})
        found = search_accounts(start, MAX_FOUND_USERS)
        return Response({"success": True, "users": ProfileSerializer(found, many=True).data})


@schema.channels
class Channels(GatewayView):
    """``GET, POST /api/v1/channels``."""

    def get(self, request: Request) -> Response:
        """Channels one may read, the newest first. Three queries."""
        found = list_channels(
            login_of(request).account_id,
            mine=flag_parameter(request, "mine"),
            search=text_parameter(request, "q"),
            before=_id_parameter(request, "before"),
            limit=Pagination.number(request, "limit", DEFAULT_CHANNELS, 1, MAX_CHANNELS),
        )
        return Response({"success": True, "channels": ListedChannelSerializer(found, many=True).data})

    def post(self, request: Request) -> Response:
        """Open a channel."""
        count_channel(login_of(request).account_id)
        form = NewChannelSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        channel = create_channel(author=account_of_login(request), **form.validated_data)
        return Response({"success": True, "id": str(channel.pk), "channel": ChannelSerializer(channel).data})


@schema.channel
class ChannelDetail(GatewayView):
    """``GET /api/v1/channels/<id>``."""

    def get(self, request: Request, channel_id: int) -> Response:
        """A channel and its members. Four queries."""
        return Response({"success": True, "channel": ChannelSerializer(_channel(request, channel_id)).data})


@schema.membership
class Membership(GatewayView):
    """``PUT, DELETE /api/v1/channels/<id>/members/me``."""

    def put(self, request: Request, channel_id: int) -> Response:
        """Join a channel that anyone may."""
        count_post(login_of(request).account_id)
        join_channel(channel=_channel(request, channel_id), account_id=login_of(request).account_id)
        return Response({"success": True})

    def delete(self, request: Request, channel_id: int) -> Response:
        """Leave a channel; nothing happens to who is not in it."""
        count_post(login_of(request).account_id)
        leave_channel(channel=_channel(request, channel_id), account_id=login_of(request).account_id)
        return Response({"success": True})


@schema.posts
class Posts(GatewayView):
    """``GET, POST /api/v1/channels/<id>/posts``."""

    def get(self, request: Request, channel_id: int) -> Response:
        """Messages in order: the last ones, or those before or after an id. Three queries."""
        limit = Pagination.number(request, "limit", DEFAULT_POSTS, 1, MAX_POSTS)
        before, after = (_id_parameter(request, name) for name in ("before", "after"))
        posts = list_posts(_channel(request, channel_id), limit=limit, before=before, after=after)
        return Response({"success": True, "posts": PostSerializer(posts, many=True).data})

    def post(self, request: Request, channel_id: int) -> Response:
        """Post a message; who posts to an open channel joins it."""
        count_post(login_of(request).account_id)
        form = NewPostSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        post = NewPost(channel_id, login_of(request).account_id, **form.validated_data)
        message = on_event_loop(post_with_others, post)
        return Response({"success": True, "id": str(message.pk)})


def _channel(request: Request, channel_id: int) -> Channel:
    channel = visible_channels(login_of(request).account_id).filter(pk=channel_id).first()
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def _id_parameter(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    number = id_of(text)
    if number is None:
        raise ValidationError({name: "An id, as a text."})
    return number

"""Who calls the API under ``/api/v1/``: people, with the token they logged in for.

Protocol: docs/protocols/gateway.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gateway.models import Account
from gateway.services.tokens import GatewayLogin, login_of_token
from realtime.http_access import GuardedView, Right
from realtime.http_errors import CHALLENGE


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``. ``request.auth`` is then the `GatewayLogin`. One query."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, GatewayLogin] | None:
        """Raises AuthenticationFailed (401) for a token that is wrong, revoked or expired."""
        # Headers are Latin-1 text here, whatever bytes were sent: nothing in it can raise.
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        login = login_of_token(token.strip())
        if login is None:
            raise AuthenticationFailed("This token is not valid.")
        return AnonymousUser(), login

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class _SignedIn(Right):
    """Whoever showed a valid token."""

    def allows(self, request: Request) -> bool:
        return isinstance(request.auth, GatewayLogin)

    @property
    def ways(self) -> list[str]:
        return ["a token from auth/login"]


SIGNED_IN = _SignedIn()


class GatewayView(GuardedView):
    """A view of the gateway. What a service refuses is answered with its sentence."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (TokenAuthentication,)
    rights = dict.fromkeys(("GET", "POST", "PUT", "DELETE"), SIGNED_IN)
    statuses = {"UNKNOWN_CHANNEL": 404, "UNKNOWN_MEMBER": 400, "NO_MEMBERS": 400}


def login_of(request: Request) -> GatewayLogin:
    """Who sent a request that was let in."""
    login: object = request.auth
    if not isinstance(login, GatewayLogin):
        raise TypeError("this view lets in others than who is signed in")
    return login


def account_of_login(request: Request) -> Account:
    """The account of who sent a request that was let in. One query."""
    return Account.objects.select_related("user").get(pk=login_of(request).account_id)

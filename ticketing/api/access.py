"""Who calls the API under ``/api/ticketing/``, and what they may.

Three kinds of callers: programs with an API key, people of the admin with its session, and staff with the
token they sign in to the desk with. The first two manage: what they change they change for anyone. Staff act
for themselves. Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from realtime import http_access
from ticketing.services.tokens import StaffLogin, staff_of_token

READ, CREATE, MANAGE = "ticketing:read", "ticketing:create", "ticketing:manage"

TOKEN_CHALLENGE = 'Token realm="ticketing"'
"""Goes with a 401 where only a staff token, or a password, would help."""


def presented_token(request: Request) -> str | None:
    """The token in ``Authorization: Token <token>``; None where there is none or another scheme."""
    # Headers are Latin-1 text here, whatever bytes were sent: nothing in it can raise.
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "token" else None


class StaffTokenAuthentication(BaseAuthentication):
    """``Authorization: Token <token>``. ``request.auth`` is then the `StaffLogin`. One query."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, StaffLogin] | None:
        """Raises AuthenticationFailed (401) for a token that is wrong, revoked or expired."""
        token = presented_token(request)
        if token is None:
            return None
        login = staff_of_token(token)
        if login is None:
            raise AuthenticationFailed("This token is not valid.")
        return AnonymousUser(), login

    def authenticate_header(self, request: Request) -> str:
        return TOKEN_CHALLENGE


@dataclass(frozen=True)
class Right(http_access.Right):
    """Who may do something; `staff`: whether staff may, with their token."""

    staff: bool = False

    def allows(self, request: Request) -> bool:
        return self.staff if isinstance(request.auth, StaffLogin) else super().allows(request)

    @property
    def ways(self) -> list[str]:
        return super().ways + (["a staff token"] if self.staff else [])


def reading(model: str, *, staff: bool = False) -> Right:
    """Looking at rows of `model`, for every key that may read."""
    return Right((READ, MANAGE), f"ticketing.view_{model}", staff)


def managing(permission: str, *, staff: bool = False) -> Right:
    """Doing what takes `permission` (``change_table``) in the admin."""
    return Right((MANAGE,), f"ticketing.{permission}", staff)


ONLY_STAFF = Right(staff=True)


@dataclass(frozen=True)
class Caller(http_access.Caller):
    """On whose behalf a service is called; `staff_id`: whose tickets and table, None for those who manage."""

    staff_id: int | None = None


def caller_of(request: Request) -> Caller:
    """Who sent a request that was let in."""
    auth: object = request.auth
    if isinstance(auth, StaffLogin):
        return Caller(auth.name, f"staff {auth.staff_id}", auth.staff_id)
    caller = http_access.caller_of(request)
    return Caller(caller.actor, caller.key)


def staff_login(request: Request) -> StaffLogin:
    """Who sent a request that only staff may send (`ONLY_STAFF`)."""
    login: object = request.auth
    if not isinstance(login, StaffLogin):
        raise TypeError("this view's rights let in others than staff")
    return login

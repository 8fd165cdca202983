"""Who calls the API under ``/api/ticketing/``, and what they may.

Three kinds of callers: programs with an API key, people of the admin with its session, and staff with the
token they sign in to the desk with. The first two manage: what they change they change for anyone. Staff act
for themselves. Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from realtime.apikeys import Grant
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


@dataclass(frozen=True, slots=True)
class Right:
    """Who may do something.

    Attributes:
        scopes: an API key needs one of these.
        permission: what somebody logged in to the admin needs, ``ticketing.view_ticket``; "": they may not.
        staff: whether staff may, with their token.
    """

    scopes: tuple[str, ...] = ()
    permission: str = ""
    staff: bool = False

    def allows(self, request: Request) -> bool:
        auth: object = request.auth
        if isinstance(auth, Grant):
            return any(auth.allows(scope) for scope in self.scopes)
        if isinstance(auth, StaffLogin):
            return self.staff
        user = request.user
        return bool(self.permission and user.is_staff and user.has_perm(self.permission))

    @property
    def sentence(self) -> str:
        """For who may not."""
        ways = [f"an API key with the scope {scope}" for scope in self.scopes[:1]]
        ways += ["a login to the admin with the permission"] if self.permission else []
        ways += ["a staff token"] if self.staff else []
        return f"This needs {' or '.join(ways)}."


def reading(model: str, *, staff: bool = False) -> Right:
    """Looking at rows of `model`, for every key that may read."""
    return Right((READ, MANAGE), f"ticketing.view_{model}", staff)


def managing(permission: str, *, staff: bool = False) -> Right:
    """Doing what takes `permission` (``change_table``) in the admin."""
    return Right((MANAGE,), f"ticketing.{permission}", staff)


ONLY_STAFF = Right(staff=True)


class HasRight(BasePermission):
    """Asks the view's ``rights``, by method."""

    message = "This is not permitted."

    def has_permission(self, request: Request, view: Any) -> bool:
        rights: dict[str, Right] = view.rights
        right = rights.get(request.method or "") or next(iter(rights.values()))
        self.message = right.sentence
        return right.allows(request)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a service is called.

    Attributes:
        staff_id: whose tickets and table; None for those who manage.
        actor: who, in words, for the timeline.
        key: tells callers apart; made of ids and public parts of keys.
    """

    staff_id: int | None
    actor: str
    key: str


def caller_of(request: Request) -> Caller:
    """Who sent a request that was let in."""
    auth: object = request.auth
    if isinstance(auth, Grant):
        return Caller(None, f"API key {auth.name}", f"key {auth.prefix}")
    if isinstance(auth, StaffLogin):
        return Caller(auth.staff_id, auth.name, f"staff {auth.staff_id}")
    return Caller(None, request.user.get_username(), f"account {request.user.pk}")


def staff_login(request: Request) -> StaffLogin:
    """Who sent a request that only staff may send (`ONLY_STAFF`)."""
    login: object = request.auth
    if not isinstance(login, StaffLogin):
        raise TypeError("this view's rights let in others than staff")
    return login

"""Who calls an HTTP API, and what they may: rights by method, and views that ask for them.

Core, for Django REST framework. Two kinds of callers everywhere: programs with an API key, and people of the
admin with its session. A service with callers of its own extends `Right` and `Caller`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from realtime.apikeys import ApiKeyAuthentication, Grant
from realtime.errors import Refused
from realtime.http_errors import HttpError

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Right:
    """Who may do something.

    Attributes:
        scopes: an API key needs one of these.
        permission: what somebody logged in to the admin needs, ``ticketing.view_ticket``; "": they may not.
    """

    scopes: tuple[str, ...] = ()
    permission: str = ""

    def allows(self, request: Request) -> bool:
        auth: object = request.auth
        if isinstance(auth, Grant):
            return any(auth.allows(scope) for scope in self.scopes)
        user = request.user
        return bool(self.permission and user.is_staff and user.has_perm(self.permission))

    @property
    def ways(self) -> list[str]:
        """What lets one in, in words."""
        ways = [f"an API key with the scope {scope}" for scope in self.scopes[:1]]
        return ways + (["a login to the admin with the permission"] if self.permission else [])

    @property
    def sentence(self) -> str:
        """For who may not."""
        return f"This needs {' or '.join(self.ways)}."


class HasRight(BasePermission):
    """Asks the view's ``rights``, by method."""

    message = "This is not permitted."

    def has_permission(self, request: Request, view: Any) -> bool:
        rights: Mapping[str, Right] = view.rights
        right = rights.get(request.method or "") or next(iter(rights.values()))
        self.message = right.sentence
        return right.allows(request)


@dataclass(frozen=True)
class Caller:
    """On whose behalf a service is called.

    Attributes:
        actor: who, in words, for what is recorded.
        key: tells callers apart; made of ids and public parts of keys.
    """

    actor: str
    key: str


def caller_of(request: Request) -> Caller:
    """Who sent a request that was let in."""
    auth: object = request.auth
    if isinstance(auth, Grant):
        return Caller(f"API key {auth.name}", f"key {auth.prefix}")
    return Caller(request.user.get_username(), f"account {request.user.pk}")


class GuardedView(APIView):
    """Lets in who `rights` says, and answers what a service refuses with the service's sentence.

    Nothing is to be kept on the way: answers say who somebody is.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes: Sequence[type[BasePermission]] = (HasRight,)
    # By method; the first also stands for methods that are not there.
    rights: Mapping[str, Right] = {}
    # Of refusals, by their code; 409 where it is not among them.
    statuses: Mapping[str, int] = {}

    def refusal(self, refused: Refused) -> HttpError:
        """The answer to a service's no, with the code for programs."""
        return HttpError(
            self.statuses.get(refused.code, 409), refused.message, details={"code": refused.code}
        )

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(self.refusal(exc) if isinstance(exc, Refused) else exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def found(rows: QuerySet[Row], row_id: int | str) -> Row:
    """The row with that id. One query.

    Raises:
        NotFound: there is none.
    """
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFound("There is nothing of this id.")
    return row

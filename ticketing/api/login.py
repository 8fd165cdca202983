"""``/api/ticketing/login``, ``logout`` and ``token``: how staff get the token they open the desk with.

Failures are counted and locked out as at every login of the site (django-axes), and an address may try only
so often (`realtime.http_login`). Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from realtime.http_errors import HttpError
from realtime.http_login import count_attempt, sign_in
from ticketing.api import schema_people as schema
from ticketing.api.access import ONLY_STAFF, TOKEN_CHALLENGE, presented_token
from ticketing.api.base import DeskView
from ticketing.api.people import token_response
from ticketing.api.serializers import LoginSerializer
from ticketing.services.people import DEFAULT_TOKEN_EXPIRY, revoke_token, staff_of_user

_NO_STAFF = "This account is not active as staff of the desk."


@schema.login
class Login(DeskView):
    """``POST /api/ticketing/login``."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """Sign in with name and password."""
        # Before the body: an attempt too many is to cost next to nothing.
        count_attempt(request)
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = sign_in(request, **form.validated_data)
        if user is None:
            challenge = [(b"www-authenticate", TOKEN_CHALLENGE.encode())]
            raise HttpError(401, "This name and password do not belong together.", headers=challenge)
        staff = staff_of_user(user)
        if staff is None:
            raise PermissionDenied(_NO_STAFF)
        return token_response(staff, DEFAULT_TOKEN_EXPIRY, status=200)


@schema.logout
class Logout(DeskView):
    """``POST /api/ticketing/logout``."""

    rights = {"POST": ONLY_STAFF}

    def post(self, request: Request) -> Response:
        """Make the token of this request invalid. A table it holds is let go after the grace period."""
        revoke_token(token=presented_token(request) or "")
        return Response({"success": True})


@schema.token
class OwnToken(DeskView):
    """``POST /api/ticketing/token``."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get_authenticate_header(self, request: Request) -> str:
        """So that the answer without a session is 401: the page then has its user log in again."""
        return 'Session realm="ticketing"'

    def post(self, request: Request) -> Response:
        """A token for whoever is logged in to the site; for the staff page."""
        staff = staff_of_user(request.user)
        if staff is None:
            raise PermissionDenied(_NO_STAFF)
        return token_response(staff, DEFAULT_TOKEN_EXPIRY, status=201)

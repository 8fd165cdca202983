"""``/api/ticketing/staff`` and ``visitors``: who serves, and who was served.

Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from realtime.errors import Refused
from realtime.http_access import found
from realtime.http_query import text_parameter
from ticketing.api import schema_people as schema
from ticketing.api.access import caller_of, managing
from ticketing.api.answers import (
    ErasedSerializer,
    IssuedTokenSerializer,
    StaffSerializer,
    VisitorDetailSerializer,
    VisitorSerializer,
)
from ticketing.api.base import DeskView
from ticketing.api.serializers import StaffChangeSerializer, StaffCreateSerializer, TokenCreateSerializer
from ticketing.models import Staff, Visitor
from ticketing.selectors.tickets import list_staff, list_visitors
from ticketing.services import people as services
from ticketing.services.visitors import erase_visitor


def token_response(staff: Staff, expiry: timedelta | None, *, status: int) -> Response:
    """Make a token for `staff` and show it, this once."""
    expires_at = None if expiry is None else timezone.now() + expiry
    token = services.issue_token(staff=staff, expiry=expiry)
    answer = {"success": True, "token": token, "expires_at": expires_at, "staff": staff}
    return Response(IssuedTokenSerializer(answer).data, status=status)


# --- Staff ----------------------------------------------------------------------------------------------


@schema.staff_list
class StaffList(DeskView, generics.ListAPIView[Staff]):
    """``GET, POST /api/ticketing/staff``. The list takes two queries."""

    serializer_class = StaffSerializer
    rights = {"GET": managing("view_staff"), "POST": managing("add_staff")}

    def get_queryset(self) -> QuerySet[Staff]:
        return list_staff()

    def post(self, request: Request) -> Response:
        """Let somebody with an account serve at the desk."""
        form = StaffCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        account = get_user_model().objects.filter(username=fields.pop("username")).first()
        if account is None:
            raise Refused("UNKNOWN_ACCOUNT", "No account has this name.")
        staff = services.save_staff(staff=Staff(user=account, **fields))
        return _staff_response(staff.pk, status=201)


def _staff_response(staff_id: int, *, status: int = 200) -> Response:
    return Response(StaffSerializer(found(list_staff(), staff_id)).data, status=status)


@schema.staff_member
class StaffDetail(DeskView):
    """``GET, PATCH /api/ticketing/staff/<id>``."""

    rights = {"GET": managing("view_staff"), "PATCH": managing("change_staff")}

    def get(self, request: Request, staff_id: int) -> Response:
        """A member of staff."""
        return _staff_response(staff_id)

    def patch(self, request: Request, staff_id: int) -> Response:
        """Name somebody, let them in, keep them out."""
        staff = found(Staff.objects.all(), staff_id)
        form = StaffChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        for name, value in form.validated_data.items():
            setattr(staff, name, value)
        services.save_staff(staff=staff)
        return _staff_response(staff_id)


@schema.staff_tokens
class StaffTokens(DeskView):
    """``POST, DELETE /api/ticketing/staff/<id>/tokens``."""

    rights = {"POST": managing("change_staff"), "DELETE": managing("change_staff")}

    def post(self, request: Request, staff_id: int) -> Response:
        """Make a token for somebody who is active."""
        staff = found(Staff.objects.all(), staff_id)
        form = TokenCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if not (staff.is_active and staff.user.is_active):
            raise Refused("STAFF_INACTIVE", "This member of staff is not active.")
        expiry: timedelta | None = services.DEFAULT_TOKEN_EXPIRY
        if "expires_in_s" in form.validated_data:
            seconds = form.validated_data["expires_in_s"]
            expiry = None if seconds is None else timedelta(seconds=seconds)
        return token_response(staff, expiry, status=201)

    def delete(self, request: Request, staff_id: int) -> Response:
        """Sign somebody out everywhere."""
        services.revoke_tokens(staff=found(Staff.objects.all(), staff_id))
        return Response(status=204)


# --- Visitors -------------------------------------------------------------------------------------------


@schema.visitors
class VisitorList(DeskView, generics.ListAPIView[Visitor]):
    """``GET /api/ticketing/visitors``. Two queries."""

    serializer_class = VisitorSerializer
    rights = {"GET": managing("view_visitor")}

    def get_queryset(self) -> QuerySet[Visitor]:
        return list_visitors(text=text_parameter(self.request, "q"))


@schema.visitor
class VisitorDetail(DeskView):
    """``GET, DELETE /api/ticketing/visitors/<id>``."""

    rights = {"GET": managing("view_visitor"), "DELETE": managing("delete_visitor")}

    def get(self, request: Request, visitor_id: int) -> Response:
        """A visitor and the latest tickets. Two queries."""
        return Response(VisitorDetailSerializer(found(list_visitors(), visitor_id)).data)

    def delete(self, request: Request, visitor_id: int) -> Response:
        """Erase what is known of a visitor."""
        visitor = found(Visitor.objects.all(), visitor_id)
        erased = erase_visitor(visitor=visitor, actor=caller_of(request).actor)
        return Response(ErasedSerializer({"success": True, "tickets": erased}).data)

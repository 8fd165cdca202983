"""What the views under ``/api/ticketing/`` have in common: callers, and how a refusal is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from realtime.apikeys import ApiKeyAuthentication
from realtime.errors import Refused
from realtime.http_errors import HttpError
from ticketing.api.access import TOKEN_CHALLENGE, HasRight, Right, StaffTokenAuthentication

Row = TypeVar("Row", bound=Model)

# What the request's own content is to blame for; everything else a service refuses is the desk's state.
_FIELD_AT_FAULT: Final = {"EMAIL_INVALID": "email", "NAME_MISSING": "name", "NAME_TOO_LONG": "name"}
_STATUS: Final = {"UNKNOWN_TICKET": 404, "DAYS_INVALID": 400, "TOKEN_INVALID": 401}

MAX_ID = 10**18 - 1
"""Of ids in addresses and queries: as many digits as the protocol takes, and within what databases hold."""

MAX_TEXT = 254
"""Of a search: nobody looks for more than a whole address."""


class DeskView(APIView):
    """Lets in who `rights` says, and answers what a service refuses with the service's sentence."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        ApiKeyAuthentication,
        StaffTokenAuthentication,
        SessionAuthentication,
    )
    permission_classes: Sequence[type[BasePermission]] = (HasRight,)
    # By method; the first also stands for methods that are not there.
    rights: dict[str, Right] = {}

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(refusal(exc) if isinstance(exc, Refused) else exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Nothing is to be kept on the way: answers have people's names, and some a token."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def found(rows: QuerySet[Row], row_id: int) -> Row:
    """The row with that id. One query.

    Raises:
        NotFound: there is none.
    """
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFound("There is nothing of this id.")
    return row


def refusal(refused: Refused) -> HttpError:
    """The answer to a service's no: 409 unless the code says better, with the code for programs."""
    details: dict[str, Any] = {"code": refused.code}
    status = _STATUS.get(refused.code, 409)
    if field := _FIELD_AT_FAULT.get(refused.code):
        status = 400
        details["fields"] = {field: refused.message}
    headers = [(b"www-authenticate", TOKEN_CHALLENGE.encode())] if status == 401 else []
    return HttpError(status, refused.message, headers=headers, details=details)


# --- The query string -----------------------------------------------------------------------------------


def number_parameter(request: Request, name: str, maximum: int) -> int | None:
    """A number from 0 to `maximum`; None where it was not sent.

    Raises:
        ValidationError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    # isdigit alone also takes digits of other scripts, and int() has a limit on length.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and int(text) <= maximum):
        raise ValidationError({name: f"A number between 0 and {maximum}."})
    return int(text)


def day_parameter(request: Request, name: str) -> date | None:
    """A day as ``2019-10-01``; None where it was not sent.

    Raises:
        ValidationError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        # fromisoformat also takes forms that nobody would recognise as a day.
        if len(text) != 10 or not text.isascii() or "W" in text:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError({name: "A day as 2019-10-01."}) from None


def text_parameter(request: Request, name: str) -> str:
    """A text to look for; "" where it was not sent.

    Raises:
        ValidationError: it is too long, or has a NUL character, which no database can look for.
    """
    text = request.query_params.get(name, "")
    if len(text) > MAX_TEXT or "\x00" in text:
        raise ValidationError({name: f"A text of at most {MAX_TEXT} characters."})
    return text.strip()


def choice_parameters(request: Request, name: str, choices: list[str]) -> list[str]:
    """Values of a parameter that may be repeated.

    Raises:
        ValidationError: one is not among `choices`.
    """
    found = request.query_params.getlist(name)
    if not set(found) <= set(choices):
        raise ValidationError({name: f"One of {', '.join(choices)}."})
    return found

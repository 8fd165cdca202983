"""How an exception of a view is answered: every error of the API has the shape of `realtime.http_errors`.

Core, for Django REST framework; apart from `realtime.http_api`, which the framework imports while it
is being imported itself.
"""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from realtime.errors import FoyerError
from realtime.http_api import json_response
from realtime.http_errors import HttpError, database_unavailable, http_error
from realtime.logs import get_logger

log = get_logger(__name__)


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | Response | None:
    """REST_FRAMEWORK["EXCEPTION_HANDLER"]: every error in the shape of `realtime.http_errors`.

    None, and so Django's own handling of a bug, for what nobody foresaw.
    """
    if isinstance(exc, FoyerError):
        exc = http_error(exc)
    elif isinstance(exc, DjangoValidationError):
        exc = _invalid(exc)
    elif isinstance(exc, IntegrityError):
        exc = HttpError(409, "Somebody else has just changed the same thing. Look at it and try again.")
    elif isinstance(exc, OperationalError | InterfaceError):
        log.error("api.database_failed", error=type(exc).__name__)
        exc = database_unavailable()
    if isinstance(exc, HttpError):
        response = json_response(exc.status, exc.body)
        for name, value in exc.headers:
            response[name.decode()] = value.decode()
        return response
    answer = drf_exception_handler(exc, context)
    if answer is not None:
        answer.data = _error_body(exc, answer.data)
    return answer


def _invalid(exc: DjangoValidationError) -> Exception:
    """A model's own refusal: 409 where the only trouble is that there is one already, else 400."""
    if {error.code for errors in exc.update_error_dict({}).values() for error in errors} == {"unique"}:
        return HttpError(409, " ".join(exc.messages))
    return exceptions.ValidationError(as_serializer_error(exc))


def _error_body(exc: Exception, data: Any) -> dict[str, Any]:
    if not isinstance(exc, exceptions.ValidationError):
        return {"success": False, "error": str(data["detail"])}
    problems = list(_flattened(data))
    sentences = [f"{name}: {text}" if name else text for name, text in problems]
    fields = {name: text for name, text in problems if name}
    return {"success": False, "error": " ".join(sentences), **({"fields": fields} if fields else {})}


def _flattened(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """``{"scopes": {0: ["No scope."]}}`` as ``("scopes.0", "No scope.")``; "" names the whole body."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flattened(value, path if key in _WHOLE else (*path, str(key)))
    elif isinstance(data, list) and any(isinstance(item, dict | list) for item in data):
        for index, item in enumerate(data):
            yield from _flattened(item, (*path, str(index)))
    elif data:
        yield ".".join(path), " ".join(map(str, data if isinstance(data, list) else [data]))


_WHOLE = frozenset({api_settings.NON_FIELD_ERRORS_KEY, NON_FIELD_ERRORS, "detail"})

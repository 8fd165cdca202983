"""What every HTTP API under ``/api/`` has in common: bounded JSON in, one shape of errors out, pages.

Core, for Django REST framework; config.settings names these classes as the defaults.
"""

from typing import IO, Any

from django.db import models
from django.http import HttpResponse
from rest_framework import exceptions, serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from realtime.errors import ProtocolViolation
from realtime.http_errors import HttpError
from realtime.logs import get_logger
from realtime.wire import MAX_DEPTH, decode_json, encode_json

log = get_logger(__name__)

# A hundred typical events in one request, or sixteen of the largest.
MAX_BODY_BYTES = 1024 * 1024

# What is allowed at the innermost level may come wrapped in a list of objects.
_MAX_BODY_DEPTH = MAX_DEPTH + 3


class JsonBodyParser(BaseParser):
    """JSON under the rules of `realtime.wire`, and no more of it than `MAX_BODY_BYTES`."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises HttpError (413) or ParseError (400)."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise HttpError(413, f"The body may have at most {MAX_BODY_BYTES} bytes.")
        try:
            return decode_json(body, max_bytes=MAX_BODY_BYTES, max_depth=_MAX_BODY_DEPTH)
        except ProtocolViolation as error:
            raise exceptions.ParseError(error.message) from None


class TextField(serializers.CharField):
    """A string, and nothing that could be made one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """An integer, and nothing that could be made one; in JSON, 5.0 is the integer 5."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is float and data.is_integer():
            data = int(data)
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """True or false, and nothing that could be made one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictModelSerializer(serializers.ModelSerializer[Any]):
    """Takes JSON's own types only: what a client sends as a number it does not get back as text."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: TextField,
        models.BooleanField: FlagField,
        models.IntegerField: WholeNumberField,
        models.PositiveIntegerField: WholeNumberField,
    }


class ExactSerializer(serializers.Serializer[Any]):
    """Takes the members it has and no others: a name that was misspelled is not silently left out."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(data) - writable):
                # A few, and of each the start: enough to recognise one's own.
                raise exceptions.ValidationError(
                    {name[:60]: ["This cannot be set here."] for name in unknown[:5]}
                )
        return super().to_internal_value(data)


class Pagination(LimitOffsetPagination):
    """``?limit=&offset=``. What is no number within bounds is an error, not silently something else."""

    default_limit = 50
    max_limit = 500
    max_offset = 1_000_000_000

    def get_limit(self, request: Request) -> int:
        return self.number(request, self.limit_query_param, self.default_limit, 1, self.max_limit)

    def get_offset(self, request: Request) -> int:
        return self.number(request, self.offset_query_param, 0, 0, self.max_offset)

    @staticmethod
    def number(request: Request, name: str, default: int, minimum: int, maximum: int) -> int:
        text = request.query_params.get(name)
        if text is None:
            return default
        # isdigit alone also takes digits of other scripts, and int() has a limit on length.
        if not (text.isascii() and text.isdigit() and len(text) < 11 and minimum <= int(text) <= maximum):
            raise exceptions.ValidationError({name: f"A number between {minimum} and {maximum}."})
        return int(text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """As OpenAPI 3.1 says that something may be null."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "minimum": 0, "description": "How many there are in all."},
                "next": {**link, "description": "The next page."},
                "previous": {**link, "description": "The page before."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": self.max_limit}
        offset = {"type": "integer", "minimum": 0, "maximum": self.max_offset, "default": 0}
        return [
            {
                "name": self.limit_query_param,
                "in": "query",
                "required": False,
                "description": "How many to give.",
                "schema": {**limit, "default": self.default_limit},
            },
            {
                "name": self.offset_query_param,
                "in": "query",
                "required": False,
                "description": "How many to pass over first.",
                "schema": offset,
            },
        ]


def json_response(status: int, body: dict[str, Any]) -> HttpResponse:
    """An answer encoded as the plain ASGI routes encode theirs; `body` may hold raw JSON."""
    return HttpResponse(encode_json(body), status=status, content_type="application/json")

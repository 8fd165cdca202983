"""Describing operations of an HTTP API in the OpenAPI document: what every service's have in common.

Core, for drf-spectacular. A service makes one `Operations` and describes its views with that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from realtime.http_query import MAX_TEXT

# Of every operation that reads a body.
BODY = (400, 413, 415)
CALLER = (401, 403)

ERRORS: Mapping[int, str] = {
    400: "The request is wrong; the text says how.",
    401: "No valid API key or session.",
    403: "Whoever asks may not do this.",
    404: "There is nothing of this id.",
    405: "This path has no such method.",
    406: "The answer is JSON, which the client does not accept.",
    409: "A rule says no, and `code` which.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    503: "The database does not answer now.",
}


class RefusalSerializer(serializers.Serializer[Any]):
    """Every error. Only described here: `realtime.http_errors` makes them."""

    success = serializers.BooleanField()
    error = serializers.CharField(help_text="One sentence for people.")
    code = serializers.CharField(required=False, help_text="Of a rule that says no, for programs.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(),
        required=False,
        help_text="What is wrong with which part of the body or query.",
    )


class ExactBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """How a body looks that takes no members but its own (`realtime.http_api.ExactSerializer`)."""

    target_class = "realtime.http_api.ExactSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        map_serializer: Any = auto_schema._map_serializer
        schema = map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


@dataclass(frozen=True)
class Operations:
    """Describes the operations of one service.

    Attributes:
        service: in front of every operation's id.
        error: what an error looks like.
        errors: what each status means here.
    """

    service: str
    error: type[serializers.BaseSerializer[Any]]
    errors: Mapping[int, str]

    def answers(self, success: dict[Any, Any], *errors: int) -> dict[Any, Any]:
        """What an operation may answer. Every one may answer 405, 406 and 503 as well."""
        described = {
            status: OpenApiResponse(self.error, self.errors[status]) for status in (*errors, 405, 406, 503)
        }
        return {**success, **described}

    def operation(
        self,
        operation_id: str,
        summary: str,
        tags: list[str],
        responses: dict[Any, Any],
        *,
        description: str = "",
        request: Any = None,
        parameters: tuple[OpenApiParameter, ...] = (),
        examples: tuple[OpenApiExample, ...] = (),
        auth: list[Any] | None = None,
    ) -> Any:
        """One method of a view: a decorator for `extend_schema_view`."""
        return extend_schema(
            operation_id=f"{self.service}_{operation_id}",
            summary=summary,
            description=description,
            tags=tags,
            request=request,
            responses=responses,
            parameters=list(parameters),
            examples=list(examples),
            auth=auth,
        )


def in_query(name: str, schema: Any, description: str, **more: Any) -> OpenApiParameter:
    """A parameter of the query string, never needed unless `more` says so."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **more)


def search(description: str) -> OpenApiParameter:
    """``q``."""
    return in_query("q", {"type": "string", "maxLength": MAX_TEXT, "pattern": r"^[^\x00]*$"}, description)

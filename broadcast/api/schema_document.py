"""The document's routes at the root, for the OpenAPI document: no views, so nothing else finds them."""

from collections.abc import Iterable
from typing import Any

from broadcast.api.schema_bodies import (
    CHANNEL_AUTH,
    CHANNEL_SCHEMA,
    COMPONENTS,
    ERRORS,
    LIMIT,
    LIMIT_TEXT,
    PAYLOAD,
    RETRY_AFTER,
    SINCE_TEXT,
    Schema,
    ref,
)


def add_document_routes(document: Schema) -> None:
    """Add the shared components and the routes at the root to the OpenAPI document (``Service.openapi``)."""
    document["components"].setdefault("schemas", {}).update(COMPONENTS)
    for name, operations in _document_routes().items():
        document["paths"][f"/{{channel}}/{name}"] = operations


def _document_routes() -> Schema:
    steering = [
        _query(
            "clients",
            {"type": "string", "minLength": 1},
            "A number of random clients, or clientIDs with commas.",
        ),
        _query(
            "require-ack", {"type": "boolean"}, "Answer when every client has acknowledged, or after 5 s."
        ),
    ]
    emit_errors = (401, 403, 404, 405, 408, 413, 429, 503)
    emitted = {200: ("Emitted", "Emitted.")}
    return {
        "emit": {
            "get": _operation(
                "emitByGet",
                "Emit an event, its payload in the query string",
                "All other parameters are the payload, an object of strings; a repeated one gives a list.",
                [*steering, _PAYLOAD_QUERY],
                emitted,
                (400, *emit_errors),
            ),
            "post": _operation(
                "emitByPost",
                "Emit an event, its payload in the body",
                "The body is read as JSON whatever its content type says, so that a plain `curl -d` works.",
                steering,
                emitted,
                (400, *emit_errors),
                requestBody={
                    "required": True,
                    "content": {"application/json": {"schema": PAYLOAD, "example": {"hello": "world"}}},
                },
            ),
        },
        "listen": {
            "get": _operation(
                "listen",
                "Listen",
                "With `Accept: text/event-stream` an endless stream of server-sent events, with "
                "`Accept: text/html` a page for people; a WebSocket handshake opens what "
                "[AsyncAPI](/api/asyncapi/) describes. Anything else is answered with 426.",
                [
                    {**_query("Accept", {"type": "string"}, ""), "in": "header"},
                    _query(
                        "since",
                        {"type": "string"},
                        "An eventID to resume after. `Last-Event-ID` goes before it.",
                    ),
                    _KEY_QUERY,
                ],
                {},
                (400, 401, 403, 404, 405, 426, 503),
                more_content={200: ("The stream, or the page.", ("text/event-stream", "text/html"))},
            ),
        },
        "history": {
            "get": _operation(
                "history",
                "Kept events",
                "What the channel's policy keeps, oldest first.",
                [
                    _query("limit", LIMIT, LIMIT_TEXT),
                    _query("since", {"type": "string"}, SINCE_TEXT),
                    _KEY_QUERY,
                ],
                {200: ("History", "The events.")},
                (400, 401, 403, 404, 405, 503),
            ),
        },
        "members": {
            "get": _operation(
                "members",
                "Who listens now",
                "",
                [_KEY_QUERY],
                {200: ("Members", "Now.")},
                (400, 401, 403, 404, 405, 503),
            ),
        },
    }


_CLIENTS: Schema = {
    "type": "string",
    "pattern": "^([1-9][0-9]{0,8}|[A-Za-z_-][A-Za-z0-9_-]*(,[A-Za-z_-][A-Za-z0-9_-]*)*)$",
}
_CHANNEL: Schema = {
    "name": "channel",
    "in": "path",
    "required": True,
    "description": "The channel's name. The names of the site's own paths are none: they lead there.",
    "schema": {"type": "string", "pattern": CHANNEL_SCHEMA["pattern"]},
    "example": "lobby",
}


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_KEY_QUERY = _query("key", {"type": "string"}, "The API key, for clients that cannot send a header.")
_PAYLOAD_QUERY: Schema = {
    "name": "payload",
    "in": "query",
    "description": "Any names and values.",
    "required": True,
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 50,
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,30}$", "not": {"enum": ["clients"]}},
        "additionalProperties": {"type": "string"},
    },
    "example": {"hello": "world"},
}


def _operation(  # noqa: PLR0917
    operation_id: str,
    summary: str,
    description: str,
    parameters: list[Schema],
    success: dict[int, tuple[str, str]],
    errors: Iterable[int],
    *,
    more_content: dict[int, tuple[str, tuple[str, ...]]] | None = None,
    **more: Any,
) -> Schema:
    responses: Schema = {}
    for status, (component, text) in success.items():
        responses[str(status)] = _response(text, ref(component))
    for status, (text, media_types) in (more_content or {}).items():
        content = {media_type: {"schema": {"type": "string"}} for media_type in media_types}
        responses[str(status)] = {"description": text, "content": content}
    for status in errors:
        component = "NotAcknowledged" if status == 408 else "Error"
        responses[str(status)] = _response(ERRORS[status], ref(component))
    # No channel's name, so not our route: the site answers as for any unknown address, in what is accepted.
    responses["404"]["content"]["text/html"] = {"schema": {"type": "string"}}
    if "429" in responses:
        responses["429"]["headers"] = RETRY_AFTER
    return {
        "operationId": f"broadcast_{operation_id}",
        "summary": summary,
        "description": description,
        "tags": ["broadcast: document"],
        "parameters": [_CHANNEL, *parameters],
        "security": CHANNEL_AUTH,
        "responses": responses,
        **more,
    }


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}

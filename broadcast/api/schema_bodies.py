"""The bodies and parameters both doors share, for the OpenAPI document.

Written here because the answers themselves are made without serializers (`broadcast.api.answers`);
`schema` describes the views with them, `schema_document` the document's routes.
"""

from collections.abc import Iterable
from typing import Any

from broadcast.api.answers import DEFAULT_HISTORY_LIMIT, MAX_HISTORY_LIMIT
from broadcast.api.emits import MAX_CLIENT_COUNT, MAX_NAMED_CLIENTS
from broadcast.rules import CHANNEL_NAME_PATTERN, RESERVED_NAMES

Schema = dict[str, Any]


_EVENT_ID: Schema = {"type": "string", "examples": ["evt_gPVZZQC5"]}
_CLIENT_ID: Schema = {"type": "string", "examples": ["client_fXoSDfqi"]}
_CLIENT_IDS: Schema = {"type": "array", "items": _CLIENT_ID}
_EMPTY: Schema = {"enum": [None, {}]}

PAYLOAD: Schema = {
    "description": "Any JSON value but an empty object and null, as compact text at most 64 KiB.",
    "not": _EMPTY,
    "examples": [{"hello": "world"}],
}


def _object(properties: Schema, *, optional: Iterable[str] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in set(optional)]
    return {"type": "object", "properties": properties, "required": required, **more}


COMPONENTS: Schema = {
    "Error": _object(
        {
            "success": {"type": "boolean", "enum": [False]},
            "error": {"type": "string", "description": "One sentence for people."},
            "fields": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "What is wrong with which part of the body or query.",
            },
            "index": {"type": "integer", "description": "Which event of a list is wrong, from 0."},
        },
        optional=("fields", "index"),
    ),
    "Emitted": _object(
        {
            "success": {"type": "boolean", "enum": [True]},
            "eventID": _EVENT_ID,
            "clients": {"type": "integer", "minimum": 0, "description": "How many it was sent to."},
            "acked": {**_CLIENT_IDS, "description": "Who acknowledged, where that was required."},
            "missing": {**_CLIENT_IDS, "description": "Named clients that are not connected."},
        },
        optional=("acked", "missing"),
        example={"success": True, "eventID": "evt_gPVZZQC5", "clients": 2},
    ),
    "NotAcknowledged": _object(
        {
            "success": {"type": "boolean", "enum": [False]},
            "error": {"type": "string"},
            "eventID": _EVENT_ID,
            "clients": {"type": "integer", "minimum": 0},
            "acked": {**_CLIENT_IDS, "description": "Who acknowledged in time."},
            "missing": {**_CLIENT_IDS, "description": "Who did not, or left, or was not connected."},
            "status": {"type": "integer", "description": "In the results of a list: 408."},
        },
        optional=("status",),
    ),
    "Event": _object(
        {"eventID": _EVENT_ID, "payload": {}, "timestamp": {"type": "string", "format": "date-time"}}
    ),
    "History": _object(
        {
            "success": {"type": "boolean", "enum": [True]},
            "kept": {"type": "integer", "description": "How many events the channel's policy keeps."},
            "gap": {"type": "boolean", "description": "Events after `since` are not kept any more."},
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
        }
    ),
    "Members": _object(
        {
            "success": {"type": "boolean", "enum": [True]},
            "count": {"type": "integer", "minimum": 0},
            "members": {
                "type": "array",
                "description": "Of a crowd, only some.",
                "items": _object({"clientID": _CLIENT_ID, "presence": {"type": "object"}}),
            },
        }
    ),
    "LiveChannels": _object(
        {
            "success": {"type": "boolean", "enum": [True]},
            "channels": {
                "type": "array",
                "items": _object({"channel": {"type": "string"}, "clients": {"type": "integer"}}),
            },
        }
    ),
    "NewEvent": _object(
        {
            "payload": PAYLOAD,
            "clients": {
                "description": "Who gets it: everyone; that many, at random; or these.",
                "anyOf": [
                    {"type": "null"},
                    {"type": "integer", "minimum": 1, "maximum": MAX_CLIENT_COUNT},
                    {"type": "array", "items": _CLIENT_ID, "minItems": 1, "maxItems": MAX_NAMED_CLIENTS},
                    {"type": "string", "description": "As in the query string of the document's route."},
                ],
            },
            "require_ack": {
                "type": "boolean",
                "default": False,
                "description": "Answer when every client has acknowledged, or with 408 after 5 s.",
            },
        },
        optional=("clients", "require_ack"),
        additionalProperties=False,
    ),
    "EmittedList": _object(
        {
            "success": {"type": "boolean", "description": "Whether all of them were emitted."},
            "results": {
                "type": "array",
                "description": "For each event, in order, what it alone would have been answered.",
                "items": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/Emitted"},
                        {"$ref": "#/components/schemas/NotAcknowledged"},
                        {"$ref": "#/components/schemas/Error"},
                    ]
                },
            },
        }
    ),
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


ERRORS = {
    400: "The request is wrong; the text says how.",
    401: "No valid API key.",
    403: "The key's scopes, the account's permissions or the channel's policy do not allow it.",
    404: "There is nothing of this name.",
    405: "This path has no such method.",
    406: "The answer is JSON, which the client does not accept.",
    408: "Not every client acknowledged in time, or one has left. The event was sent all the same.",
    409: "Somebody else changed the same thing at the same time.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    426: "Listening needs a WebSocket, or `Accept: text/event-stream`.",
    429: "Too many requests. `Retry-After` says how many seconds to wait.",
    503: "The database does not answer, or the server holds all the connections it can.",
}
RETRY_AFTER: Schema = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}


CHANNEL_SCHEMA: Schema = {
    "type": "string",
    "pattern": f"^{CHANNEL_NAME_PATTERN}$",
    "not": {"enum": sorted(RESERVED_NAMES)},
}

LIMIT: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_HISTORY_LIMIT,
    "default": DEFAULT_HISTORY_LIMIT,
}
LIMIT_TEXT = "How many events at most."
SINCE_TEXT = "An eventID: what came after it. Without it, the latest events."

CHANNEL_AUTH: list[Any] = [{"apiKey": []}, {}]

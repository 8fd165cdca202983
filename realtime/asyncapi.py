"""The WebSocket side of every service as one AsyncAPI 3.0 document, made from the message structs.

Core. A service names, in its `realtime.catalog.Service`, the dotted path of a `ServiceChannels`; what it
gives there is what no struct can say (addresses, parameters, how a message is wrapped on the wire). All
fields, types and limits come from the structs that the codec itself uses, so they cannot drift apart.

Where messages are lines of text and no JSON, `text_line` gives the schema of one: its form, a pattern, and
the schemas of what stands in it.

Words follow AsyncAPI 3: an operation's action is the server's own, ``receive`` for what clients send.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from realtime.close_codes import describe

Schema = dict[str, Any]
Direction = Literal["receive", "send"]
_SCHEMA_REF = "#/components/schemas/{name}"
_JSON = "application/json"
TEXT = "text/plain"
"""The content type of a channel whose messages are lines of text."""


def unwrapped(_struct: type[msgspec.Struct], payload: Schema) -> Schema:
    """The wire form of a protocol whose messages are the structs themselves."""
    return payload


def text_line(form: str, pattern: str, arguments: Schema | None = None) -> Schema:
    """The schema of a message that is a line of text.

    Args:
        form: the line as people read it, ``claimed {table} {ticket_id}``.
        pattern: a regular expression (ECMA 262) for all of the line.
        arguments: the schema of an object with what stands in braces; JSON in the line is a value in it.
    """
    line: Schema = {"type": "string", "pattern": f"^{pattern}$", "x-line": form}
    return line if arguments is None else {**line, "x-arguments": arguments}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A variable part of an address, or a query parameter. `schema` counts for the query only."""

    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One WebSocket address and what is said there.

    Attributes:
        name: unique in its service; with the service's label it names the channel in the document.
        address: path with parameters in braces, ``/{channel}/listen``.
        parameters: for each name in braces.
        query: query parameters of the handshake.
        client_messages: structs a client may send.
        server_messages: structs the server sends.
        wire: gives the schema of a whole message on the wire, of its struct and the struct's schema.
            A struct's ``type`` is its name on the wire where it has one, else the class's name.
        examples: by name on the wire, whole messages.
        content_type: of every message, `TEXT` where they are no JSON.
        security: keys of `SECURITY_SCHEMES` or of the service's own, any one of which will do; "" means
            that none may do too.
        close_codes: with which the server ends the connection, beyond a plain 1000.
    """

    name: str
    address: str
    title: str
    summary: str
    description: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    query: Mapping[str, Parameter] = field(default_factory=dict)
    client_messages: tuple[type[msgspec.Struct], ...] = ()
    server_messages: tuple[type[msgspec.Struct], ...] = ()
    wire: Callable[[type[msgspec.Struct], Schema], Schema] = unwrapped
    examples: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    content_type: str = _JSON
    security: tuple[str, ...] = ()
    close_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChannels:
    """All channels of a service. `label` is the service's, `security_schemes` are its own ones."""

    label: str
    channels: tuple[Channel, ...]
    security_schemes: Mapping[str, Schema] = field(default_factory=dict)


SECURITY_SCHEMES: dict[str, Schema] = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key from the admin, sent with the handshake: `Authorization: Bearer <key>`.",
    },
    "session": {
        "type": "httpApiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The cookie of somebody who is logged in. The handshake must carry our own Origin.",
    },
}


def wire_name(struct: type[msgspec.Struct]) -> str:
    """The message's name on the wire."""
    name = getattr(struct, "type", None)  # which may also be one of its fields
    return name if isinstance(name, str) else struct.__name__


def build_document(
    services: Iterable[ServiceChannels], *, title: str, version: str, host: str, secure: bool
) -> Schema:
    """The AsyncAPI document, as JSON values.

    Args:
        host: of the server, with its port where that is not the default one.
        secure: whether it is reached by ``wss``.
    Raises:
        TypeError: a struct has a field that JSON Schema cannot describe.
    """
    document: Schema = {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": version,
            "description": "The WebSocket side of Foyer. The HTTP side is described at /api/schema/.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": _JSON,
        "servers": {"foyer": {"host": host, "protocol": "wss" if secure else "ws"}},
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": {}, "securitySchemes": dict(SECURITY_SCHEMES)},
    }
    for service in services:
        document["components"]["securitySchemes"].update(service.security_schemes)
        for channel in service.channels:
            _add_channel(document, service.label, channel)
    return document


def _add_channel(document: Schema, label: str, channel: Channel) -> None:
    key = f"{label}.{channel.name}"
    structs = (*channel.client_messages, *channel.server_messages)
    schemas, components = msgspec.json.schema_components(structs, ref_template=_component_ref(label))
    for name, schema in components.items():
        document["components"]["schemas"][f"{label}.{name}"] = schema
    for struct, schema in zip(structs, schemas, strict=True):
        document["components"]["messages"][f"{key}.{struct.__name__}"] = _message(channel, struct, schema)

    entry: Schema = {
        "address": channel.address,
        "title": channel.title,
        "summary": channel.summary,
        "messages": {s.__name__: {"$ref": f"#/components/messages/{key}.{s.__name__}"} for s in structs},
        "tags": [{"name": label}],
        "x-close-codes": [
            {"code": int(code), "meaning": describe(code).meaning, "reconnect": describe(code).reconnect}
            for code in channel.close_codes
        ],
    }
    if channel.description:
        entry["description"] = channel.description
    if channel.parameters:
        entry["parameters"] = {name: _address_parameter(p) for name, p in channel.parameters.items()}
    binding: Schema = {"method": "GET", "bindingVersion": "0.1.0"}
    if channel.query:
        query = {name: {"description": p.description, **p.schema} for name, p in channel.query.items()}
        binding["query"] = {"type": "object", "properties": query}
    entry["bindings"] = {"ws": binding}
    document["channels"][key] = entry
    incoming, outgoing = channel.client_messages, channel.server_messages
    _add_operation(
        document, key, channel, action="receive", structs=incoming, summary="What a client may send."
    )
    _add_operation(document, key, channel, action="send", structs=outgoing, summary="What the server sends.")


def _add_operation(
    document: Schema,
    channel_key: str,
    channel: Channel,
    *,
    action: Direction,
    structs: tuple[type[msgspec.Struct], ...],
    summary: str,
) -> None:
    if not structs:
        return
    channel_ref = f"#/channels/{channel_key}"
    operation: Schema = {
        "action": action,
        "channel": {"$ref": channel_ref},
        "summary": summary,
        "messages": [{"$ref": f"{channel_ref}/messages/{struct.__name__}"} for struct in structs],
    }
    # An operation's security is required; where some may come without, saying nothing is the truth.
    if channel.security and "" not in channel.security:
        operation["security"] = [{"$ref": f"#/components/securitySchemes/{s}"} for s in channel.security]
    document["operations"][f"{channel_key}.{action}"] = operation


def _message(channel: Channel, struct: type[msgspec.Struct], schema: Schema) -> Schema:
    summary, _, description = inspect.cleandoc(struct.__doc__ or "").partition("\n\n")
    name = wire_name(struct)
    message: Schema = {
        "name": name,
        "title": name,
        "summary": summary.replace("\n", " "),
        "contentType": channel.content_type,
        "payload": channel.wire(struct, schema),
    }
    if description:
        message["description"] = description
    if examples := channel.examples.get(name):
        message["examples"] = [{"payload": example} for example in examples]
    return message


def _component_ref(label: str) -> str:
    return _SCHEMA_REF.format(name=f"{label}.{{name}}")


def _address_parameter(parameter: Parameter) -> Schema:
    described: Schema = {"description": parameter.description}
    if parameter.examples:
        described["examples"] = list(parameter.examples)
    return described


# --- For people ---------------------------------------------------------------------------------------


def readable_channels(document: Schema) -> list[Schema]:
    """The document's channels as a page wants them: references followed, JSON printed.

    Each has ``key, service, address, title, summary, description, parameters, query, close_codes`` and
    ``client_messages``, ``server_messages``: lists of ``{name, summary, description, anchor, schema,
    examples}``, the last two as JSON text; examples that are no JSON as they are.
    """
    return [_readable_channel(document, key, channel) for key, channel in document["channels"].items()]


def _readable_channel(document: Schema, key: str, channel: Schema) -> Schema:
    query = channel["bindings"]["ws"].get("query", {}).get("properties", {})
    return {
        "key": key,
        "service": channel["tags"][0]["name"],
        "address": channel["address"],
        "title": channel["title"],
        "summary": channel["summary"],
        "description": channel.get("description", ""),
        "parameters": [{"name": name, **p} for name, p in channel.get("parameters", {}).items()],
        "query": [{"name": name, **schema} for name, schema in query.items()],
        "close_codes": channel["x-close-codes"],
        "client_messages": _readable_messages(document, f"{key}.receive"),
        "server_messages": _readable_messages(document, f"{key}.send"),
    }


def _readable_messages(document: Schema, operation: str) -> list[Schema]:
    references = document["operations"].get(operation, {}).get("messages", [])
    readable = []
    for reference in references:
        channel_key, _, name = reference["$ref"].removeprefix("#/channels/").partition("/messages/")
        target = document["channels"][channel_key]["messages"][name]["$ref"]
        message = document["components"]["messages"][target.removeprefix("#/components/messages/")]
        readable.append(
            {
                "name": message["name"],
                "summary": message["summary"],
                "description": message.get("description", ""),
                "anchor": f"{channel_key}.{name}",
                "schema": _printed(inlined(document, message["payload"])),
                "examples": [_shown(message, example) for example in message.get("examples", [])],
            }
        )
    return readable


def inlined(document: Schema, value: Any, _within: tuple[str, ...] = ()) -> Any:
    """`value` with every reference to a schema replaced by it; one that refers to itself stays one."""
    if isinstance(value, list):
        return [inlined(document, item, _within) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref", "")
    if reference.startswith("#/components/schemas/") and reference not in _within:
        target = document["components"]["schemas"][reference.removeprefix("#/components/schemas/")]
        return inlined(document, target, (*_within, reference))
    return {key: inlined(document, item, _within) for key, item in value.items()}


def _shown(message: Schema, example: Schema) -> str:
    payload = example["payload"]
    return _printed(payload) if message["contentType"] == _JSON else str(payload)


def _printed(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()

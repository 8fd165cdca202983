"""The WebSocket protocol of the broadcast channels for the AsyncAPI document: what no struct can say.

`realtime.asyncapi` makes the document of this and of the structs. Protocol: docs/protocols/broadcast.md.
"""

from typing import Any

import msgspec

from broadcast.protocol.messages import (
    FLOOD_FRAMES,
    FLOOD_WINDOW_S,
    MAX_FRAME_BYTES,
    MAX_PRESENCE_BYTES,
    Ack,
    Connected,
    Data,
    Error,
    Ping,
    Pong,
    Presence,
    PresenceJoined,
    PresenceLeft,
    PresenceUpdated,
)
from broadcast.rules import CHANNEL_NAME_PATTERN
from realtime.asyncapi import Channel, Parameter, Schema, ServiceChannels, wire_name
from realtime.close_codes import CloseCode

_CLIENT_MESSAGES: tuple[type[msgspec.Struct], ...] = (Ack, Pong, Presence)
_SERVER_MESSAGES: tuple[type[msgspec.Struct], ...] = (
    Connected,
    Data,
    Ping,
    PresenceJoined,
    PresenceLeft,
    PresenceUpdated,
    Error,
)


def wire(struct: type[msgspec.Struct], payload: Schema) -> Schema:
    """The schema of a whole message: the envelope that the codec puts around a struct."""
    properties: Schema = {"type": {"const": wire_name(struct)}}
    if struct in _CLIENT_MESSAGES:
        if struct is not Pong:
            properties["payload"] = _shown(payload) if struct is Presence else payload
        # In any case; the schema names the one way of writing it that everyone should choose.
        return {"type": "object", "properties": properties, "required": list(properties)}
    if struct is Data:
        properties["payload"] = {"description": "The emitted JSON value, whatever it is."}
        properties["requires_ack"] = {"type": "boolean", "description": "Answer with ACK."}
    else:
        properties["payload"] = payload
    properties["eventID"] = {"type": "string", "description": "Of this message."}
    properties["clientID"] = {"type": "string", "description": "Of the receiver."}
    properties["latency"] = {
        "type": "integer",
        "minimum": 0,
        "description": "Milliseconds from the last PING to its PONG; 0 at first.",
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _shown(payload: Schema) -> Schema:
    """PRESENCE carries the object itself where the struct has it in a field."""
    return {"type": "object", "description": f"At most {MAX_PRESENCE_BYTES} bytes as compact JSON."}


def _from_server(name: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": name,
        "payload": payload,
        **more,
        "eventID": "evt_gPVZZQC5",
        "clientID": "client_fXoSDfqi",
        "latency": 0,
    }


_SOMEONE = {"clientID": "client_X0JBf69q", "presence": {"username": "Cerulean"}}
_PING_TIMEOUT = {"message": "Client did not respond to PING event", "code": "PING_TIMEOUT"}

_EXAMPLES: dict[str, tuple[Any, ...]] = {
    "ACK": ({"type": "ACK", "payload": {"eventID": "evt_gPVZZQC5"}},),
    "PONG": ({"type": "PONG"},),
    "PRESENCE": ({"type": "PRESENCE", "payload": {"username": "Cerulean"}},),
    "CONNECTED": (
        _from_server("CONNECTED", {"members": [_SOMEONE]}),
        _from_server("CONNECTED", {"members": [], "count": 1412}),
    ),
    "DATA": (_from_server("DATA", {"hello": "world"}, requires_ack=True),),
    "PING": (_from_server("PING", {}),),
    "PRESENCE:JOINED": (_from_server("PRESENCE:JOINED", _SOMEONE),),
    "PRESENCE:LEFT": (_from_server("PRESENCE:LEFT", {"clientID": "client_X0JBf69q"}),),
    "PRESENCE:UPDATED": (_from_server("PRESENCE:UPDATED", _SOMEONE),),
    "ERROR": (_from_server("ERROR", _PING_TIMEOUT),),
}

channels = ServiceChannels(
    label="broadcast",
    channels=(
        Channel(
            name="listen",
            address="/{channel}/listen",
            title="Listen to a channel",
            summary="Everything that is emitted to the channel, and who else listens to it.",
            description=(
                "The first message is CONNECTED. With `since`, what was missed comes next, then everything "
                "as it happens, without a hole and without a repeat; where that cannot be promised an ERROR "
                "HISTORY_GAP says so first.\n\n"
                f"A frame has at most {MAX_FRAME_BYTES} bytes; what is no message is answered with an "
                f"ERROR and the connection goes on. More than {FLOOD_FRAMES} frames in {FLOOD_WINDOW_S:g} s "
                "end it; answers to DATA and PING do not count. The `type` of a client's message may be in "
                "any case."
            ),
            parameters={
                "channel": Parameter(
                    description=f"The channel's name: {CHANNEL_NAME_PATTERN}", examples=("lobby",)
                )
            },
            query={
                "since": Parameter(description="The eventID of the last event that was received."),
                "presence": Parameter(description="What to show the others: a JSON object, URL-encoded."),
                "key": Parameter(description="The API key, where the client cannot send a header."),
            },
            client_messages=_CLIENT_MESSAGES,
            server_messages=_SERVER_MESSAGES,
            wire=wire,
            examples=_EXAMPLES,
            security=("apiKey", ""),
            close_codes=(
                CloseCode.POLICY_VIOLATION,
                CloseCode.MESSAGE_TOO_BIG,
                CloseCode.INTERNAL_ERROR,
                CloseCode.SERVICE_RESTART,
                CloseCode.UNAUTHORIZED,
                CloseCode.FORBIDDEN,
                CloseCode.PING_TIMEOUT,
                CloseCode.SLOW_CLIENT,
            ),
        ),
    ),
)

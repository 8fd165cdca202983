"""The wire form of the broadcast protocol, the client's side: encode to the server, decode from it.

What a program that listens needs, and so what the tests and the load generator use; `codec` is the
other side. The page is ``docs/protocols/broadcast.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from broadcast.protocol.messages import (
    ClientMessage,
    Connected,
    Data,
    Error,
    Ping,
    Pong,
    Presence,
    PresenceJoined,
    PresenceLeft,
    PresenceUpdated,
    ServerMessage,
)
from realtime.errors import ProtocolViolation
from realtime.wire import encode_json

__all__ = ["Delivery", "decode", "encode"]


class Delivery(Struct, frozen=True):
    """A message as one client received it: the message and its envelope."""

    message: ServerMessage
    event_id: str
    client_id: str
    latency_ms: int


class _Envelope(Struct, frozen=True):
    type: str
    payload: Raw
    client_id: str = field(name="clientID")
    latency: int
    # Left out in some of the document's examples; ours always carry it.
    event_id: str = field(name="eventID", default="")
    requires_ack: bool = False


def encode(message: ClientMessage) -> str:
    """One text frame for the server."""
    if type(message) is Pong:
        return '{"type":"PONG"}'
    payload = message.presence if type(message) is Presence else message
    return encode_json({"type": message.type, "payload": payload}).decode()


def decode(text: str) -> Delivery:
    """One text frame of the server. Properties beyond the documented ones are ignored.

    Raises:
        ProtocolViolation: ``UNKNOWN_TYPE``, which a client should pass over, since later versions may
            say more; ``MALFORMED`` for what is no message. Nothing else is ever raised.
    """
    try:
        envelope = _decode_envelope(text)
        message = _read_message(envelope)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ProtocolViolation("MALFORMED", "The text is no message of the broadcast protocol.") from None
    return Delivery(message, envelope.event_id, envelope.client_id, envelope.latency)


def _read_message(envelope: _Envelope) -> ServerMessage:
    if envelope.type == Data.type:
        return Data(envelope.payload, envelope.requires_ack)
    reader = _READERS.get(envelope.type)
    if reader is None:
        raise ProtocolViolation("UNKNOWN_TYPE", "The type is none that this version knows.")
    return reader.decode(envelope.payload)


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_READERS: Final[dict[str, msgspec.json.Decoder[ServerMessage]]] = {
    kind.type: msgspec.json.Decoder(kind)
    for kind in (Connected, Ping, PresenceJoined, PresenceLeft, PresenceUpdated, Error)
}

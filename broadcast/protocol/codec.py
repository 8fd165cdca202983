"""The wire form of the broadcast protocol, the server's side: decode what clients send, encode the rest.

Every message is a JSON object with ``type`` and ``payload``; the server's also have ``eventID``,
``clientID`` (of the receiver) and ``latency``. The last two are the only parts of a message to many that
differ between its receivers, so they come last, and a message is encoded in two pieces: a head made once
for all and a tail of some thirty bytes for each. Head and tail, one behind the other, are the text.

`broadcast.protocol.client` is the other side. The page is ``docs/protocols/broadcast.md``.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from collections.abc import Callable
from typing import Any, Final

from broadcast.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_PRESENCE_BYTES,
    Ack,
    ClientMessage,
    Data,
    ErrorCode,
    Pong,
    Presence,
    ServerMessage,
)
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

__all__ = ["decode", "decode_presence", "encode", "encode_head", "encode_tail"]


def decode(text: str) -> ClientMessage:
    """The message in one text frame of a client. Properties beyond the documented ones are ignored.

    A comma before the last brace is let pass: the document prints its PONG as ``{"type": "PONG",}``,
    and whoever built a client from that example must be able to stay connected.

    Raises:
        ProtocolViolation: ``TOO_LARGE``, ``UNKNOWN_TYPE``, or ``MALFORMED`` for anything else that is
            not one of the three messages. Nothing else is ever raised. Answer with `Error`, go on.
    """
    frame = decode_json(_without_last_comma(text), max_bytes=MAX_FRAME_BYTES)
    if type(frame) is not dict:
        raise _malformed("A message is a JSON object.")
    name = frame.get("type")
    if type(name) is not str:
        raise _malformed("A message has a type, which is a string.")
    # Only ASCII has one answer to what a character is in the other case.
    reader = _READERS.get(name.upper()) if name.isascii() else None
    if reader is None:
        raise ProtocolViolation(ErrorCode.UNKNOWN_TYPE, f"The type is one of {', '.join(_READERS)}.")
    return reader(frame.get("payload"))


def decode_presence(text: str) -> dict[str, Any]:
    """Presence given at connect, in ``?presence=<json>``: the same rules as in a message.

    Raises:
        ProtocolViolation: ``TOO_LARGE`` or ``MALFORMED``.
    """
    return _read_presence(decode_json(text, max_bytes=MAX_FRAME_BYTES)).presence


def encode_head(message: ServerMessage, event_id: str) -> bytes:
    """The part of a message that is the same for all its receivers. Append `encode_tail` for each.

    It ends inside the string that is the ``clientID``::

        {"type":"DATA","payload":{"hello":"world"},"requires_ack":true,"eventID":"evt_gPVZZQC5","clientID":"
    """
    if type(message) is Data:
        acknowledge = b"true" if message.requires_ack else b"false"
        body = b'%b,"requires_ack":%b' % (bytes(message.payload), acknowledge)
    else:
        body = encode_json(message)
    return b'{"type":"%b","payload":%b,"eventID":%b,"clientID":"' % (
        message.type.encode(),
        body,
        encode_json(event_id),
    )


def encode_tail(client_id: str, latency_ms: int) -> bytes:
    """The receiver's own end of any message. It changes with the latency only, so keep it.

    `client_id` is one of ours (`realtime.ids`): nothing in it needs escaping.
    """
    return f'{client_id}","latency":{latency_ms}}}'.encode()


def encode(message: ServerMessage, event_id: str, client_id: str, latency_ms: int = 0) -> str:
    """One whole message for one receiver. `latency_ms` is that of the last PING and PONG, 0 at first."""
    return (encode_head(message, event_id) + encode_tail(client_id, latency_ms)).decode()


def _without_last_comma(text: str) -> str:
    # The last brace of an object is never inside a string, so no tokens need to be looked at.
    body = text.rstrip(_JSON_SPACE)
    if body.endswith("}") and (inner := body[:-1].rstrip(_JSON_SPACE)).endswith(","):
        return inner[:-1] + "}"
    return text


def _read_ack(payload: Any) -> Ack:
    event_id = payload.get("eventID") if type(payload) is dict else None
    if type(event_id) is not str:
        raise _malformed("The payload of ACK is an object with an eventID, which is a string.")
    return Ack(event_id)


def _read_pong(payload: Any) -> Pong:
    return Pong()


def _read_presence(payload: Any) -> Presence:
    if type(payload) is not dict:
        raise _malformed("Presence is a JSON object.")
    # Measured as it will be sent on, so that white space costs nothing and escapes gain nothing.
    if len(encode_json(payload)) > MAX_PRESENCE_BYTES:
        raise ProtocolViolation(
            ErrorCode.TOO_LARGE, f"Presence takes at most {MAX_PRESENCE_BYTES} bytes as compact JSON."
        )
    return Presence(payload)


def _malformed(message: str) -> ProtocolViolation:
    return ProtocolViolation(ErrorCode.MALFORMED, message)


_JSON_SPACE: Final = " \t\r\n"
_READERS: Final[dict[str, Callable[[Any], ClientMessage]]] = {
    Ack.type: _read_ack,
    Pong.type: _read_pong,
    Presence.type: _read_presence,
}

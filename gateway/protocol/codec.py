"""The wire form of the gateway's protocol, the server's side: decode what clients send, encode the rest.

A frame is a JSON object with an integer ``op`` and, beside it, what belongs to that op.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

import re
from typing import Any, Final

from msgspec import to_builtins

from gateway.protocol.messages import (
    MAX_FRAME_BYTES,
    ClientFrame,
    Heartbeat,
    HeartbeatAck,
    Identify,
    Message,
    Op,
    ServerFrame,
)
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

__all__ = ["decode", "encode"]

# Ids have 64 bits; no leading zeros, so that one id is one text.
_is_id: Final = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
_MAX_ID: Final = 2**63 - 1
# What a double, and so every JSON reader, holds exactly.
_MAX_TIME: Final = 2**53


def decode(text: str) -> ClientFrame:
    """The frame in one text frame.

    Raises:
        ProtocolViolation: MALFORMED or TOO_LARGE, with what is wrong. Nothing else is ever raised.
    """
    frame = decode_json(text, max_bytes=MAX_FRAME_BYTES)
    if not isinstance(frame, dict):
        raise _malformed("a frame is a JSON object")
    op = frame.get("op")
    if type(op) is not int:
        raise _malformed("op must be an integer")
    match op:
        case Op.IDENTIFY:
            return _identify(frame)
        case Op.HEARTBEAT:
            return Heartbeat(_time(frame))
        case Op.HEARTBEAT_ACK:
            return HeartbeatAck(_time(frame))
    raise _malformed("clients send op 1, 10 and 11 only")


def encode(frame: ServerFrame) -> bytes:
    """The text of a frame, in UTF-8."""
    if isinstance(frame, Message):
        return encode_json({"op": frame.op, "message": frame.message})
    return encode_json({"op": frame.op, **to_builtins(frame)})


def _identify(frame: dict[str, Any]) -> Identify:
    token, after = frame.get("token"), frame.get("after")
    if not isinstance(token, str):
        raise _malformed("token must be a text")
    if after is None:
        return Identify(token)
    if not isinstance(after, str) or not _is_id(after) or int(after) > _MAX_ID:
        raise _malformed("after must be a message's id, as a text")
    return Identify(token, int(after))


def _time(frame: dict[str, Any]) -> int:
    time = frame.get("time")
    if type(time) is not int or not -_MAX_TIME <= time <= _MAX_TIME:
        raise _malformed("time must be an integer")
    return time


def _malformed(why: str) -> ProtocolViolation:
    return ProtocolViolation("MALFORMED", why)

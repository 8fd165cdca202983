"""The WebSocket protocol of the gateway for the AsyncAPI document: what no struct can say.

`realtime.asyncapi` makes the document of this and of the structs. Protocol: docs/protocols/gateway.md.
"""

from typing import Any

import msgspec

from gateway.protocol.messages import (
    IDENTIFY_TIMEOUT_S,
    MAX_FRAME_BYTES,
    MAX_REPLAY,
    MAX_REPLAY_BYTES,
    Gap,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Identify,
    Message,
    Ready,
)
from realtime.asyncapi import Channel, Schema, ServiceChannels
from realtime.close_codes import CloseCode

_ID: Schema = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"}
_EXAMPLE_ID = "912061498870726656"


def wire(struct: type[msgspec.Struct], payload: Schema) -> Schema:
    """The schema of a whole frame: what the struct holds, and its ``op`` beside it."""
    op: int = struct.op  # type: ignore[attr-defined]
    named = {"type": "object", "properties": {"op": {"const": int(op)}}, "required": ["op"]}
    if struct is Identify:
        # The struct holds the number that the id is the text of.
        fields: Schema = {"properties": {"token": {"type": "string"}, "after": _ID}, "required": ["token"]}
    else:
        fields = payload
    return {"allOf": [named, fields]}


def _frame(op: int, /, **fields: Any) -> tuple[dict[str, Any]]:
    return ({"op": op, **fields},)


channels = ServiceChannels(
    label="gateway",
    channels=(
        Channel(
            name="connect",
            address="/gateway/",
            title="Messages as they are posted",
            summary="Identify with a token, and get what is posted in one's channels: each once, in order.",
            description=(
                "The same is at `/gateway/v1`. The server says Hello; the client has "
                f"{IDENTIFY_TIMEOUT_S:g} s to Identify, with the id of the last message it has (`after`) if "
                "it was here before. After Ready come the messages missed since then, at most "
                f"{MAX_REPLAY} or {MAX_REPLAY_BYTES} bytes (Gap says that there were more), and then what is "
                "posted, without a hole or a repeat. Heartbeats go both ways, and are answered at once.\n\n"
                f"A frame has at most {MAX_FRAME_BYTES} bytes. What is no frame ends the connection."
            ),
            client_messages=(Identify, Heartbeat, HeartbeatAck),
            server_messages=(Hello, Ready, Message, Gap, Heartbeat, HeartbeatAck),
            wire=wire,
            examples={
                "Hello": _frame(0, heartbeat_interval=45_000),
                "Identify": (*_frame(1, token="3f1c…"), *_frame(1, token="3f1c…", after=_EXAMPLE_ID)),
                "Ready": _frame(2, user="912057109539979264"),
                "Message": _frame(
                    3,
                    message={
                        "id": _EXAMPLE_ID,
                        "channel_id": "912057109548367872",
                        "author": "912057109539979264",
                        "type": 0,
                        "content": "hello",
                        "timestamp": 1_795_290_000_000,
                    },
                ),
                "Gap": _frame(4, gap=True),
                "Heartbeat": _frame(10, time=1_579_276_740_336),
                "HeartbeatAck": _frame(11, time=1_579_276_740_336),
            },
            close_codes=(
                CloseCode.BAD_FRAME,
                CloseCode.NOT_ALIVE,
                CloseCode.NOT_IDENTIFIED,
                CloseCode.POLICY_VIOLATION,
                CloseCode.MESSAGE_TOO_BIG,
                CloseCode.INTERNAL_ERROR,
                CloseCode.SERVICE_RESTART,
                CloseCode.TRY_AGAIN_LATER,
                CloseCode.SLOW_CLIENT,
            ),
        ),
    ),
)

"""The WebSocket protocol of the login queue for the AsyncAPI document: what no struct can say.

`realtime.asyncapi` makes the document of this and of the structs. Protocol: docs/protocols/queue.md.
"""

from typing import Any

import msgspec

from queue.protocol.messages import (
    MAX_BAD_FRAMES,
    MAX_BAD_FRAMES_WINDOW_S,
    MAX_FRAME_BYTES,
    MAX_ID_LENGTH,
    MAX_PLATFORM_LENGTH,
    Error,
    Login,
    LoginAnswer,
    QueueStats,
    ShouldQueue,
    Ticket,
)
from realtime.asyncapi import Channel, Parameter, Schema, ServiceChannels
from realtime.close_codes import CloseCode


def wire(struct: type[msgspec.Struct], data: Schema) -> Schema:
    """The schema of a whole message: the envelope that the codec puts around a struct."""
    code: int = struct.code  # type: ignore[attr-defined]
    return {
        "type": "object",
        "properties": {"eventCode": {"const": int(code)}, "eventData": data},
        "required": ["eventCode", "eventData"],
    }


def _message(event_code: int, /, **data: Any) -> dict[str, Any]:
    return {"eventCode": event_code, "eventData": data}


channels = ServiceChannels(
    label="queue",
    channels=(
        Channel(
            name="wait",
            address="/queue/",
            title="Wait in line",
            summary="A place in line, the line as it moves, and a credential when it is one's turn.",
            description=(
                "The same is at `/`, as the protocol's document has it. `id` and `platform` are headers of "
                "the handshake; where a client cannot send any, as in a browser, they are in the query. A "
                "header `jwt` is a credential that was handed out earlier: while its session lives there is "
                "nothing to wait for.\n\n"
                f"A frame has at most {MAX_FRAME_BYTES} bytes; what is no message is answered with an Error "
                f"and the connection goes on. More than {MAX_BAD_FRAMES} of those in "
                f"{MAX_BAD_FRAMES_WINDOW_S:g} s end it. A newer connection of the same `id` takes the ticket "
                "over and ends the older with 4009. When the client was let in, the connection is closed "
                "with 1000."
            ),
            query={
                "id": Parameter(
                    description=f"Who waits, over all reconnects: 1 to {MAX_ID_LENGTH} printable ASCII.",
                    examples=("6f1c2e50-8d1b-4b9e-9a65-7a1f0f0c1a11",),
                ),
                "platform": Parameter(
                    description=f"For the main server: 1 to {MAX_PLATFORM_LENGTH} of `A-Za-z0-9._-`.",
                    examples=("web",),
                ),
                "extended": Parameter(
                    description="1: as our own page has it, QueueStats with `estimate`, `message`, `paused`.",
                ),
            },
            client_messages=(Login,),
            server_messages=(ShouldQueue, Ticket, QueueStats, LoginAnswer, Error),
            wire=wire,
            examples={
                "Login": (_message(1001, type=4, token="asdz23asda-123sac"),),
                "ShouldQueue": (_message(1000, shouldQueue=False),),
                "Ticket": (_message(1003, ticketId="12adccasxax", position=87),),
                "QueueStats": (_message(1002, headPosition=1, tailPosition=5, avgWaitMsec=17000),),
                "LoginAnswer": (
                    _message(1001, jwt="iamjwtjwtjwtjwtjwtjwtjwt"),
                    _message(1001, jwt="", statusCode=403, message="This account is closed."),
                ),
                "Error": (
                    _message(1004, code="INVALID_LOGIN", message="type must be an integer from 0 to 4."),
                ),
            },
            close_codes=(
                CloseCode.POLICY_VIOLATION,
                CloseCode.MESSAGE_TOO_BIG,
                CloseCode.INTERNAL_ERROR,
                CloseCode.SERVICE_RESTART,
                CloseCode.REPLACED,
                CloseCode.PING_TIMEOUT,
                CloseCode.SLOW_CLIENT,
            ),
        ),
    ),
)

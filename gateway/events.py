"""What happened in the gateway, as the frames that say so. No models, no I/O.

Protocol: docs/protocols/gateway.md.
"""

from gateway.protocol import messages
from gateway.protocol.codec import encode
from gateway.rules import Posted


def group_of(channel_id: int) -> str:
    """The hub group of a channel's members."""
    return f"gateway:{channel_id}"


def message(posted: Posted) -> bytes:
    return encode(
        messages.Message(
            messages.Post(
                id=str(posted.message_id),
                channel_id=str(posted.channel_id),
                author=str(posted.author_id),
                type=messages.MessageType(posted.type),
                content=posted.content,
                timestamp=posted.at_ms,
            )
        )
    )


def ready(account_id: int) -> bytes:
    return encode(messages.Ready(str(account_id)))


def gap() -> bytes:
    return encode(messages.Gap(gap=True))

"""What the document's routes and the API under ``/api/broadcast/`` answer: the same bodies at both.

Values are for `realtime.wire.encode_json`: payloads of kept events are raw JSON.
"""

from typing import Any

from django.conf import settings
from msgspec import Raw

from broadcast import selectors
from broadcast.events import presence_of
from broadcast.selectors import KeptEvent
from broadcast.services.emitting import Emitted
from broadcast.services.listening import list_members
from broadcast.services.policies import PolicyBook
from realtime import runtime
from realtime.db import in_db_thread
from realtime.http_errors import HttpError

# Of `read_history`: how many events when nobody says, and at most.
DEFAULT_HISTORY_LIMIT = 50
MAX_HISTORY_LIMIT = 1000


def emit_result(emitted: Emitted) -> dict[str, Any]:
    """What an emitter is told.

    Raises:
        HttpError: 408, somebody has not acknowledged; its body says who.
    """
    if emitted.timed_out:
        details = {"eventID": emitted.event_id, "clients": emitted.clients}
        details |= {"acked": emitted.acked, "missing": emitted.missing}
        raise HttpError(408, "Not every client acknowledged in time.", details=details)
    result: dict[str, Any] = {"success": True, "eventID": emitted.event_id, "clients": emitted.clients}
    if emitted.acked is not None:
        result["acked"] = emitted.acked
    if emitted.missing is not None:
        result["missing"] = emitted.missing
    return result


def event_result(event: KeptEvent) -> dict[str, Any]:
    """One kept event."""
    return {
        "eventID": event.event_id,
        "payload": Raw(event.payload),
        "timestamp": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


async def read_members(channel: str) -> dict[str, Any]:
    """Who listens now: how many, and as many of them as `BROADCAST_PRESENCE_LIMIT` lets be named."""
    members = await list_members(channel=channel)
    named = members[: settings.BROADCAST_PRESENCE_LIMIT]
    return {
        "success": True,
        "count": len(members),
        "members": [{"clientID": member.id, "presence": presence_of(member)} for member in named],
    }


async def read_history(channel: str, *, limit: int, since: str | None) -> dict[str, Any]:
    """Kept events, oldest first: the latest `limit`, or the first `limit` after event `since`.

    With ``gap``, some between `since` and the first of them are not kept any more. Three queries at most.
    """
    policy = await runtime.current().part(PolicyBook).policy(channel)
    gap = False
    events: list[KeptEvent] = []
    if not policy.history_size:
        gap = since is not None
    elif since is None:
        events = await in_db_thread(selectors.list_history, channel, policy, limit=limit)
    else:
        replay = await in_db_thread(selectors.get_replay, channel, policy, since=since)
        events, gap = replay.events[:limit], replay.gap
    return {
        "success": True,
        "kept": policy.history_size,
        "gap": gap,
        "events": [event_result(event) for event in events],
    }

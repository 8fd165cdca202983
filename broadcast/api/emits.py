"""Emitting through the API: one event, or a list of them, in one request.

What the document's route takes from the query string is in the body here; rules and answers are the
same. Protocol: docs/protocols/broadcast.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from broadcast.api.answers import emit_result
from broadcast.api.limits import EmitLimits
from broadcast.protocol.messages import MAX_FRAME_BYTES
from broadcast.rules import Everyone, NamedClients, RandomClients, Target, parse_target
from broadcast.services.emitting import EMPTY_PAYLOADS, emit
from broadcast.services.policies import authorize
from realtime import runtime
from realtime.errors import FoyerError, ProtocolViolation, Refused
from realtime.http_errors import HttpError, http_error
from realtime.wire import decode_compact, encode_json

# A list is answered when its last event is out; a hundred take some tens of milliseconds.
MAX_EVENTS = 100
# Each of these may take BROADCAST_ACK_TIMEOUT_S, one after the other: half a minute is what clients and
# proxies wait for an answer.
MAX_ACKED_EVENTS = 5
MAX_NAMED_CLIENTS = 1000
MAX_CLIENT_COUNT = 999_999_999


class EventBody(Struct, forbid_unknown_fields=True):
    """One event as it is in the request's body."""

    payload: Any = UNSET
    clients: (
        Annotated[int, Meta(ge=1, le=MAX_CLIENT_COUNT)]
        | str
        | Annotated[list[str], Meta(min_length=1, max_length=MAX_NAMED_CLIENTS)]
        | UnsetType
        | None
    ) = UNSET
    require_ack: bool = False


@dataclass(frozen=True, slots=True)
class EventRequest:
    """One event, checked. `payload` is compact JSON text."""

    payload: bytes
    target: Target
    require_ack: bool

    @property
    def is_plain(self) -> bool:
        """For everyone, and nobody waits for an answer."""
        return not self.require_ack and isinstance(self.target, Everyone)


def read_event(body: Any) -> EventRequest:
    """The event in one object of the request's body.

    Raises:
        Refused: ``NO_PAYLOAD``.
        HttpError: 400 or 413; the text says what is wrong.
    """
    try:
        event = msgspec.convert(body, EventBody)
        payload = b"" if event.payload is UNSET else encode_json(event.payload)
        if payload in EMPTY_PAYLOADS:
            raise Refused("NO_PAYLOAD", "No payload provided.")
        # The payload by itself, as if it had come to the document's route.
        _, payload = decode_compact(payload, max_bytes=MAX_FRAME_BYTES)
        return EventRequest(payload, _target(event.clients), event.require_ack)
    except (msgspec.ValidationError, ValueError) as error:
        raise HttpError(400, f"{error}.".replace("..", ".")) from None
    except ProtocolViolation as error:
        raise http_error(error) from None


def read_events(body: list[Any]) -> list[EventRequest]:
    """The events of a list; none is emitted if one of them is wrong.

    Raises:
        HttpError: 400 or 413, with the index of the first that is wrong.
    """
    if not 1 <= len(body) <= MAX_EVENTS:
        raise HttpError(400, f"A list has 1 to {MAX_EVENTS} events.")
    events = []
    for index, item in enumerate(body):
        try:
            events.append(read_event(item))
        except Refused as error:
            raise HttpError(400, f"Event {index}: {error.message}", details={"index": index}) from None
        except HttpError as error:
            raise HttpError(error.status, f"Event {index}: {error}", details={"index": index}) from None
    if sum(event.require_ack for event in events) > MAX_ACKED_EVENTS:
        raise HttpError(400, f"At most {MAX_ACKED_EVENTS} events of a list may require acknowledgement.")
    return events


async def admit(*, channel: str, key: str | None, address: str) -> None:
    """Whether this caller may emit now. To be asked before the body is read.

    Raises:
        HttpError: 429.
        Refused: the channel's policy says no.
    """
    runtime.current().part(EmitLimits).take(address, key)
    await authorize("emit", channel, key)


async def emit_body(*, channel: str, body: Any, key: str | None, address: str) -> tuple[int, dict[str, Any]]:
    """Emit what is in a request's body; gives the status and body of the answer. `admit` comes first.

    Raises:
        HttpError: 400, 408, 413; 429 for a list, whose further events count as well.
        Refused: the target of a single event cannot be met.
    """
    if not isinstance(body, list):
        return 200, await _emit(channel, read_event(body))
    events = read_events(body)
    runtime.current().part(EmitLimits).take(address, key, len(events) - 1)
    results: list[dict[str, Any]] = []
    # The order is kept. Events for everyone that follow one another share their commit.
    for plain, run in groupby(events, key=lambda event: event.is_plain):
        if plain:
            results += await asyncio.gather(*[_emit_or_say_why(channel, event) for event in run])
        else:
            results += [await _emit_or_say_why(channel, event) for event in run]
    success = all(result["success"] for result in results)
    return (200 if success else 207), {"success": success, "results": results}


async def _emit(channel: str, event: EventRequest) -> dict[str, Any]:
    return emit_result(
        await emit(channel=channel, payload=event.payload, target=event.target, require_ack=event.require_ack)
    )


async def _emit_or_say_why(channel: str, event: EventRequest) -> dict[str, Any]:
    """The event's own answer. Others of the list are out already, so a failure is told, not raised."""
    try:
        return await _emit(channel, event)
    except HttpError as error:
        return {**error.body, "status": error.status}
    except FoyerError as error:
        failed = http_error(error)
        return {**failed.body, "status": failed.status}


def _target(clients: int | str | list[str] | UnsetType | None) -> Target:
    if clients is None or clients is UNSET:
        return Everyone()
    if isinstance(clients, int):
        return RandomClients(clients)
    if isinstance(clients, str):
        return parse_target(clients)
    return NamedClients(tuple(dict.fromkeys(clients)))

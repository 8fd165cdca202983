"""Where `websockets` and `wsproto` read a stream differently, and which section of RFC 6455 decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from realtime.frames import CLOSE, PING, TEXT
from realtime.server.events import Closed, Event, Ping, Pong
from realtime.server.messages import MAX_FRAGMENTS
from tests.realtime.server.others import MAX_BYTES
from tests.realtime.server.streams import CONTINUATION, close_payload, frame, told

Reads = Callable[[list[Event], list[Event]], bool]


def without_our_reason(events: list[Event]) -> list[Event]:
    """Everyone has words of their own for it."""
    return [told(event.code) if isinstance(event, Closed) and event.broken else event for event in events]


def ends(ours: Closed, *theirs: Closed) -> Reads:
    """We end like this, they like one of these; before that we agree. Of what we say a part is enough."""

    def explains(our_events: list[Event], their_events: list[Event]) -> bool:
        *before, end = our_events
        return (
            isinstance(end, Closed)
            and (end.code, end.broken) == (ours.code, ours.broken)
            and ours.reason in end.reason
            and their_events[:-1] == before
            and their_events[-1] in theirs
        )

    return explains


def only_we_end(ours: Closed) -> Reads:
    """We end like this; they go on. Up to there we agree."""

    def explains(our_events: list[Event], their_events: list[Event]) -> bool:
        *before, end = our_events
        return end == ours and their_events[: len(before)] == before

    return explains


def control_is_too_long_for_the_message(ours: list[Event], theirs: list[Event]) -> bool:
    """They end with 1009 where we have read a control frame, or not all of one."""
    *before, end = theirs
    return (
        end == told(1009)
        and ours[: len(before)] == before
        and isinstance(ours[len(before)], Ping | Pong | Closed)
    )


def close_in_fragments(ours: list[Event], theirs: list[Event]) -> bool:
    """We take the close frame; for them it breaks off the message."""
    end = ours[-1]
    return (
        isinstance(end, Closed) and not end.broken and end.code != 1006 and theirs == [*ours[:-1], told(1002)]
    )


class Difference(NamedTuple):
    """Who reads what differently, the section that decides, and the simplest stream that shows it."""

    library: str
    section: str
    explains: Reads
    example: bytes


NOT_SHORTEST = told(1002, "a length is not in its shortest form")
CONTROL = told(1002, "a control frame is fragmented or too long")
TOO_LONG = told(1009, "the message is too long")
TOO_MANY = told(1009, "the message is in too many fragments")
MANY_FRAGMENTS = frame(TEXT, fin=False) + MAX_FRAGMENTS * frame(CONTINUATION, fin=False)

DIFFERENCES = [
    Difference(
        "websockets",
        "5.2: in all cases, the minimal number of bytes MUST be used to encode the length",
        only_we_end(NOT_SHORTEST),
        frame(TEXT, b"hello", length_bytes=2),
    ),
    Difference(
        "websockets",
        "5.5: control frames have at most 125 bytes, which is said in the shortest form (5.2)",
        only_we_end(CONTROL),
        frame(PING, b"hello", length_bytes=2),
    ),
    Difference(
        "websockets",
        "5.4: control frames MAY be injected in the middle of a message; they are no part of it",
        control_is_too_long_for_the_message,
        frame(TEXT, b"x" * MAX_BYTES, fin=False) + frame(PING, b"hello"),
    ),
    Difference(
        "websockets",
        "5.4: control frames MAY be injected in the middle of a message; close is one (5.5)",
        close_in_fragments,
        frame(TEXT, b"hello", fin=False) + frame(CLOSE, close_payload(1000)),
    ),
    Difference(
        "websockets",
        "7.4: a code that may not be used is the fault of the frame, its reason that of the text after it",
        ends(told(1002, "the close code"), told(1007)),
        frame(CLOSE, close_payload(1005, b"\xff")),
    ),
    Difference(
        "websockets",
        "10.7: an endpoint MAY fail the connection at any time: the first two bytes say enough",
        ends(told(1002), Closed(1006, ""), told(1009)),
        frame(TEXT, b"hello", reserved=4)[:-1],
    ),
    Difference(
        "websockets",
        "10.4: an implementation that has limits on what makes up a message MUST protect itself",
        only_we_end(TOO_MANY),
        MANY_FRAGMENTS,
    ),
    Difference(
        "wsproto",
        "10.7: an endpoint MAY fail the connection at any time: the first two bytes say enough",
        ends(told(1002), Closed(1006, "")),
        frame(CONTINUATION, b"hello")[:6],
    ),
    Difference(
        "wsproto",
        "8.1: text that is not UTF-8 fails the connection; when: here with its frame, there before",
        ends(Closed(1006, ""), told(1007)),
        frame(TEXT, b"\xff hello")[:-1],
    ),
    Difference(
        "wsproto",
        "10.4: an implementation that has limits on the size of a message MUST protect itself",
        only_we_end(TOO_LONG),
        frame(TEXT, b"x" * (MAX_BYTES + 1)),
    ),
    Difference(
        "wsproto",
        "10.4: an implementation that has limits on what makes up a message MUST protect itself",
        only_we_end(TOO_MANY),
        MANY_FRAGMENTS,
    ),
    Difference(
        "wsproto",
        "11.7: the IANA registers close codes; 1014 was added",
        lambda ours, theirs: (
            isinstance(ours[-1], Closed) and ours[-1].code == 1014 and theirs == [*ours[:-1], told(1002)]
        ),
        frame(CLOSE, close_payload(1014)),
    ),
    Difference(
        "wsproto",
        "11.7: the same, and its reason is no text: that is what is wrong with it",
        ends(told(1007), told(1002)),
        frame(CLOSE, close_payload(1014, b"\xff")),
    ),
]


def explained(library: str, ours: list[Event], theirs: list[Event]) -> bool:
    return any(row.explains(ours, theirs) for row in DIFFERENCES if row.library == library)

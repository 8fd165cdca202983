"""The WebSocket protocol of the ticket desk for the AsyncAPI document: what no struct can say.

`realtime.asyncapi` makes the document of this and of the structs. Protocol: docs/protocols/ticketing.md.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, get_args

import msgspec

from realtime.asyncapi import TEXT, Channel, Parameter, Schema, ServiceChannels, text_line
from realtime.close_codes import CloseCode
from ticketing.protocol import client, codec, messages
from ticketing.protocol.messages import (
    ERROR_TEXTS,
    MAX_FRAME_BYTES,
    QUERY_LIMIT,
    QUERY_WINDOW_S,
    DisplayTicket,
    ErrorCode,
    KioskTicket,
    StaffTicket,
    failure,
)
from ticketing.rules import DISPLAY, KIOSK, device_cookie

_Struct: TypeAlias = type[msgspec.Struct]

# --- lines ---------------------------------------------------------------------------------------

_FORMS: Final[dict[_Struct, str]] = {
    messages.Pick: "pick {table} {token}",
    messages.Unpick: "unpick",
    messages.Accept: "accept {ticket_id}",
    messages.Cancel: "cancel {ticket_id}",
    messages.Complete: "complete {ticket_id}",
    messages.New: "new {email} {name}",
    messages.Query: "query {email}",
    messages.Taken: "taken {tables}",
    messages.TicketNew: "new {ticket}",
    messages.TicketClaimed: "claimed {ticket}",
    messages.Picked: "success pick {table}",
    messages.Unpicked: "success unpick",
    messages.Accepted: "success claimed {ticket_id}",
    messages.Cancelled: "success cancel {ticket_id}",
    messages.Completed: "success complete {ticket_id}",
    messages.TicketCreated: "success new {ticket}",
    messages.NameFound: "success query {name}",
    messages.TablePicked: "pick {table}",
    messages.TableUnpicked: "unpick {table}",
    messages.TableClaimed: "claimed {table} {ticket_id}",
    messages.TableCompleted: "complete {table}",
    messages.TableCancelled: "cancel {table}",
    messages.Failure: "error {verb} {text}",
    messages.TicketState: "ticket {fields}",
    messages.TableState: "table {state}",
    messages.Line: "line {state}",
    messages.Call: "call {table} {ticket_id}",
    messages.Ready: "ready",
    messages.SignedOut: "signed-out",
}
_PARTS: Final = {
    "email": r"\S+",
    "fields": r"\{.*\}",
    "name": ".+",
    "state": r"\{.*\}",
    "table": "[0-9]+",
    "text": ".+",
    "ticket": r"\{.*\}",
    "ticket_id": "[0-9]{1,18}",
    "token": ".+",
}
# Forms that are not put together from their parts.
_PATTERNS: Final[dict[_Struct, str]] = {
    messages.New: r"(once [A-Za-z0-9_-]{8,64} )?new \S+ .+",
    messages.Taken: "taken( [0-9]+)*",
    messages.Failure: "error .+",  # one text stands without a verb
}


def wire(fields: Any = None) -> Callable[[_Struct, Schema], Schema]:
    """What gives the schema of a message as a line; `fields` are those of a ``ticket`` on this channel."""

    def line(struct: _Struct, payload: Schema) -> Schema:
        form = _FORMS[struct]
        pattern = _PATTERNS.get(struct) or re.sub(r"\{(\w+)\}", lambda part: _PARTS[part[1]], form)
        if not struct.__struct_fields__:
            return text_line(form, pattern)
        if struct is messages.TicketState:
            payload = _object("fields", msgspec.json.schema(fields)["$defs"][fields.__name__])
        elif struct in (messages.TableState, messages.Line):
            payload = _object("state", payload)
        return text_line(form, pattern, payload)

    return line


def _object(name: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {name: schema}, "required": [name]}


# --- examples ------------------------------------------------------------------------------------

_WAITING: Final = messages.ticket(id=0, email="example@example.com", name="Example Name", start=1_569_903_139)
_CLAIMED: Final = messages.ticket(
    id=0, email="example@example.com", name="Example Name", staff="StaffMember", start=1_569_903_139
)
_TOKEN: Final = "abcdefghijklmnoprstuvwxy"
_TABLE: Final = messages.TableState(0, "Counter 1", "free")
_LINE: Final = messages.Line(12, 600)


def _examples(
    sent: Iterable[messages.StaffCommand | messages.KioskCommand], told: Iterable[messages.ServerMessage]
) -> dict[str, tuple[str, ...]]:
    lines: dict[str, tuple[str, ...]] = {}
    for command in sent:
        lines[command.type] = (*lines.get(command.type, ()), client.encode(command))
    for message in told:
        lines[message.type] = (*lines.get(message.type, ()), codec.encode(message).decode())
    return lines


def _failures(verbs: tuple[str, ...], *more: tuple[str, ErrorCode]) -> list[messages.ServerMessage]:
    """Every error of these commands and of any frame, and `more`: errors that come with any command."""
    found = [key for key in ERROR_TEXTS if key[0] in (*verbs, "message")]
    return [failure(*key) for key in (*found, *more, ("dance", ErrorCode.UNKNOWN_COMMAND))]


_STAFF_EXAMPLES: Final = _examples(
    (
        messages.Pick("0", _TOKEN),
        messages.Unpick(),
        messages.Accept(0),
        messages.Cancel(0),
        messages.Complete(0),
    ),
    (
        messages.Taken((0, 3, 5)),
        messages.Taken(()),
        messages.TicketNew(_WAITING),
        messages.TicketClaimed(_CLAIMED),
        messages.Picked(0),
        messages.Unpicked(),
        messages.Accepted(0),
        messages.Cancelled(0),
        messages.Completed(0),
        *_failures(
            ("pick", "unpick", "accept", "cancel", "complete"),
            ("pick", ErrorCode.MISSING_ARGUMENTS),
            ("unpick", ErrorCode.TOO_MANY_ARGUMENTS),
            ("accept", ErrorCode.UNAVAILABLE),
        ),
        messages.TicketState(
            StaffTicket(
                id=0,
                label="A-017",
                email="example@example.com",
                name="Example Name",
                state="serving",
                staff_id=3,
                staff="StaffMember",
                table=0,
                start="2019-10-01T04:12:19Z",
            )
        ),
        _TABLE,
        _LINE,
        messages.Ready(),
        messages.SignedOut(),
    ),
)
_KIOSK_EXAMPLES: Final = _examples(
    (
        messages.New("example@example.com", "Example Name"),
        messages.New("example@example.com", "Example Name", "Zq1_mB4f"),
        messages.Query("example@example.com"),
    ),
    (
        messages.TicketCreated(_WAITING),
        messages.NameFound("Example Name"),
        *_failures(
            ("new", "query", "once"),
            ("new", ErrorCode.MISSING_ARGUMENTS),
            ("new", ErrorCode.UNAVAILABLE),
        ),
        messages.TicketState(KioskTicket(id=0, label="A-017", ahead=2, estimate_s=540)),
        _LINE,
        messages.Ready(),
    ),
)
_DISPLAY_EXAMPLES: Final = _examples(
    (),
    (
        messages.TablePicked(0),
        messages.TableUnpicked(0),
        messages.TableClaimed(0, 1),
        messages.TableCompleted(0),
        messages.TableCancelled(0),
        *_failures(()),
        messages.TicketState(DisplayTicket(id=1, label="A-017", table=0)),
        _TABLE,
        _LINE,
        messages.Call(0, 1),
        messages.Ready(),
    ),
)

# --- channels ------------------------------------------------------------------------------------

_EXTENDED: Final = Parameter(
    description="1: also the lines that our own pages use.", schema={"type": "string", "enum": ["1"]}
)
_DEVICE_TOKEN: Final = Parameter(description="The device's token, where it does not come as a cookie.")
_LIMITS: Final = (
    f"A frame has at most {MAX_FRAME_BYTES} bytes of text. What is no command is answered with an error and "
    "the connection goes on; flooding ends it."
)
_CLOSE_CODES: Final = (
    CloseCode.POLICY_VIOLATION,
    CloseCode.MESSAGE_TOO_BIG,
    CloseCode.INTERNAL_ERROR,
    CloseCode.SERVICE_RESTART,
    CloseCode.TRY_AGAIN_LATER,
    CloseCode.PING_TIMEOUT,
    CloseCode.SLOW_CLIENT,
)


def _device_schemes(kind: str) -> dict[str, Schema]:
    about = f"The token of a {kind}, from the admin"
    return {
        f"{kind}Token": {
            "type": "httpApiKey",
            "in": "query",
            "name": "token",
            "description": f"{about}, in the address of the handshake.",
        },
        f"{kind}Cookie": {
            "type": "httpApiKey",
            "in": "cookie",
            "name": device_cookie(kind),
            "description": f"{about}, set by opening /ticketing/{kind}/?token=<token> once.",
        },
    }


channels = ServiceChannels(
    label="ticketing",
    security_schemes={**_device_schemes(KIOSK), **_device_schemes(DISPLAY)},
    channels=(
        Channel(
            name="staff",
            address="/ticketing/staff/",
            title="Staff",
            summary="Pick a table, claim tickets and finish them.",
            description=(
                "Anyone may connect and is told the tables in use. A `pick` with a valid token takes one; "
                "from then on the socket is told of visitors.\n\n" + _LIMITS
            ),
            query={"extended": _EXTENDED},
            client_messages=get_args(messages.StaffCommand),
            server_messages=get_args(messages.StaffMessage),
            wire=wire(StaffTicket),
            examples=_STAFF_EXAMPLES,
            content_type=TEXT,
            close_codes=_CLOSE_CODES,
        ),
        Channel(
            name="kiosk",
            address="/ticketing/kiosk/",
            title="Kiosk",
            summary="Take tickets.",
            description=(
                "`once {key}` in front of `new` makes it safe to send again: the same key (8 to 64 of "
                "`A-Z a-z 0-9 _ -`) makes one ticket. At most "
                f"{QUERY_LIMIT} `query` in {QUERY_WINDOW_S:g} s.\n\n" + _LIMITS
            ),
            query={"extended": _EXTENDED, "token": _DEVICE_TOKEN},
            client_messages=get_args(messages.KioskCommand),
            server_messages=get_args(messages.KioskMessage),
            wire=wire(KioskTicket),
            examples=_KIOSK_EXAMPLES,
            content_type=TEXT,
            security=tuple(_device_schemes(KIOSK)),
            close_codes=(*_CLOSE_CODES, CloseCode.FORBIDDEN),
        ),
        Channel(
            name="display",
            address="/ticketing/display/",
            title="Display",
            summary="Who goes where: tables and the tickets they call.",
            description=(
                "A display only listens. First it is told the state in the very events that would have led "
                "to it: `pick` for each table in use, `claimed` for each ticket being served.\n\n" + _LIMITS
            ),
            query={"extended": _EXTENDED, "token": _DEVICE_TOKEN},
            server_messages=get_args(messages.DisplayMessage),
            wire=wire(DisplayTicket),
            examples=_DISPLAY_EXAMPLES,
            content_type=TEXT,
            security=tuple(_device_schemes(DISPLAY)),
            close_codes=(*_CLOSE_CODES, CloseCode.FORBIDDEN),
        ),
    ),
)

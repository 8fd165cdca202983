"""The wire form of the notifications' protocol, the server's side: decode requests, encode answers.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

import re
from typing import Any, Final, TypeVar

import msgspec

from notifications.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_RID,
    PUSH,
    Problem,
    Problems,
    Request,
    Response,
    ResponseStatus,
)
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

__all__ = ["BadRequest", "decode", "encode", "encode_push", "problem", "read"]

Kind = TypeVar("Kind", bound=msgspec.Struct)

_at: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL).match


class BadRequest(ProtocolViolation):
    """What came is no request, or its options are not those of its command.

    `rid` and `command` are those of the request, as far as they could be read: else -1 and "".
    """

    def __init__(
        self, slug: str, message: str, path: str = "", *, rid: int = PUSH, command: str = ""
    ) -> None:
        super().__init__(slug.upper().replace("-", "_"), message)
        self.slug = slug
        self.path = path
        self.rid = rid
        self.command = command

    def to(self, request: Request) -> "BadRequest":
        """The same, as the answer to `request`."""
        return BadRequest(self.slug, self.message, self.path, rid=request.rid, command=request.command)


def decode(text: str) -> Request:
    """The request in one text frame.

    Raises:
        BadRequest: with what is wrong, and where. Nothing else is ever raised.
    """
    try:
        frame = decode_json(text, max_bytes=MAX_FRAME_BYTES)
    except ProtocolViolation as error:
        raise BadRequest(error.code.lower().replace("_", "-"), error.message) from None
    if not isinstance(frame, dict):
        raise BadRequest("malformed", "A request is a JSON object.")
    try:
        return msgspec.convert(frame, Request)
    except msgspec.ValidationError as error:
        raise _bad("", error, rid=_rid_of(frame), command=_command_of(frame)) from None


def read(kind: type[Kind], value: object, root: str) -> Kind:
    """`value`, JSON values, as `kind`; `root` is what a path to something in it begins with.

    Raises:
        BadRequest: with what is wrong, and where.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _bad(root, error) from None


def encode(response: Response) -> bytes:
    """The text of an answer, in UTF-8."""
    return encode_json(response)


def encode_push(event: str, status: ResponseStatus, payload: bytes) -> bytes:
    """News for a subscription; the payload is JSON text already."""
    return encode_json(Response(PUSH, event, status, msgspec.Raw(payload)))


def problem(rid: int, event: str, status: ResponseStatus, *problems: Problem) -> bytes:
    """The text of an answer that says no."""
    return encode_json(Response(rid, event, status, Problems(list(problems), problems[0].message)))


def _bad(root: str, error: msgspec.ValidationError, *, rid: int = PUSH, command: str = "") -> BadRequest:
    found = _at(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    missing = re.fullmatch(r"Object missing required field `(\w+)`", what)
    if missing:
        where = ".".join(part for part in (root + path, missing[1]) if part).lstrip(".")
        return BadRequest("required", "This is missing.", where, rid=rid, command=command)
    # What the client sent is not said back.
    if what.startswith("Invalid enum value"):
        what = "This is none of the values there are."
    elif "unknown field" in what:
        what = "There is a member here that is none."
    what = what if what.endswith(".") else f"{what}."
    return BadRequest("invalid", what, (root + path).lstrip("."), rid=rid, command=command)


def _rid_of(frame: dict[str, Any]) -> int:
    rid = frame.get("rid")
    return rid if type(rid) is int and 1 <= rid <= MAX_RID else PUSH


def _command_of(frame: dict[str, Any]) -> str:
    command = frame.get("command")
    return command if isinstance(command, str) and len(command) <= 64 else ""

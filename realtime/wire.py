"""JSON from strangers: bounded, strict, and fast enough for the hottest route.

RFC 8259 leaves to the reader what it does with repeated names, with numbers too big for it and with
text nested without end; and readers differ, so that one message can mean two things to two of them.
I-JSON (RFC 7493) settles that, and this module is about as strict. Accepted is what every common reader
understands the same way:

================================= ================== ====================== =======
input                             ``json``           ``msgspec`` (C)        here
================================= ================== ====================== =======
``NaN``, ``Infinity``             accepted           refused                refused
``1e999`` (infinite as a double)  ``inf``            refused                refused
``{"a":1,"a":2}`` (repeated name) the last one       the last one           refused
``"\\ud800"`` (lone surrogate)    accepted           refused                refused
bytes that are no UTF-8           partly accepted    ``UnicodeDecodeError`` refused
byte order mark, UTF-16, UTF-32   accepted           refused                refused
integer of 5,000 digits           ``ValueError``     refused                refused
integer of 400 digits             accepted           accepted               refused
nesting of 100,000                ``RecursionError`` ``RecursionError``     refused
nesting of 900                    accepted           accepted               refused
================================= ================== ====================== =======

So msgspec's decoder does nearly all of it, in C, and what it lets through is looked for with the
cheapest test that cannot miss it; see `decode_compact`. The tests pin each line of this table, so that
a new version of either library that changes its mind is noticed.

This module is pure.
"""

import json
import re
from typing import Any, Final

import msgspec

from realtime.errors import ProtocolViolation

__all__ = ["MAX_DEPTH", "MAX_INTEGER_DIGITS", "decode_compact", "decode_json", "encode_json"]

# Deeper than any message of ours by far, shallow enough for every reader's stack.
MAX_DEPTH: Final = 32
# Any integer of 308 digits is finite as a double, which is all that JavaScript has; 309 may not be.
MAX_INTEGER_DIGITS: Final = 308

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_long_digits: Final = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MAX_INTEGER_DIGITS + 1)).search
_TOO_LONG_INTEGER: Final = 10**MAX_INTEGER_DIGITS


def encode_json(obj: Any) -> bytes:
    """`obj` as compact UTF-8 JSON, for what we made ourselves.

    Takes what `msgspec.json.encode` takes: structs, dates, UUIDs and the like besides plain values. An
    infinite or undefined float becomes ``null``.
    """
    return _encode(obj)


def decode_json(data: str | bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """The value that the JSON text `data` stands for: dicts, lists, str, int, float, bool, None.

    `max_bytes` bounds the UTF-8 form of the text; `max_depth` how deep arrays and objects may nest
    (``[]`` is 1 deep, ``1`` is 0).

    Raises:
        ProtocolViolation: ``TOO_LARGE``, or ``MALFORMED`` for all else the table above refuses.
    """
    return decode_compact(data, max_bytes=max_bytes, max_depth=max_depth)[0]


def decode_compact(data: str | bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> tuple[Any, bytes]:
    """The same, and the value's JSON text, for whoever passes it on.

    The text has no insignificant white space, so it is a single line. Numbers are written our way:
    ``1e15`` as ``1000000000000000.0``, so it can be longer than what came in.

    It costs nothing extra: it is made anyway, to find repeated names. Where a name was repeated the
    decoder kept one value and dropped the other, and with it at least one colon; so as many colons
    after as before prove that no name was. An escaped colon (``\\u003a``) would upset the count:
    where there may be one, a slower reader looks at every object.

    Raises:
        ProtocolViolation: as `decode_json`.
    """
    data = _bounded(data, max_bytes)
    try:
        value = _decode(data)
    except RecursionError:
        raise _too_deep(max_depth) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProtocolViolation("MALFORMED", "The text is not valid JSON.") from None
    # Each test below is cheap and misses nothing; where it suspects without cause (a bracket or a long
    # number inside a string) the careful check behind it runs for nothing.
    if len(data) > 2 * max_depth and data.count(b"[") + data.count(b"{") > max_depth:
        _refuse_depth(value, max_depth)
    if len(data) > MAX_INTEGER_DIGITS and _long_digits(data):
        _refuse_long_integers(value)
    compact = _encode(value)
    if b"\\" in data and b"\\u003" in data:  # one byte is found much faster than six
        json.loads(data, object_pairs_hook=_refuse_repeated_names)
    elif data.count(b":") != compact.count(b":"):
        raise _repeated_name()
    return value, compact


def _bounded(data: str | bytes, max_bytes: int) -> bytes:
    """`data` in UTF-8, if that is not too long; what cannot be short enough is not even encoded."""
    if len(data) <= max_bytes:
        if isinstance(data, bytes):
            return data
        try:
            data = data.encode()
        except UnicodeEncodeError:
            raise ProtocolViolation("MALFORMED", "The text holds a lone surrogate.") from None
        if len(data) <= max_bytes:
            return data
    raise ProtocolViolation("TOO_LARGE", f"The text is longer than {max_bytes} bytes.")


def _refuse_depth(value: Any, max_depth: int) -> None:
    """Open one layer of nesting after the other; what is inside `max_depth` of them must not nest."""
    layer = [value]
    for _ in range(max_depth):
        layer = [child for node in layer for child in _children(node)]
    if any(type(node) in (dict, list) for node in layer):
        raise _too_deep(max_depth)


def _refuse_long_integers(value: Any) -> None:
    """Look at every integer. `value` is known not to nest deep."""
    layer = [value]
    while layer:
        if any(type(node) is int and abs(node) >= _TOO_LONG_INTEGER for node in layer):
            raise ProtocolViolation("MALFORMED", f"An integer has more than {MAX_INTEGER_DIGITS} digits.")
        layer = [child for node in layer for child in _children(node)]


def _children(node: Any) -> Any:
    if type(node) is dict:
        return node.values()
    return node if type(node) is list else ()


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _repeated_name()


def _too_deep(max_depth: int) -> ProtocolViolation:
    return ProtocolViolation("MALFORMED", f"Arrays and objects are nested more than {max_depth} deep.")


def _repeated_name() -> ProtocolViolation:
    return ProtocolViolation("MALFORMED", "An object has the same name twice.")

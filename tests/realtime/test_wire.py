"""Bounded JSON: what the two libraries under it accept, what we accept, and that nothing else comes out."""

import json
import math
from contextlib import suppress

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.errors import ProtocolViolation
from realtime.wire import MAX_DEPTH, MAX_INTEGER_DIGITS, decode_compact, decode_json, encode_json

LIMIT = 64 * 1024

text = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**MAX_INTEGER_DIGITS) + 1, 10**MAX_INTEGER_DIGITS - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, text),
    lambda children: st.one_of(st.lists(children), st.dictionaries(text, children)),
    max_leaves=20,
)
# Characters that make near-JSON far more often than random ones do.
nearly_json = st.text('{}[]",:\\/ntu0123456789abcdefEd+-. \t\n\x00é\ud800', max_size=60)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def refusal(data: str | bytes, **limits: int) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        decode_json(data, **({"max_bytes": LIMIT} | limits))
    return caught.value.code


def outcome(decode, data):
    """What `decode` makes of `data`, or the name of what it raises."""
    try:
        return decode(data)
    except Exception as error:  # noqa: BLE001 (which one it is, is the result)
        return type(error).__name__


# input, what `json.loads` does, what `msgspec.json.decode` does. All of these we refuse.
REFUSED_HERE = {
    "NaN in a list": (b"[NaN]", "accepts", "DecodeError"),
    "Infinity": (b"Infinity", "accepts", "DecodeError"),
    "-Infinity": (b"-Infinity", "accepts", "DecodeError"),
    "1e999": (b"1e999", "accepts", "ValidationError"),
    "-1e999": (b"-1e999", "accepts", "ValidationError"),
    "400 digits and a fraction": (b"1" + b"0" * 400 + b".5", "accepts", "ValidationError"),
    "400 digits": (b"9" * 400, "accepts", "accepts"),
    "5,000 digits": (b"9" * 5_000, "ValueError", "ValidationError"),
    "repeated name": (b'{"a":1,"a":2}', "accepts", "accepts"),
    "repeated name, once escaped": (b'{"a":1,"\\u0061":2}', "accepts", "accepts"),
    "lone high surrogate": (b'"\\ud800"', "accepts", "DecodeError"),
    "lone low surrogate": (b'"\\udc00"', "accepts", "DecodeError"),
    "surrogates in the wrong order": (b'"\\udc00\\ud800"', "accepts", "DecodeError"),
    "two high surrogates": (b'"\\ud800\\ud800"', "accepts", "DecodeError"),
    "high surrogate and a letter": (b'"\\ud800\\u0041"', "accepts", "DecodeError"),
    "lone surrogate in a name": (b'{"\\ud800":1}', "accepts", "DecodeError"),
    "surrogate encoded as UTF-8": (b'"\xed\xa0\x80"', "accepts", "UnicodeDecodeError"),
    "not UTF-8": (b'"\xff"', "UnicodeDecodeError", "UnicodeDecodeError"),
    "not UTF-8 in a name": (b'{"\xff":1}', "UnicodeDecodeError", "UnicodeDecodeError"),
    "overlong UTF-8": (b'"\xc0\xaf"', "UnicodeDecodeError", "UnicodeDecodeError"),
    "above U+10FFFF": (b'"\xf4\x90\x80\x80"', "UnicodeDecodeError", "UnicodeDecodeError"),
    "byte order mark": (b"\xef\xbb\xbf{}", "accepts", "DecodeError"),
    "UTF-16": ("{}".encode("utf-16"), "accepts", "DecodeError"),
    "UTF-16 without a mark": ("{}".encode("utf-16-le"), "accepts", "DecodeError"),
    "UTF-32": ("{}".encode("utf-32"), "accepts", "DecodeError"),
    "nested 900 deep": (nested(900), "accepts", "accepts"),
    "nested 30,000 deep": (nested(30_000), "RecursionError", "RecursionError"),
    "opened 30,000 times": (b"[" * 30_000, "RecursionError", "RecursionError"),
    "objects opened 10,000 times": (b'{"a":' * 10_000, "RecursionError", "RecursionError"),
    "line feed in a string": (b'"\n"', "JSONDecodeError", "DecodeError"),
    "NUL in a string": (b'"\x00"', "JSONDecodeError", "DecodeError"),
    "NUL after the value": (b"1 \x00", "JSONDecodeError", "DecodeError"),
    "leading zero": (b"01", "JSONDecodeError", "DecodeError"),
    "plus sign": (b"+1", "JSONDecodeError", "DecodeError"),
    "no digit before the point": (b".5", "JSONDecodeError", "DecodeError"),
    "no digit after the point": (b"1.", "JSONDecodeError", "DecodeError"),
    "hexadecimal": (b"0x1", "JSONDecodeError", "DecodeError"),
    "unknown escape": (b'"\\x41"', "JSONDecodeError", "DecodeError"),
    "short escape": (b'"\\u12"', "JSONDecodeError", "DecodeError"),
    "single quotes": (b"'a'", "JSONDecodeError", "DecodeError"),
    "name without quotes": (b"{a:1}", "JSONDecodeError", "DecodeError"),
    "comma at the end": (b"[1,]", "JSONDecodeError", "DecodeError"),
    "comment": (b"[1]//", "JSONDecodeError", "DecodeError"),
    "two values": (b"1 2", "JSONDecodeError", "DecodeError"),
    "form feed": (b"\x0c1", "JSONDecodeError", "DecodeError"),
    "no-break space": (b"\xc2\xa01", "JSONDecodeError", "DecodeError"),
    "nothing": (b"", "JSONDecodeError", "DecodeError"),
    "white space": (b" ", "JSONDecodeError", "DecodeError"),
    "cut short": (b'{"a":"b', "JSONDecodeError", "DecodeError"),
}


@pytest.mark.parametrize(("data", "by_json", "by_msgspec"), REFUSED_HERE.values(), ids=REFUSED_HERE)
def test_refuses_whatever_the_libraries_do(data, by_json, by_msgspec):
    """The libraries' part pins the table in the module: `decode_compact` rests on what msgspec refuses."""
    for decode, expected in ((json.loads, by_json), (msgspec.json.decode, by_msgspec)):
        result = outcome(decode, data)
        assert (result if isinstance(result, str) and result.endswith("Error") else "accepts") == expected
    assert refusal(data) == "MALFORMED"
    if (decoded := outcome(bytes.decode, data)) != "UnicodeDecodeError":
        assert refusal(decoded) == "MALFORMED"


@pytest.mark.parametrize(
    ("data", "value", "compact"),
    [
        (b" null ", None, b"null"),
        (b"true", True, b"true"),
        (b"-0", 0, b"0"),
        (b"-0.0", -0.0, b"-0.0"),
        (b"1e308", 1e308, b"1e308"),
        (b"1e-400", 0.0, b"0.0"),
        (b"1E5", 100_000.0, b"100000.0"),
        (b"18446744073709551616", 2**64, b"18446744073709551616"),
        (b"9" * MAX_INTEGER_DIGITS, 10**MAX_INTEGER_DIGITS - 1, b"9" * MAX_INTEGER_DIGITS),
        (b'"\\ud83d\\ude00"', "😀", '"😀"'.encode()),
        (b'"\\u0000"', "\0", b'"\\u0000"'),
        (b'"\xe2\x80\xa8"', "\u2028", b'"\xe2\x80\xa8"'),
        (b'"\\/"', "/", b'"/"'),
        (b'{\n "a" : [ 1 , {} ]\r\n}\t', {"a": [1, {}]}, b'{"a":[1,{}]}'),
        (b'{"":1}', {"": 1}, b'{"":1}'),
        # Cases for the count of colons: some in strings, some escaped, some in names.
        (b'{"u":"https://a:8/","t:":"::"}', {"u": "https://a:8/", "t:": "::"}, None),
        (b'{"a":"\\u003a","b":"\\u003A"}', {"a": ":", "b": ":"}, b'{"a":":","b":":"}'),
        (b'{"a":"\\u003cb\\u003e"}', {"a": "<b>"}, b'{"a":"<b>"}'),
        (b'{"a":"\\\\u003a"}', {"a": "\\u003a"}, b'{"a":"\\\\u003a"}'),
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}], None),
        (b'{"a":{"a":1}}', {"a": {"a": 1}}, None),
        # Cases for the long digits: not an integer, not a number.
        (b'"' + b"9" * 400 + b'"', "9" * 400, None),
        (b"0." + b"3" * 400, 1 / 3, b"0.3333333333333333"),
    ],
)
def test_accepts_what_every_reader_understands_the_same_way(data, value, compact):
    assert decode_compact(data, max_bytes=LIMIT) == (value, compact or data)
    assert type(decode_json(data.decode(), max_bytes=LIMIT)) is type(value)
    assert decode_json(data.decode(), max_bytes=LIMIT) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"a":1}',
        b'[{"x":{"a":1,"a":2}}]',
        b'{"":1,"":2}',
        b'{"a":{"b":1},"a":{"c":2}}',
        # What is dropped with the first value hides no colon that would make up for it.
        b'{"a":"\\u003a","a":"\\u003a"}',
        b'{"a":1,"a":"\\u003a"}',
        b'{"a":"::","a":"\\u003A\\u003a\\u003a"}',
        b'{"a:":1,"a\\u003a":2}',
    ],
)
def test_refuses_a_name_given_twice(data):
    with pytest.raises(ProtocolViolation, match="same name twice"):
        decode_json(data, max_bytes=LIMIT)


@pytest.mark.parametrize("inside", ["", "1", '"[["'])
@pytest.mark.parametrize("depth", [1, 2, 5, MAX_DEPTH])
def test_depth_is_exact(depth, inside):
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        data = opened * (depth - 1) + "[" + inside + "]" + closed * (depth - 1)
        assert decode_json(data, max_bytes=LIMIT, max_depth=depth) is not None
        assert refusal(data, max_depth=depth - 1) == "MALFORMED"


def test_a_depth_of_none_allows_scalars_only():
    assert decode_json('"[]"', max_bytes=LIMIT, max_depth=0) == "[]"
    assert refusal("[]", max_depth=0) == "MALFORMED"


def test_depth_counts_nesting_not_brackets():
    wide = [[[]] * 50, "[" * 100, {"a": {"b": "{" * 100}}]
    assert decode_json(encode_json(wide), max_bytes=LIMIT, max_depth=3) == wide
    assert refusal(encode_json(wide), max_depth=2) == "MALFORMED"


def test_says_what_is_wrong_but_never_quotes_it():
    cases: list[tuple[str | bytes, str]] = [
        (nested(40), "Arrays and objects are nested more than 32 deep."),
        (nested(5_000), "Arrays and objects are nested more than 32 deep."),
        (b"9" * 309, "An integer has more than 308 digits."),
        (b"[" + b"9" * 309 + b"]", "An integer has more than 308 digits."),
        (b'{"evil":1,"evil":2}', "An object has the same name twice."),
        (b"evil", "The text is not valid JSON."),
        ("evil \ud800", "The text holds a lone surrogate."),
    ]
    for data, message in cases:
        with pytest.raises(ProtocolViolation) as caught:
            decode_json(data, max_bytes=LIMIT)
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("data", "fits"),
    [("[1]", True), ("[12]", False), ('"é"', False), ('"e"', True), ("é" * 3, False)],
)
def test_size_is_counted_in_bytes(data, fits):
    for form in (data, data.encode()):
        if fits:
            decode_json(form, max_bytes=3)
        else:
            assert refusal(form, max_bytes=3) == "TOO_LARGE"


def test_a_minus_sign_is_no_digit():
    longest = -(10**MAX_INTEGER_DIGITS) + 1
    assert decode_json(b"[%d]" % longest, max_bytes=LIMIT) == [longest]
    assert refusal(b"[%d]" % (longest - 1)) == "MALFORMED"


def test_a_bool_stays_a_bool():
    assert [type(value) for value in decode_json(b"[true,1,1.0]", max_bytes=LIMIT)] == [bool, int, float]


def test_what_cannot_be_said_in_json_becomes_null():
    assert encode_json([math.inf, math.nan]) == b"[null,null]"


@given(values)
def test_what_we_encode_we_decode(value):
    data = encode_json(value)
    assert decode_compact(data, max_bytes=10**7) == (value, data)
    assert decode_json(data.decode(), max_bytes=10**7) == value


@given(values, st.booleans())
def test_what_others_encode_we_decode(value, ascii_only):
    data = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    decoded, compact = decode_compact(data, max_bytes=10**7)
    assert decoded == value
    assert b"\n" not in compact
    assert json.loads(compact) == value


def strictly(data: bytes) -> object:
    """Our rules over again, the slow and obvious way. Raises ValueError for what they refuse."""

    def refuse(_):
        raise ValueError

    def number(digits: str) -> float:
        return value if math.isfinite(value := float(digits)) else refuse(digits)

    def integer(digits: str) -> int:
        return int(digits) if len(digits.lstrip("-")) <= MAX_INTEGER_DIGITS else refuse(digits)

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse(pairs)

    value = json.loads(
        data.decode(), parse_constant=refuse, parse_float=number, parse_int=integer, object_pairs_hook=unique
    )
    json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
    return value


@given(st.one_of(st.binary(), nearly_json.map(lambda text: text.encode(errors="surrogatepass"))))
@example(b'{"a":1,"a":"\\u003a"}')
@example(b'{"a":"\\ud800"}')
@example(b"[1e999]")
def test_bytes_mean_what_the_slow_way_says(data):
    try:
        expected = strictly(data)
    except ValueError:
        assert refusal(data) == "MALFORMED"
    else:
        assert decode_json(data, max_bytes=LIMIT) == expected


@given(st.one_of(st.text(), nearly_json), st.integers(0, 100), st.integers(0, 10))
def test_any_text_gives_a_value_or_a_violation(data, max_bytes, max_depth):
    with suppress(ProtocolViolation):
        decode_json(data, max_bytes=max_bytes, max_depth=max_depth)


members = st.lists(
    st.tuples(st.sampled_from(['"a"', '"b"', '"a:"', '"\\u0061"', '"a\\u003a"']), st.integers(0, 2)),
    max_size=4,
)


@given(st.lists(members, max_size=3))
def test_repeated_names_are_always_found(objects):
    leaves = ["1", '":\\u003a"', '{":":[]}']
    texts = [",".join(f"{name}:{leaves[leaf]}" for name, leaf in pairs) for pairs in objects]
    data = "[" + ",".join("{" + text + "}" for text in texts) + "]"
    repeated = any(len({json.loads(name) for name, _ in pairs}) < len(pairs) for pairs in objects)
    assert (outcome(lambda text: decode_json(text, max_bytes=LIMIT), data) == "ProtocolViolation") is repeated

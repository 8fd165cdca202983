"""Who may open a socket: our own pages, listed origins, and programs that send no origin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.origins import origin_allowed


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://foyer.example", "foyer.example"),
        ("https://foyer.example", "foyer.example:443"),
        ("https://foyer.example:443", "foyer.example"),
        ("http://foyer.example:80", "foyer.example"),
        ("http://foyer.example", "foyer.example:80"),
        ("HTTPS://Foyer.Example", "fOYER.eXAMPLE"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://[2001:DB8::1]", "[2001:db8::1]:443"),
    ],
)
def test_our_own_pages_may(origin, host):
    assert origin_allowed(origin, host, allowed=[], required=True)
    assert origin_allowed(origin.encode(), host.encode(), allowed=[], required=False)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "foyer.example"),
        ("https://foyer.example.evil.example", "foyer.example"),
        ("https://evilfoyer.example", "foyer.example"),
        ("https://sub.foyer.example", "foyer.example"),
        ("https://foyer.example:8443", "foyer.example"),
        ("https://foyer.example", "foyer.example:80"),
        ("http://foyer.example", "foyer.example:443"),
        ("http://127.0.0.1:8000", "127.0.0.1:9000"),
        ("http://[::1]:8000", "[::2]:8000"),
        # Same host, but neither a page of ours nor a browser's way to say so.
        ("capacitor://foyer.example", "foyer.example"),
        ("ws://foyer.example", "foyer.example"),
        # A host we cannot make sense of is nobody's own.
        ("https://foyer.example", None),
        ("https://foyer.example", ""),
        ("https://foyer.example", "foyer.example, foyer.example"),
    ],
)
def test_pages_of_others_may_not(origin, host):
    assert not origin_allowed(origin, host, allowed=[], required=False)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "NULL",
        "",
        "*",
        "foyer.example",
        "https://",
        "https://foyer.example/",
        "https://foyer.example/path",
        "https://foyer.example?x",
        "https://user@foyer.example",
        "https://foyer.example:",
        "https://foyer.example:port",
        "https://foyer.example:123456",
        "https://foyer.example https://foyer.example",
        "https://foyer.example\n",
        "https://fоyer.example",  # the first o is Cyrillic
        "file://",
        b"https://foyer.example\xff",
    ],
)
@pytest.mark.parametrize("allowed", [[], ["*"], ["null"], ["https://foyer.example"]])
def test_what_is_no_origin_may_not_even_where_any_may(origin, allowed):
    assert not origin_allowed(origin, "foyer.example", allowed=allowed, required=False)


@pytest.mark.parametrize(
    ("origin", "entry", "expected"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example:443", "https://shop.example", True),
        ("https://SHOP.example", "https://shop.EXAMPLE:443", True),
        ("http://shop.example:8080", "http://shop.example:8080", True),
        ("capacitor://localhost", "capacitor://localhost", True),
        ("https://anything.example", "*", True),
        ("http://shop.example", "https://shop.example", False),
        ("https://shop.example:8443", "https://shop.example", False),
        ("https://a.shop.example", "https://shop.example", False),
        ("https://shop.example", "shop.example", False),
        ("https://shop.example", "", False),
    ],
)
def test_listed_origins_may(origin, entry, expected):
    allowed = ["https://other.example", entry]
    assert origin_allowed(origin, "foyer.example", allowed=allowed, required=True) is expected


@pytest.mark.parametrize("required", [True, False])
def test_programs_send_no_origin_and_may_where_no_cookie_lets_them_in(required):
    assert origin_allowed(None, "foyer.example", allowed=["*"], required=required) is not required


@given(st.one_of(st.text(), st.binary()), st.one_of(st.none(), st.text(), st.binary()))
def test_any_header_gets_an_answer(origin, host):
    assert origin_allowed(origin, host, allowed=["https://shop.example"], required=False) in {True, False}

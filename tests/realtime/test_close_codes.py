"""Close codes: each has a meaning, and a reason always fits into the frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.close_codes import MAX_REASON_BYTES, CloseCode, bounded_reason, describe


@pytest.mark.parametrize("code", list(CloseCode))
def test_every_code_is_described(code):
    assert describe(code).meaning != describe(4999).meaning
    assert describe(int(code)) == describe(code)


@pytest.mark.parametrize(
    ("code", "reconnect"),
    [
        (CloseCode.NORMAL, False),
        (CloseCode.POLICY_VIOLATION, False),
        (CloseCode.FORBIDDEN, False),
        (CloseCode.NOT_FOUND, False),
        (CloseCode.ABNORMAL, True),
        (CloseCode.SERVICE_RESTART, True),
        (CloseCode.TRY_AGAIN_LATER, True),
        (CloseCode.PING_TIMEOUT, True),
        (CloseCode.SLOW_CLIENT, True),
    ],
)
def test_says_whether_coming_back_can_help(code, reconnect):
    assert describe(code).reconnect is reconnect


def test_an_unknown_code_is_worth_another_try():
    assert describe(4999) == ("unknown close code", True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("a" * 123, "a" * 123),
        ("a" * 124, "a" * 123),
        ("é" * 62, "é" * 61),  # 124 bytes: the cut falls into a character
        ("a" + "😀" * 31, "a" + "😀" * 30),
        ("bad \ud800 text", "bad ? text"),
    ],
)
def test_cuts_a_reason_between_characters(text, reason):
    assert bounded_reason(text) == reason


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_reason_is_the_longest_start_that_fits(text):
    reason = bounded_reason(text)
    assert text.startswith(reason)
    assert len(reason.encode()) <= MAX_REASON_BYTES
    longer = text[: len(reason) + 1]
    assert longer == reason or len(longer.encode()) > MAX_REASON_BYTES

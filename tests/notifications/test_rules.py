"""Decisions of the notifications."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifications.rules import filled, length_filled

# Together they make no name but these two.
texts = st.lists(st.sampled_from(["{a}", "{b}", "{", "}", "1", "{c d}", "\u00fc"]), max_size=8).map("".join)
templates = st.recursive(texts | st.none() | st.integers(), lambda part: st.lists(part, max_size=3))


def characters(value: Any) -> int:
    """In all texts of it."""
    if isinstance(value, list):
        return sum(map(characters, value))
    return len(value) if isinstance(value, str) else 0


@given(templates, st.text(max_size=5), st.integers() | st.floats(allow_nan=False))
def test_how_long_it_is_filled_is_known_before(template: Any, a: str, b: float) -> None:
    values = {"a": a, "b": b, "unused": "x" * 9}
    assert length_filled(template, values) == characters(filled(template, values))
